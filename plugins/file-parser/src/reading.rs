//! Reads the files of one request and puts their texts in their places.

use crate::annotation;
use crate::kind::Kind;
use crate::ocr;
use crate::options::{Engine, Options};
use crate::parse::parse;
use crate::parsed::{Failure, Parsed};
use crate::source::{self, Source};
use patchbay_sdk::{
    Content, Generation, InlineMedia, Media, MediaData, MediaKind, Message, Part, catalog, report,
    warn,
};
use serde_json::Value;
use std::collections::HashMap;

/// What is done with one request's files.
pub(crate) struct Reading<'g> {
    generation: &'g Generation,
    options: &'g Options,
    takes_files: bool,
    takes_pictures: bool,
    known: HashMap<String, Parsed>,
    /// What the client is told of files that were read.
    pub(crate) annotations: Vec<Value>,
    files: usize,
    reused: usize,
    pages: usize,
    engines: Vec<&'static str>,
}

impl<'g> Reading<'g> {
    pub(crate) fn new(generation: &'g Generation, options: &'g Options, model: &str) -> Self {
        let model = catalog::model(model);
        let takes = |what: &str| model.as_ref().is_some_and(|model| model.takes(what));
        Self {
            generation,
            options,
            takes_files: takes("file"),
            takes_pictures: takes("image"),
            known: HashMap::new(),
            annotations: Vec::new(),
            files: 0,
            reused: 0,
            pages: 0,
            engines: Vec::new(),
        }
    }

    /// Replaces the files in these messages; true if there was one to replace. The error is a
    /// sentence for the client.
    pub(crate) fn run(&mut self, messages: &mut [Message]) -> Result<bool, String> {
        let files = messages.iter().flat_map(|message| &message.parts);
        let count = files.filter(|part| self.file(part).is_some()).count();
        if count == 0 {
            return Ok(false);
        }
        if count > self.options.max_files {
            let max = self.options.max_files;
            return Err(format!(
                "The request has {count} files to read, and `max_files` allows {max}."
            ));
        }
        self.known = annotation::take(messages);
        for message in messages.iter_mut() {
            let mut parts = Vec::with_capacity(message.parts.len());
            for part in std::mem::take(&mut message.parts) {
                match self.file(&part) {
                    Some(media) => {
                        let mut read = self.replace(media)?;
                        if let Some(first) = read.first_mut() {
                            first.cache_control = part.cache_control;
                        }
                        parts.extend(read);
                    }
                    None => parts.push(part),
                }
            }
            message.parts = parts;
        }
        self.report();
        Ok(true)
    }

