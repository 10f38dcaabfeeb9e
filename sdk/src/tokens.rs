//! The host's tokenizers.

pub use crate::bindings::base::patchbay::plugin::tokens::Counted;
use crate::host;

/// How many tokens a model makes of a text.
pub fn count(model: &str, text: &str) -> Counted {
    host::tokens::count(model, text)
}
