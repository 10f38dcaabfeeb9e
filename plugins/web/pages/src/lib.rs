//! What the plugins that bring pages into a prompt share: pages are fetched ([`fetch`]), read
//! ([`html`]), cut to what fits a question ([`Question`]), put into the prompt as data that is no
//! instruction, and cited in the reply ([`Given`]). A tool of the request ([`ServerTool`]) has the
//! model call for them ([`Callable`]). Pages are written by strangers: all of it takes time in
//! proportion to their length, and nothing in it fails on their content.

mod cite;
mod decode;
mod domain;
mod fence;
pub mod fetch;
mod given;
pub mod html;
mod links;
mod passage;
mod source;
pub mod time;
mod tool;
pub mod url;
mod words;

pub use domain::Sites;
pub use fence::{CITE, clean};
pub use given::{Given, say, text_bytes};
pub use passage::Question;
pub use source::{Source, room};
pub use tool::{Callable, ServerTool};

use patchbay_sdk::{Decision, Error, Rejection, Request, warn};

/// What went wrong, for clients and models. What the operator's settings refuse names those settings,
/// and may name what is inside of the network: that goes to the log.
pub fn reason(error: &Error) -> String {
    let told = match error {
        Error::Denied(_) => "this gateway does not allow it",
        Error::Limit(_) => "it is more than this gateway allows for one request",
        _ => return error.reason().to_owned(),
    };
    warn!("{}", error.reason());
    told.to_owned()
}

/// What a plugin decides on a request that it changed or not, or that asks for what can't be had.
pub fn decision(plugin: &str, request: Request, is_changed: Result<bool, String>) -> Decision {
    match is_changed {
        Err(fix) => Decision::Reject(Rejection::new(400, format!("{plugin}: {fix}"))),
        Ok(true) => Decision::Replace(request),
        Ok(false) => Decision::Pass,
    }
}

/// The first `chars_max` characters of a text.
pub fn cut(text: &str, chars_max: usize) -> &str {
    let end = text.char_indices().nth(chars_max).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}
