//! What the plugins that bring pages into a prompt share: pages are fetched ([`fetch`]), read
//! ([`html`]), cut to what fits a question ([`Question`]), put into the prompt as data that is no
//! instruction ([`Fence`]), and cited in the reply ([`Citing`]). Pages are written by strangers:
//! all of it takes time in proportion to their length, and nothing in it fails on their content.

mod cite;
mod decode;
mod domain;
mod fence;
pub mod fetch;
pub mod html;
mod links;
mod passage;
mod source;
pub mod time;
pub mod url;
mod words;

pub use cite::Citing;
pub use domain::Sites;
pub use fence::{CITE, Fence, clean};
pub use passage::Question;
pub use source::{Source, Sources, fit_into, room};

use patchbay_sdk::Error;

/// What an error says, for people and models.
pub fn reason(error: &Error) -> &str {
    match error {
        Error::Options(why)
        | Error::Denied(why)
        | Error::Limit(why)
        | Error::Upstream(why)
        | Error::Internal(why) => why,
    }
}

/// The first `chars_max` characters of a text.
pub fn cut(text: &str, chars_max: usize) -> &str {
    let end = text.char_indices().nth(chars_max).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}
