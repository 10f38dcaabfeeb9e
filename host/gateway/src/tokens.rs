//! How many tokens a text or a request makes, counted here and not by the model: for holds, for
//! replies that were cut off, and for plugins that ask.
//!
//! The vocabularies are part of the program. Each is loaded by the first count that needs it, which
//! takes a tenth of a second and then stays in memory (67 MB for `o200k`, 32 MB for `cl100k`, half
//! of it pages of the program's file): whoever only needs a bound takes [`at_most`]. Counting is
//! work for the processor, 10 to 150 MB of text a second, so large texts and the first one belong
//! on a blocking thread.

mod family;
mod pieces;
mod request;

pub(crate) use request::count_request;

use family::Family;

/// A number of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    /// How many.
    pub(crate) tokens: u64,
    /// Whether this is the nearest tokenizer's count and not the model's own.
    pub(crate) is_estimated: bool,
}

/// How many tokens a model makes of a text. Time grows with the text's length whatever the text
/// is, and memory does not grow with it.
pub(crate) fn count(model: &str, text: &str) -> Count {
    let family = Family::of(model);
    let tokens = family.scale(family.vocabulary.tokens(text));
    Count { tokens: tokens.min(at_most(text.len())), is_estimated: !family.is_exact }
}

/// Loads what counting for a model takes, if that was not done before.
pub(crate) fn load(model: &str) {
    Family::of(model).vocabulary.tokens("");
}

/// The most tokens that so many bytes of text can make: a token is at least one byte. It loads
/// nothing. The bytes of a JSON body bound the text in it, for escapes only lengthen; they do not
/// bound what media cost that stand there by address.
pub(crate) fn at_most(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// About how many tokens so many bytes of text make: four bytes to a token. It loads nothing.
pub(crate) fn about(bytes: usize) -> u64 {
    at_most(bytes.div_ceil(4))
}

#[cfg(test)]
mod tests;
