//! Prompts that are too long for a model: leaves out what stands in their middle until they fit,
//! for models read the beginning and the end of a prompt best.
//!
//! What goes first are whole messages from the middle of the conversation, a tool call together
//! with its results; the last message at either end is cut where it does not fit whole. System
//! messages stay as they are, the last user message and what follows last stay but may be cut. A
//! text is cut in its middle, and says so.
//!
//! When what must stay is too much, the request goes on as it came: the model's own error says
//! best what it can take, since all counts here are estimates.

mod choose;
mod compress;
mod cut;
mod fit;
mod groups;
mod measure;

use compress::{Compressed, Limits, Weighed, compress};
use patchbay_sdk::catalog::{self, Model};
use patchbay_sdk::report;
use patchbay_sdk::{Decision, Description, Error, Generation, Kind, Plugin, Request};
use serde::Deserialize;
use std::time::Duration;

/// The plugin, for one generation.
pub struct ContextCompression {
    options: Options,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
struct Options {
    threshold: f64,
    reserve: u64,
    keep_last: usize,
    max_messages: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { threshold: 0.95, reserve: 4096, keep_last: 2, max_messages: None }
    }
}

impl Plugin for ContextCompression {
    fn describe() -> Description {
        Description::new("context-compression", env!("CARGO_PKG_VERSION"), Kind::Transform)
            .summary("Makes long prompts fit the model by leaving out what stands in the middle.")
            .options(OPTIONS)
            .trigger("context=8192")
            .trigger("field=transforms")
            // The first count after a start loads the host's vocabulary, on this plugin's time.
            .limit("cpu-ms", 500)
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()? })
    }

    fn on_request(&mut self, _: &Generation, mut request: Request) -> Result<Decision, Error> {
        if is_off(&request) {
            return Ok(Decision::Pass);
        }
        let Some(mut model) = catalog::model(&request.model) else { return Ok(Decision::Pass) };
        if !model.outputs.iter().any(|output| output == "text") {
            return Ok(Decision::Pass);
        }
        let mut limits = self.options.limits(&model, request.sampling.max_tokens);
        let Some(weighed) = Weighed::of(&request, &limits) else { return Ok(Decision::Pass) };
        let tokens = weighed.tokens();
        let is_long = limits.tokens.is_some_and(|most| tokens > most);
        let other = if is_long { choose::choose(&mut request, &model, tokens) } else { None };
        let was_moved = other.is_some();
        if let Some(other) = other {
            limits = self.options.limits(&other, request.sampling.max_tokens);
            model = other;
        }
        let (request, done) = compress(request, weighed, &limits, self.options.keep_last);
        if let Some(done) = &done {
            tell(&model, done);
        }
        let is_changed = done.is_some() || was_moved;
        Ok(if is_changed { Decision::Replace(request) } else { Decision::Pass })
    }
}

impl Options {
    fn limits(&self, model: &Model, max_tokens: Option<u32>) -> Limits {
        let tokens = model.context_length.map(|context| {
            let bound = model.completion_max.unwrap_or(u64::MAX).min(context / 4);
            let reply = max_tokens.map_or(self.reserve.min(bound), u64::from);
            fraction(context.saturating_sub(reply), self.threshold)
        });
        let is_anthropic = model.id.starts_with("anthropic/");
        let messages = self.max_messages.or(is_anthropic.then_some(ANTHROPIC_MESSAGES_MAX));
        Limits { tokens, messages }
    }
}

/// Whether the client wants its prompt as it is: an empty list of transforms, in OpenRouter's older
/// notation.
fn is_off(request: &Request) -> bool {
    let is_empty = |json: &str| json.chars().filter(|it| !it.is_whitespace()).eq("[]".chars());
    request.extra.iter().any(|field| field.name == "transforms" && is_empty(&field.value))
}

/// The entry of the client's pipeline.
fn tell(model: &Model, done: &Compressed) {
    let Compressed { before, after, messages_removed, texts_cut, .. } = done;
    let summary = format!(
        "about {before} tokens made {after}: {messages_removed} messages removed, \
         {texts_cut} texts cut"
    );
    report::stage("context_compression", "middle-out")
        .summary(&summary)
        .data("engine", "middle-out")
        .data("model", &model.id)
        .data("tokens_before", before)
        .data("tokens_after", after)
        .data("messages_removed", messages_removed)
        .data("texts_cut", texts_cut)
        .data("context_length", model.context_length)
        .send();
}

/// A part of a number of tokens, rounded. (A span of time can be multiplied by a fraction without a
/// cast that loses something.)
fn fraction(tokens: u64, part: f64) -> u64 {
    let product = Duration::from_nanos(tokens).mul_f64(part.clamp(0.0, 1.0));
    u64::try_from(product.as_nanos()).unwrap_or(u64::MAX)
}

patchbay_sdk::export!(ContextCompression: request);

/// What Anthropic takes in one request. (OpenRouter's documentation on message transforms.)
const ANTHROPIC_MESSAGES_MAX: u64 = 1000;

const OPTIONS: &str = include_str!("options.json");

patchbay_sdk::cases![
    "cases/anthropic.json",
    "cases/fallback.json",
    "cases/fallback_fits.json",
    "cases/fallback_longest.json",
    "cases/fallback_smaller.json",
    "cases/fits.json",
    "cases/giant_first.json",
    "cases/hopeless.json",
    "cases/images.json",
    "cases/last_user.json",
    "cases/max_tokens.json",
    "cases/media.json",
    "cases/middle.json",
    "cases/no_user_first.json",
    "cases/system.json",
    "cases/threshold.json",
    "cases/tools_kept.json",
    "cases/tools_together.json",
    "cases/transforms_off.json",
    "cases/unknown.json",
];

#[cfg(test)]
mod tests;
