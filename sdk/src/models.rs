//! Models, asked through the gateway itself: the same routing, the same bill, within what the
//! operator lets this plugin spend on one generation. No plugin runs on such a call.
//!
//! ```
//! use patchbay_sdk::models;
//! # patchbay_sdk::testing::kit().model("Paris.");
//! let question = models::ask("openai/gpt-4o-mini").system("Be short.").user("France's capital?");
//! let reply = question.complete()?;
//! assert_eq!(reply.text(), "Paris.");
//! # Ok::<(), patchbay_sdk::Error>(())
//! ```
//!
//! Wanted as `models=openai/gpt-4o-mini`, or `models=openai/*`, or `models` for any that the
//! operator grants.

#[cfg(test)]
mod tests;

pub use crate::bindings::base::patchbay::plugin::models::{Choice, Completion, Embeddings};
use crate::{Error, Request, host};
use serde::de::DeserializeOwned;

/// Begins a request to a model; [`Request`]'s methods go on, and `complete` sends it.
pub fn ask(model: &str) -> Request {
    Request::new(model)
}

/// Sends a request, which may be the client's own, and waits for the whole reply.
///
/// # Errors
/// `Denied` without a grant, `Limit` when nothing more may be spent, else `Upstream`.
pub fn complete(request: &Request) -> Result<Completion, Error> {
    host::models::complete(request)
}

/// Embeds texts: one vector per input, in order.
///
/// # Errors
/// As [`complete`].
pub fn embed(
    model: &str,
    inputs: impl IntoIterator<Item = impl Into<String>>,
) -> Result<Embeddings, Error> {
    let inputs: Vec<String> = inputs.into_iter().map(Into::into).collect();
    host::models::embed(model, &inputs)
}

impl Request {
    /// Sends it to its model: [`complete`].
    ///
    /// # Errors
    /// As [`complete`].
    pub fn complete(&self) -> Result<Completion, Error> {
        complete(self)
    }
}

impl Completion {
    /// The text of the first choice; empty when it has none.
    pub fn text(&self) -> String {
        self.choices.first().map(|choice| choice.message.text()).unwrap_or_default()
    }

    /// The first choice's text, read as JSON. A code fence around it is taken off: many models
    /// write one, whatever they were told.
    ///
    /// # Errors
    /// `Error::Upstream` when it does not fit `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let text = self.text();
        serde_json::from_str(without_fence(&text))
            .map_err(|error| Error::Upstream(format!("{} wrote other JSON: {error}", self.model)))
    }
}

fn without_fence(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    // What stands on the fence's line is the language.
    inner.and_then(|inner| inner.split_once('\n')).map_or(text, |(_, inner)| inner)
}
