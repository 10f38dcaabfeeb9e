//! Plain text: as it stands.

use crate::document::Document;
use crate::error::ReadError;
use crate::reader::{Extracted, Reader, decode};

/// Reads text without markup, or with markup that reads well (reStructuredText).
#[derive(Debug)]
pub(super) struct Plain;

impl Reader for Plain {
    fn kinds(&self) -> &[&str] {
        &["txt", "text", "rst", "text/plain", "text/x-rst"]
    }

    fn read(&self, document: &Document) -> Result<Extracted, ReadError> {
        Ok(Extracted { title: None, body: decode(document)?, marks: Vec::new() })
    }
}
