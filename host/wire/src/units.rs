//! What an upstream counts beside tokens, for the calls that are paid by the piece.

/// Counts by the piece; what does not apply is none or zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Units {
    /// Characters that were spoken.
    pub characters: u64,
    /// Length of the sound that was heard, in milliseconds; none where nobody said.
    pub sound_ms: Option<u64>,
    /// Pictures that were made.
    pub images: u64,
    /// Of the tokens read: those of pictures.
    pub image_prompt: u64,
    /// Units of a ranking, as Cohere counts them; none where nobody said.
    pub search_units: Option<u64>,
}
