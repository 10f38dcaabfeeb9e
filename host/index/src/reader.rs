//! From bytes to text with landmarks: the seam for formats, and the table of those that are built
//! in.

mod html;
mod markdown;
mod plain;

use std::sync::Arc;

use encoding_rs::Encoding;

use crate::document::Document;
use crate::error::ReadError;

/// A format that can be read. Whoever has another one (PDF in a sandboxed plugin) hands in such a
/// reader; it is asked before the built-in ones.
pub trait Reader: Send + Sync {
    /// The media types and file endings that it reads, in lower case.
    fn kinds(&self) -> &[&str];

    /// The text of a document.
    ///
    /// # Errors
    /// When the bytes are not of that format. Only this document is left out then.
    fn read(&self, document: &Document) -> Result<Extracted, ReadError>;
}

/// The text of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extracted {
    /// What it calls itself.
    pub title: Option<String>,
    /// All text, blocks apart by an empty line, headings included.
    pub body: String,
    /// What is known about places in the body, in order.
    pub marks: Vec<Mark>,
}

/// A place in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// In bytes.
    pub at: usize,
    /// What begins there.
    pub what: Landmark,
}

/// What begins at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landmark {
    /// A heading; its text stands in the body too.
    Heading {
        /// 1 is the outermost.
        level: u8,
        /// Without markup.
        text: String,
    },
    /// A page of that number.
    Page(u64),
}

/// The readers that there are.
#[derive(Clone)]
pub(crate) struct Readers(Vec<Arc<dyn Reader>>);

impl Readers {
    /// The built-in ones.
    pub(crate) fn built_in() -> Self {
        Self(vec![Arc::new(html::Html), Arc::new(markdown::Markdown), Arc::new(plain::Plain)])
    }

    /// Puts one before all others.
    pub(crate) fn add(&mut self, reader: Arc<dyn Reader>) {
        self.0.insert(0, reader);
    }

    /// Whether files of this ending, in lower case, are read.
    pub(crate) fn know(&self, ending: &str) -> bool {
        self.0.iter().any(|reader| reader.kinds().contains(&ending))
    }

    /// The text of a document, by the first reader that knows its kind.
    pub(crate) fn read(&self, document: &Document) -> Result<Extracted, ReadError> {
        let mut kind = document.kind();
        if kind.is_empty() && html::looks_like(&document.bytes) {
            "html".clone_into(&mut kind);
        }
        let found = self.0.iter().find(|reader| reader.kinds().contains(&kind.as_str()));
        let Some(reader) = found else {
            let known = self.0.iter().flat_map(|reader| reader.kinds());
            let endings = known.filter(|kind| !kind.contains('/')).map(|kind| format!(".{kind}"));
            let known = endings.collect::<Vec<_>>().join(", ");
            let kind = match kind.as_str() {
                "" => "a document without a media type and without an ending".to_owned(),
                kind => format!("`{}`", kind.escape_debug()),
            };
            return Err(ReadError::UnknownKind { kind, known });
        };
        reader.read(document)
    }
}

/// The bytes of a text format as text: UTF-8, or what the byte order mark, the media type or (for
/// HTML) the document itself names, or else Windows-1252, as browsers do. Lines end with `\n`.
fn decode(document: &Document) -> Result<String, ReadError> {
    let bytes = &document.bytes;
    let named = || {
        let stated = document.media_type.as_deref().map(str::as_bytes).and_then(charset);
        stated.or_else(|| charset(bytes.get(..CHARSET_BYTES).unwrap_or(bytes)))
    };
    let text = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding.decode(bytes).0,
        None if bytes.contains(&0) => return Err(ReadError::Binary),
        None => match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => named().unwrap_or(encoding_rs::WINDOWS_1252).decode(bytes).0,
        },
    };
    Ok(if text.contains('\r') { text.replace("\r\n", "\n") } else { text.into_owned() })
}

/// What follows the first `charset=`, if it is an encoding.
fn charset(bytes: &[u8]) -> Option<&'static Encoding> {
    let key = b"charset=";
    let lower = bytes.to_ascii_lowercase();
    let at = lower.windows(key.len()).position(|window| window == key)?;
    let rest = lower.get(at.saturating_add(key.len())..)?;
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let end = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"-_:.".contains(byte);
    Encoding::for_label(rest.split(end).next()?)
}

/// HTML names its encoding within this many bytes.
const CHARSET_BYTES: usize = 1024;

#[cfg(test)]
mod tests;
