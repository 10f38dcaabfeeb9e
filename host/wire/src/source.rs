//! The bytes a canonical value was read from. They go through unchanged when client and upstream
//! speak the same dialect and nothing had to change.

use bytes::Bytes;

/// A body or an event as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The dialect it is written in.
    pub dialect: &'static str,
    /// The JSON text.
    pub bytes: Bytes,
}

impl Source {
    /// The bytes, if they are of this dialect.
    pub fn of_dialect(source: &Option<Self>, dialect: &str) -> Option<Bytes> {
        source
            .as_ref()
            .filter(|source| source.dialect == dialect)
            .map(|source| source.bytes.clone())
    }
}