    /// The file of a part that is to be read here.
    fn file<'p>(&self, part: &'p Part) -> Option<&'p Media> {
        let Content::Media(media) = &part.content else { return None };
        let is_file = media.kind == MediaKind::File && !matches!(media.data, MediaData::Id(_));
        (is_file && !self.is_native(media)).then_some(media)
    }

    /// Whether the model's provider reads the file itself.
    fn is_native(&self, media: &Media) -> bool {
        match self.options.pdf.engine {
            _ if self.options.text_only => false,
            Some(Engine::Native) => true,
            Some(_) => false,
            None => self.takes_files && self.is_pdf(media),
        }
    }

    /// Whether it is a PDF, as far as can be told without fetching it: what says nothing of itself
    /// is taken for one.
    fn is_pdf(&self, media: &Media) -> bool {
        if let MediaData::Held(held) = media.data {
            let head = self.generation.media_read(held, 0, HEAD_BYTES);
            let mime = source::mime(media, self.generation);
            return Kind::of(&head, &mime, &source::name(media)) == Some(Kind::Pdf);
        }
        let mime = source::mime(media, self.generation);
        Kind::promised(&mime, &source::name(media)).is_none_or(|kind| kind == Kind::Pdf)
    }

    fn replace(&mut self, media: &Media) -> Result<Vec<Part>, String> {
        let file = source::load(media, self.generation, self.options.max_bytes)?;
        let hash = annotation::hash(&file.bytes);
        self.files += 1;
        let parsed = match self.known.get(&hash) {
            Some(known) => {
                self.reused += 1;
                known.clone()
            }
            None => {
                let parsed = self.read(&file)?;
                self.pages += parsed.page_count;
                if !self.options.text_only {
                    self.annotations.push(annotation::write(&hash, &file.name, &parsed));
                }
                self.known.insert(hash, parsed.clone());
                parsed
            }
        };
        Ok(self.parts(&file.name, parsed))
    }

    fn read(&mut self, file: &Source) -> Result<Parsed, String> {
        let name = &file.name;
        let bounds = self.options.bounds(self.takes_pictures);
        let kind = Kind::of(&file.bytes, &file.mime, name)
            .ok_or_else(|| refusal(name, &Failure::Unknown))?;
        if kind == Kind::Pdf && self.options.pdf.engine == Some(Engine::MistralOcr) {
            return self.look(file);
        }
        match parse(kind, &file.bytes, &bounds) {
            Ok(parsed) => {
                self.used(if kind == Kind::Pdf { "pdf-text" } else { "text" });
                Ok(parsed)
            }
            Err(Failure::Scanned(_))
                if self.options.pdf.engine.is_none()
                    && !self.options.text_only
                    && ocr::is_configured() =>
            {
                self.look(file)
            }
            Err(failure) => Err(refusal(name, &failure)),
        }
    }

    fn look(&mut self, file: &Source) -> Result<Parsed, String> {
        if !ocr::is_configured() {
            warn!(
                "`mistral-ocr` was asked for; it needs [plugin.file-parser.secrets.{}]",
                ocr::KEY
            );
            return Err("The engine `mistral-ocr` is not set up on this gateway. Use the engine \
                        `pdf-text` for files that have text in them, or ask a model that reads \
                        files itself."
                .to_owned());
        }
        self.used("mistral-ocr");
        let bounds = self.options.bounds(self.takes_pictures);
        ocr::read(&file.bytes, &bounds).map_err(|error| {
            let why = web_pages::reason(&error);
            let why = why.trim_end_matches('.');
            format!(
                "The file `{}` could not be read by `mistral-ocr`: {why}. Use the engine `pdf-text`, \
                 or ask a model that reads files itself.",
                file.name
            )
        })
    }

    fn used(&mut self, engine: &'static str) {
        if !self.engines.contains(&engine) {
            self.engines.push(engine);
        }
    }

    fn parts(&self, name: &str, parsed: Parsed) -> Vec<Part> {
        if self.options.text_only {
            return vec![Part::text(parsed.text)];
        }
        let name: String =
            name.chars().filter(|c| !c.is_control() && !"\"<>".contains(*c)).collect();
        let text = format!("<file name=\"{name}\">\n{}\n</file>", parsed.text);
        let mut parts = vec![Part::text(text)];
        if self.takes_pictures {
            parts.extend(parsed.pictures.into_iter().map(|picture| {
                let data = InlineMedia { mime: picture.mime, bytes: picture.bytes };
                let kind = MediaKind::Image;
                let data = MediaData::Inline(data);
                Part::new(Content::Media(Media { kind, data, name: None, detail: None }))
            }));
        }
        parts
    }

    fn report(&self) {
        let Self { files, reused, pages, .. } = self;
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        report::stage("plugin", "file-parser")
            .summary(&format!(
                "{files} file{}, {pages} page{} read",
                plural(*files),
                plural(*pages)
            ))
            .data("engines", &self.engines)
            .data("files", files)
            .data("pages", pages)
            .data("reused", reused)
            .send();
    }
}

/// What the client is told of a file that cannot be read.
fn refusal(name: &str, failure: &Failure) -> String {
    match failure {
        Failure::Encrypted => format!(
            "The file `{name}` is encrypted and opens with a password only. Send it without one."
        ),
        Failure::Broken(why) => format!("The file `{name}` cannot be read: {why}."),
        Failure::Scanned(pages) => {
            let are = if *pages == 1 { " is" } else { "s are" };
            let engine = if ocr::is_configured() { OCR } else { "Ask" };
            format!(
                "The file `{name}` has no text: its {pages} page{are} pictures. {engine} a model that \
                 reads files itself."
            )
        }
        Failure::Bomb => format!("The file `{name}` unpacks to more than is read."),
        Failure::Unknown => format!(
            "The file `{name}` is of no kind that can be read. PDF, DOCX, XLSX, PPTX, HTML and \
             anything that is text can be."
        ),
    }
}

const OCR: &str = "Read it with the engine `mistral-ocr` (\"plugins\": [{\"id\": \"file-parser\", \
                   \"pdf\": {\"engine\": \"mistral-ocr\"}}]), or ask";

const HEAD_BYTES: u32 = 2048;
