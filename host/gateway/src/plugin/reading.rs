//! A document read by a plugin outside any generation: the text that its request hook puts in the
//! place of a file. So a format that only plugins read is read the same way everywhere, and as
//! safely.

use std::sync::Arc;
use std::time::Duration;

use wire::{Content, Extra, Media, MediaData, MediaKind, Message, Part, Request, Role};

use super::load::{self, LoadError};
use super::media;
use super::pipeline::{Pipeline, Requested};
use super::registry::Plugins;
use super::select::Selected;
use super::view::GenerationView;

/// A document to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'a> {
    /// Its name, if it has one.
    pub(crate) name: Option<&'a str>,
    /// Its MIME type.
    pub(crate) mime: &'a str,
    /// Its content.
    pub(crate) bytes: &'a [u8],
}

impl Plugins {
    /// What a plugin with these options reads in a file: the texts that it puts in its place.
    ///
    /// # Errors
    /// When there is no such plugin, or it refuses the file or fails, with its own words.
    pub(crate) fn read_file(
        &self,
        id: &str,
        options: &str,
        file: File<'_>,
    ) -> Result<Vec<String>, String> {
        let registry = self.snapshot();
        let plugin = registry.find(id).ok_or_else(|| format!("there is no plugin `{id}`"))?;
        let selected = Selected {
            plugin: Arc::clone(plugin),
            options: Arc::from(options),
            is_disabled: false,
            shadow: None,
        };
        let read = load::on_a_thread(|| async {
            let mut pipeline = Pipeline::new(vec![selected], GenerationView::of_load(READ));
            let requested = pipeline.on_request(request(file)).await;
            let refused =
                |error: crate::error::Error| LoadError::new("read", error.failure.message);
            match requested.map_err(refused)? {
                Requested::Go(request) => Ok(texts(request)),
                Requested::Answer(..) => {
                    Err(LoadError::new("read", "the plugin answered instead of reading"))
                }
            }
        });
        read.map_err(|error| error.reason)
    }
}

fn request(file: File<'_>) -> Request {
    let data = MediaData::Inline { mime: file.mime.to_owned(), base64: media::encode(file.bytes) };
    let name = file.name.map(str::to_owned);
    let medium = Media { kind: MediaKind::File, data, name, detail: None };
    let message = Message {
        role: Role::User,
        name: None,
        parts: vec![Part::new(Content::Media(medium))],
        extra: Extra::default(),
    };
    Request { messages: vec![message], ..Request::default() }
}

fn texts(request: Request) -> Vec<String> {
    let parts = request.messages.into_iter().flat_map(|message| message.parts);
    let texts = parts.filter_map(|part| match part.content {
        Content::Text(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

/// How long one document may take, whatever the plugin's own limits are.
const READ: Duration = Duration::from_secs(120);
