//! The most that a plan can cost: what is held before anything is asked. Never less than the bill,
//! since a reply can't be taken back, and no tokenizer is asked, since no count but the provider's
//! own is certain.

use ledger::{Counts, Money};
use wire::{Content, Media, MediaData, MediaKind, Part, Request};

use super::{Plan, Step};
use crate::config::Billing;
use crate::config::catalog::Endpoint;
use crate::tokens;

impl Plan {
    /// The most that any of the endpoints could charge for a call beside text generation. `most`:
    /// the most that it can make of everything there.
    pub(crate) fn errand_cost_max(&self, most: impl Fn(&Endpoint) -> Counts) -> Money {
        let worst = |step: &Step| {
            let price = step.endpoint.price.as_ref();
            price.map_or(Money::ZERO, |price| price.cost_max_of(&most(&step.endpoint)))
        };
        self.steps.iter().map(worst).max().unwrap_or(Money::ZERO)
    }

    /// The most that any of the endpoints could charge for the request. `body_bytes`: its size as
    /// JSON, or at least that of its words.
    pub(crate) fn cost_max(
        &self,
        request: &Request,
        body_bytes: usize,
        billing: &Billing,
    ) -> Money {
        let prompt = prompt_max(request, body_bytes);
        let choices = u64::from(request.sampling.n.unwrap_or(1).max(1));
        let worst = |step: &Step| {
            let assumed = step.endpoint.max_output_tokens.unwrap_or(billing.output_tokens_assumed);
            let asked = request.sampling.max_tokens.unwrap_or(assumed);
            let completion = u64::from(asked).saturating_mul(choices);
            let price = step.endpoint.price.as_ref();
            price.map_or(Money::ZERO, |price| {
                let read = prompt.min(u64::from(step.endpoint.context_length));
                // Asked once for each choice, the provider bills the prompt as often.
                let times = if step.endpoint.provider.makes_choices() { 1 } else { choices };
                price.cost_max(read.saturating_mul(times), completion)
            })
        };
        self.steps.iter().map(worst).max().unwrap_or(Money::ZERO)
    }
}

/// The most tokens of prompt that a request can make, short of the context.
fn prompt_max(request: &Request, body_bytes: usize) -> u64 {
    let messages = request.messages.iter();
    let media = media_of(messages.flat_map(|message| &message.parts));
    let (mut inline, mut most) = (0_usize, 0_u64);
    for media in media {
        if let MediaData::Inline { base64, .. } = &media.data {
            inline = inline.saturating_add(base64.len());
        }
        most = most.saturating_add(match media.kind {
            MediaKind::Image => IMAGE_MAX,
            // Nothing but the context bounds a page or a minute by its bytes.
            MediaKind::Audio | MediaKind::Video | MediaKind::File => u64::MAX,
        });
    }
    // Media are not read as letters. They are taken off the body that they stand in only; one
    // that was written anew may not have them.
    let is_as_sent = request.source.is_some();
    let words = if is_as_sent { body_bytes.saturating_sub(inline) } else { body_bytes };
    let marked = request.messages.len().saturating_add(request.tools.len());
    let marks = tokens::at_most(marked).saturating_mul(MARKS_MAX);
    let tools = if request.tools.is_empty() { 0 } else { TOOLS_MAX };
    [tokens::at_most(words), marks, tools].into_iter().fold(most, u64::saturating_add)
}

/// The media in parts, and in the results of tools among them.
fn media_of<'a>(parts: impl Iterator<Item = &'a Part>) -> impl Iterator<Item = &'a Media> {
    let inner = |part: &'a Part| match &part.content {
        Content::ToolResult { parts, .. } => parts.as_slice(),
        _ => &[],
    };
    parts.flat_map(move |part| std::iter::once(part).chain(inner(part))).filter_map(|part| {
        match &part.content {
            Content::Media(media) => Some(media),
            _ => None,
        }
    })
}

/// More tokens than any provider puts around a message, a tool or a text.
pub(crate) const MARKS_MAX: u64 = 16;

/// More tokens than any provider adds of its own once there are tools (Claude: up to 804).
const TOOLS_MAX: u64 = 1000;

/// More tokens than any model makes of an image, whatever its size in bytes: GPT-4o mini takes
/// 2,833 and 5,667 for each of up to eight tiles.
pub(crate) const IMAGE_MAX: u64 = 50_000;

#[cfg(test)]
mod tests;
