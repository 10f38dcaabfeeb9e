//! Documents that a plugin reads, for the indexes: PDF and office files are parsed in the sandbox, by
//! the same `file-parser` that reads them for models.

use std::sync::OnceLock;

use index::{Document, Extracted, Landmark, Mark, ReadError, Reader};

use super::super::plugin::sandbox;
use crate::config::Config;
use crate::plugin::{File, Plugins};

/// The plugin as a reader. Its sandbox is made for the first document that needs it.
pub(super) struct Parser {
    config: Config,
    plugins: OnceLock<Result<Plugins, String>>,
}

impl Parser {
    /// None is loaded yet.
    pub(super) fn new(config: &Config) -> Self {
        Self { config: config.clone(), plugins: OnceLock::new() }
    }
}

impl Reader for Parser {
    fn kinds(&self) -> &[&str] {
        &KINDS
    }

    fn read(&self, document: &Document) -> Result<Extracted, ReadError> {
        let plugins = self
            .plugins
            .get_or_init(|| sandbox::installed(&self.config).map_err(|error| format!("{error:#}")));
        let plugins = plugins.as_ref().map_err(|why| ReadError::Malformed(why.clone()))?;
        let name = document.source.rsplit(['/', '\\']).next();
        let mime = document.media_type.as_deref().unwrap_or(ANY);
        let file = File { name, mime, bytes: &document.bytes };
        let texts = plugins.read_file(PLUGIN, OPTIONS, file).map_err(ReadError::Malformed)?;
        Ok(extracted(&texts.join("\n\n")))
    }
}

/// The text without the marks of pages, which become landmarks.
fn extracted(text: &str) -> Extracted {
    let mut extracted = Extracted::default();
    for line in text.lines() {
        match page(line) {
            Some(number) => {
                let (at, what) = (extracted.body.len(), Landmark::Page(number));
                extracted.marks.push(Mark { at, what });
            }
            None => {
                extracted.body.push_str(line);
                extracted.body.push('\n');
            }
        }
    }
    extracted
}

/// The number in `[page 7]`.
fn page(line: &str) -> Option<u64> {
    line.strip_prefix("[page ")?.strip_suffix(']')?.parse().ok()
}

const PLUGIN: &str = "file-parser";

/// The text alone, and more of it than a prompt takes.
const OPTIONS: &str = r#"{"text_only":true,"max_pages":5000,"max_characters":8388608}"#;

/// What the sender did not say.
const ANY: &str = "application/octet-stream";

/// Media types and endings of what the plugin reads and the index does not.
const KINDS: [&str; 8] = [
    "pdf",
    "application/pdf",
    "docx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_become_landmarks() {
        let it = extracted("[page 1]\nOne.\n\n[page 2]\nTwo [page 3]\n");
        assert_eq!(it.body, "One.\n\nTwo [page 3]\n");
        let marks = [(0, 1), (6, 2)].map(|(at, page)| Mark { at, what: Landmark::Page(page) });
        assert_eq!(it.marks, marks);
    }
}
