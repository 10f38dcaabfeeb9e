//! A document as it comes in: where it is from, its bytes, and what they are said to be.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::ReadError;

/// What is to be indexed under one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The file or address that it is from; what a hit names.
    pub source: String,
    /// As they were read or fetched.
    pub bytes: Vec<u8>,
    /// The media type if the sender said one (`text/html; charset=utf-8`). Otherwise the ending of
    /// the source decides.
    pub media_type: Option<String>,
}

impl Document {
    /// Reads a file; the path becomes the source.
    ///
    /// # Errors
    /// When it can't be read, or has more than `bytes_max` bytes.
    pub fn from_file(path: &Path, bytes_max: u64) -> Result<Self, Refused> {
        let source = source_of(path);
        let refuse = |reason| Refused { source: source.clone(), reason };
        let file = File::open(path).map_err(|error| refuse(error.into()))?;
        let mut bytes = Vec::new();
        // One more than allowed, so that a file that grows meanwhile is noticed too.
        let read = file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes);
        let read = read.map_err(|error| refuse(error.into()))?;
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        if read > bytes_max {
            let bytes = path.metadata().map_or(read, |metadata| metadata.len());
            return Err(refuse(ReadError::TooLarge { bytes, max: bytes_max }));
        }
        Ok(Self { source, bytes, media_type: None })
    }

    /// The media type without parameters, or the ending of the name; lower case, empty if neither
    /// is there.
    pub(crate) fn kind(&self) -> String {
        let stated = self.media_type.as_deref().and_then(|it| it.split(';').next());
        let stated = stated.map(str::trim).filter(|it| !it.is_empty() && !is_vague(it));
        stated.unwrap_or_else(|| self.ending()).to_ascii_lowercase()
    }

    /// What follows the last dot of the last part of the path.
    fn ending(&self) -> &str {
        let name = self.name();
        name.rsplit_once('.').map_or("", |(stem, ending)| if stem.is_empty() { "" } else { ending })
    }

    /// The last part of the path or address, for want of a title.
    pub(crate) fn name(&self) -> &str {
        let source = &self.source;
        // Only addresses have a query; a file may well be called `what?.md`.
        let Some((_, address)) = source.split_once("://") else {
            return source.rsplit('/').next().unwrap_or(source);
        };
        let path = address.split(['?', '#']).next().unwrap_or(address);
        // Without a path there is no file name: the ending of a host says nothing.
        path.split_once('/').map_or("", |(_, path)| path.rsplit('/').next().unwrap_or(path))
    }
}

/// A document that was not taken, and why.
#[derive(Debug)]
pub struct Refused {
    /// The document.
    pub source: String,
    /// What was wrong with it.
    pub reason: ReadError,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.reason)
    }
}

/// A path as a source. Names that are no UTF-8 are shown as well as they can be.
pub(crate) fn source_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// What servers say when they do not know.
fn is_vague(media_type: &str) -> bool {
    ["application/octet-stream", "binary/octet-stream"]
        .iter()
        .any(|vague| media_type.eq_ignore_ascii_case(vague))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(source: &str, media_type: Option<&str>) -> Document {
        let media_type = media_type.map(str::to_owned);
        Document { source: source.to_owned(), bytes: Vec::new(), media_type }
    }

    #[test]
    fn the_media_type_decides_and_then_the_ending() {
        for (source, media_type, kind) in [
            ("a/b.MD", None, "md"),
            ("a.b/c", None, ""),
            ("a/.hidden", None, ""),
            ("what?.md", None, "md"),
            ("https://example.org", None, ""),
            ("https://example.org/a.html?x=1.md#y.txt", None, "html"),
            ("https://example.org/a.md", Some("Text/HTML; charset=utf-8"), "text/html"),
            ("https://example.org/a.md", Some("application/octet-stream"), "md"),
            ("https://example.org/a.md", Some(""), "md"),
        ] {
            assert_eq!(document(source, media_type).kind(), kind, "{source}");
        }
    }

    #[test]
    fn a_file_over_the_limit_is_refused_with_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(Document::from_file(&path, 5).unwrap().bytes, b"12345");
        let refused = Document::from_file(&path, 4).unwrap_err();
        assert!(matches!(refused.reason, ReadError::TooLarge { bytes: 5, max: 4 }), "{refused}");
    }
}
