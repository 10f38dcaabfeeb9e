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
use crate::catalog::{self, Model};
use crate::{Error, Request, host};
use serde::de::DeserializeOwned;

/// Begins a request to a model; [`Request`]'s methods go on, and `complete` sends it.
pub fn ask(model: &str) -> Request {
    Request::new(model)
}

/// Sends a request, which may be the client's own, and waits for the whole reply.
///
/// # Errors
/// `Denied` without a grant, `Limit` when nothing more may be spent, `Options` when there is no such
/// model or it takes no such request (see [`unserved`]), else `Upstream`.
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

/// Whether a model failed because the gateway serves none of that name out of which `what` comes
/// (`text`, `embeddings`). Then this is an `Options` that names some that it serves, first those whose
/// ids `rank` gives 2, then those with 1, and no others: for [`Decision::refuse_options`](crate::Decision::refuse_options),
/// where an option names the model.
pub fn unserved(model: &str, what: &str, error: &Error, rank: fn(&str) -> u8) -> Option<Error> {
    let Error::Options(reason) = error else { return None };
    let makes = |it: &Model| it.outputs.iter().any(|output| output == what);
    // It lists models for text only.
    let listed = catalog::models();
    let served = || listed.iter().filter(|it| makes(it));
    let is_ready = |it: &Model| served().next().is_none() || served().any(|own| own.id == it.id);
    let mut told = match catalog::model(model).filter(makes) {
        Some(known) if is_ready(&known) => return None,
        // Its provider has no key, say.
        Some(_) => reason.clone(),
        None => format!("`{model}` is not served here for {what}."),
    };
    told.push_str(" Name ");
    let ranked = |wanted: u8| served().filter(move |it| rank(&it.id) == wanted);
    for it in ranked(2).chain(ranked(1)).take(NAMES_MAX) {
        told.push_str(&format!("`{}` or ", it.id));
    }
    let list = if what == "embeddings" { "embeddings/models" } else { "models" };
    told.push_str(&format!(
        "another of GET /api/v1/{list}, in the request or in the operator's options"
    ));
    Some(Error::Options(told))
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

/// More names than these help nobody.
const NAMES_MAX: usize = 5;
