//! `POST /images/generations`, and with pictures to go by `POST /images/edits`, which is a form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::emit::Object as Writer;
use super::reply_read::excerpt;
use super::shape::{count, list, text};
use super::{NAME, OpenaiChat, error, usage};
use crate::dialect::Outgoing;
use crate::error::{ReadError, StreamError, WriteError};
use crate::form::Form;
use crate::image::{ImageReply, ImageRequest, Images, Picture, Size};
use crate::json::Object;
use crate::provider::Quirks;
use crate::request::{Media, MediaData};
use crate::units::Units;

impl Images for OpenaiChat {
    fn write_prompt(
        &self,
        request: &ImageRequest,
        model: &str,
        quirks: &Quirks,
    ) -> Result<Outgoing, WriteError> {
        if !request.references.is_empty() {
            return edit(request, model);
        }
        let mut body = Vec::new();
        let mut object = Writer::begin(&mut body);
        object.value("model", model);
        object.value("prompt", &request.prompt);
        object.value("n", &request.n);
        object.optional("size", size(&request.size).as_ref());
        object.optional("quality", request.quality.as_ref());
        object.optional("output_format", request.output_format.as_ref());
        object.optional("output_compression", request.output_compression.as_ref());
        object.optional("background", request.background.as_ref());
        object.optional("response_format", quirks.image_response_format.as_ref());
        object.optional("user", request.user.as_ref());
        object.end();
        let path = "/images/generations".to_owned();
        Ok(Outgoing { path, headers: Vec::new(), body: body.into() })
    }

    fn read_pictures(&self, body: &Bytes) -> Result<ImageReply, StreamError> {
        let wrong = |path: &str| ReadError::new(path, "a list of pictures", excerpt(body));
        let json = std::str::from_utf8(body).map_err(|_| wrong("body"))?;
        let fields = Object::parse(json).map_err(|_| wrong("body"))?;
        if let Some(error) = error::inside(&fields, body) {
            return Err(error);
        }
        let format = fields.field("output_format").and_then(|raw| text(Some(raw)));
        let named = format.map(|format| format!("image/{format}"));
        let mut pictures = Vec::new();
        for (at, raw) in list(fields.field("data")).into_iter().enumerate() {
            let row = Object::parse(raw.get()).unwrap_or_default();
            let base64 = row.field("b64_json").and_then(|raw| text(Some(raw)));
            let Some(base64) = base64.filter(|base64| !base64.is_empty()) else {
                let path = format!("data[{at}].b64_json");
                return Err(ReadError::new(
                    path,
                    "a picture in base64",
                    excerpt(raw.get().as_bytes()),
                )
                .into());
            };
            let mime = mime_of(&base64).map(str::to_owned).or_else(|| named.clone());
            pictures.push(Picture { base64, mime });
        }
        if pictures.is_empty() {
            return Err(wrong("data").into());
        }
        let said = fields.field("usage");
        let mut usage = said.and_then(usage::read).unwrap_or_default();
        // All that is written is pictures, unless the upstream tells words apart.
        usage.image_completion = usage.image_completion.or(usage.completion);
        let images = u64::try_from(pictures.len()).unwrap_or(u64::MAX);
        let image_prompt = said.and_then(image_tokens).unwrap_or(0);
        let units = Units { images, image_prompt, ..Units::default() };
        Ok(ImageReply { pictures, usage, units })
    }
}

/// Of the tokens read: those of pictures.
fn image_tokens(usage: &RawValue) -> Option<u64> {
    let fields = Object::parse(usage.get()).ok()?;
    let details = Object::parse(fields.field("input_tokens_details")?.get()).ok()?;
    count(details.field("image_tokens"))
}

/// A form with the pictures to go by.
fn edit(request: &ImageRequest, model: &str) -> Result<Outgoing, WriteError> {
    let mut form = Form::default();
    form.text("model", model);
    form.text("prompt", &request.prompt);
    form.text("n", request.n.to_string());
    form.optional("size", size(&request.size));
    form.optional("quality", request.quality.as_ref());
    form.optional("output_format", request.output_format.as_ref());
    form.optional("output_compression", request.output_compression);
    form.optional("background", request.background.as_ref());
    form.optional("user", request.user.as_ref());
    for (at, media) in request.references.iter().enumerate() {
        let (kind, bytes) = file(media, at)?;
        form.file("image[]", &format!("image-{at}.{kind}"), &format!("image/{kind}"), bytes);
    }
    let (kind, body) = form.end();
    let path = "/images/edits".to_owned();
    Ok(Outgoing { path, headers: vec![("content-type", kind)], body })
}

/// A picture's kind and bytes.
fn file(media: &Media, at: usize) -> Result<(&'static str, Vec<u8>), WriteError> {
    let refused = |what: &str| {
        let what = format!(
            "{what} in input_references[{at}]; send a base64 data URL of a png, jpeg or webp"
        );
        WriteError { dialect: NAME, what }
    };
    let MediaData::Inline { mime, base64 } = &media.data else {
        return Err(refused("the address of a picture"));
    };
    let kinds = ["png", "jpeg", "webp"];
    let kind = kinds.into_iter().find(|kind| mime.strip_prefix("image/") == Some(kind));
    let kind = kind.ok_or_else(|| refused("a picture of another kind"))?;
    let bytes = STANDARD.decode(base64).map_err(|_| refused("what is no base64"))?;
    Ok((kind, bytes))
}

/// The size in pixels. Of shapes OpenAI knows the square, the wide and the high one, each in one
/// size, so what is only about so large becomes the nearest of these.
fn size(size: &Size) -> Option<String> {
    match size {
        Size::Auto => None,
        Size::Pixels(width, height) => Some(format!("{width}x{height}")),
        Size::About { aspect: None, resolution: None } => None,
        Size::About { aspect, .. } => {
            let (width, height) = aspect.unwrap_or((1, 1));
            Some(match width.cmp(&height) {
                std::cmp::Ordering::Less => "1024x1536".to_owned(),
                std::cmp::Ordering::Equal => "1024x1024".to_owned(),
                std::cmp::Ordering::Greater => "1536x1024".to_owned(),
            })
        }
    }
}

/// The kind of a picture by how its bytes begin.
fn mime_of(base64: &str) -> Option<&'static str> {
    const BEGINNINGS: [(&str, &str); 5] = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("UklGR", "image/webp"),
        ("PHN2Zy", "image/svg+xml"),
        ("R0lGOD", "image/gif"),
    ];
    BEGINNINGS.iter().find(|(begin, _)| base64.starts_with(begin)).map(|(_, mime)| *mime)
}

#[cfg(test)]
mod tests;
