//! What can be set, with defaults that suit documentation.

/// How documents are read, cut and indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Larger documents are refused. An HTML tree takes a multiple of its source in memory.
    pub document_bytes_max: u64,
    /// A passage is cut at the last border before this many characters.
    pub passage_chars: usize,
    /// Where a paragraph is cut, whole sentences of at most this many characters stand in both
    /// passages. At most a quarter of a passage is used.
    pub overlap_chars: usize,
    /// What an add holds in memory before it writes; the engine needs at least 15 MB.
    pub writer_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            document_bytes_max: 16 << 20,
            passage_chars: 1000,
            overlap_chars: 150,
            writer_bytes: 50_000_000,
        }
    }
}
