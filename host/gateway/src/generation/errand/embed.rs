//! Texts turned into vectors: a prompt and nothing else to pay.

use ledger::Counts;
use wire::{Content, EmbedInput, EmbedReply, EmbedRequest, MediaKind, Modality, Units, surface};

use super::{Done, Errand, Order, Task, Written};
use crate::config::catalog::Endpoint;
use crate::error::Error;
use crate::generation::meter::Metered;
use crate::routing::{IMAGE_MAX, MARKS_MAX};
use crate::tokens;
use crate::upstream::Upstream;

impl Errand for EmbedRequest {
    type Answer = EmbedReply;

    async fn send(&self, upstream: &Upstream, endpoint: &Endpoint) -> Result<EmbedReply, Error> {
        upstream.embed(endpoint, self).await
    }
}

impl Task for EmbedRequest {
    const API_TYPE: &'static str = "embeddings";
    const MAKES: Modality = Modality::Embeddings;

    fn order(&self) -> Order<'_> {
        Order {
            model: &self.model,
            user: self.user.as_deref(),
            provider: self.provider.as_ref(),
            stream: false,
        }
    }

    fn most(&self, endpoint: &Endpoint) -> Counts {
        // Each input has the context for itself.
        let context = u64::from(endpoint.context_length);
        let of_input = |input: &EmbedInput| tokens_max(input).min(context);
        let prompt = self.inputs.iter().map(of_input).fold(0, u64::saturating_add);
        Counts { prompt, requests: 1, ..Counts::default() }
    }

    async fn meter(&self, answer: &EmbedReply, model: &str) -> Metered {
        let mut usage = answer.usage.clone();
        // Some say zero; a vector is not made of tokens.
        usage.completion = None;
        let is_estimated = usage.prompt.is_none();
        if is_estimated {
            let ids = self.inputs.iter().map(token_ids).sum::<usize>();
            let texts = self.inputs.iter().flat_map(texts).map(str::to_owned).collect();
            let counted = super::count(model, texts).await;
            usage.prompt = Some(counted.saturating_add(tokens::at_most(ids)));
        }
        Metered { usage, units: Units::default(), is_estimated }
    }

    fn write(&self, Done { mut answer, head, billed }: Done<EmbedReply>) -> Written {
        answer.usage = billed.metered.usage;
        Written::Whole(surface::write_embed(&answer, self, &head, &billed.cost))
    }
}

/// The most tokens that an input can make, short of the context.
fn tokens_max(input: &EmbedInput) -> u64 {
    let parts = match input {
        EmbedInput::Text(text) => return tokens::at_most(text.len()).saturating_add(MARKS_MAX),
        EmbedInput::Tokens(ids) => return tokens::at_most(ids.len()).saturating_add(MARKS_MAX),
        EmbedInput::Parts(parts) => parts,
    };
    let of_part = |content: &Content| match content {
        Content::Text(text) => tokens::at_most(text.len()).saturating_add(MARKS_MAX),
        Content::Media(media) if media.kind == MediaKind::Image => IMAGE_MAX,
        _ => u64::MAX,
    };
    parts.iter().map(|part| of_part(&part.content)).fold(0, u64::saturating_add)
}

fn token_ids(input: &EmbedInput) -> usize {
    match input {
        EmbedInput::Tokens(ids) => ids.len(),
        EmbedInput::Text(_) | EmbedInput::Parts(_) => 0,
    }
}

fn texts(input: &EmbedInput) -> Vec<&str> {
    match input {
        EmbedInput::Text(text) => vec![text],
        EmbedInput::Tokens(_) => Vec::new(),
        EmbedInput::Parts(parts) => {
            let texts = parts.iter().filter_map(|part| match &part.content {
                Content::Text(text) => Some(text.as_str()),
                _ => None,
            });
            texts.collect()
        }
    }
}
