//! `provider.max_price`: the most that an endpoint may ask. USD per million tokens for `prompt` and
//! `completion`, USD per unit for `request`, `image` and `audio`.

use ledger::{Counts, Price};
use serde_json::{Map, Value};

use super::invalid;
use crate::config::catalog::Endpoint;
use crate::error::Error;

/// A limit for each kind that has one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct PriceLimit {
    limits: Vec<(Limited, Price)>,
}

/// What may be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limited {
    Prompt,
    Completion,
    Request,
    /// No endpoint here has a price for pictures read: they are tokens of the prompt. So none asks
    /// more than any limit.
    Image,
    /// A token of sound read, where an endpoint has a price of its own for it.
    Audio,
}

const KINDS: [(&str, Limited); 5] = [
    ("prompt", Limited::Prompt),
    ("completion", Limited::Completion),
    ("request", Limited::Request),
    ("image", Limited::Image),
    ("audio", Limited::Audio),
];

impl PriceLimit {
    /// Reads the object; amounts are text or numbers.
    ///
    /// # Errors
    /// An unknown kind, or an amount that is none (400).
    pub(super) fn read(object: &Map<String, Value>) -> Result<Self, Error> {
        let limits = object.iter().filter(|(_, value)| !value.is_null()).map(|(kind, value)| {
            let wrong = |problem: &str| invalid(&format!("provider.max_price.{kind}: {problem}"));
            let known = KINDS.iter().find(|(name, _)| name == kind);
            let limited = known.map(|(_, limited)| *limited).ok_or_else(|| {
                let names = KINDS.map(|(name, _)| name).join(", ");
                wrong(&format!("expected one of {names}"))
            })?;
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return Err(wrong("expected a number")),
            };
            let price = limited.price(&text).map_err(|error| wrong(&error.to_string()))?;
            Ok((limited, price))
        });
        Ok(Self { limits: limits.collect::<Result<_, Error>>()? })
    }

    /// Whether an endpoint asks no more than any limit. Nothing is held against one without a price.
    pub(super) fn admits(&self, endpoint: &Endpoint) -> bool {
        let Some(price) = &endpoint.price else { return true };
        let has_audio = endpoint.offer.price.contains_key("audio_prompt");
        self.limits.iter().all(|(limited, most)| {
            let (asked, allowed) = limited.counts();
            let is_priced = *limited != Limited::Audio || has_audio;
            !is_priced || price.cost(&asked).total <= most.cost(&allowed).total
        })
    }
}

impl Limited {
    /// A price whose only rate is the limit: per token, or per unit as the price of a request.
    fn price(self, text: &str) -> Result<Price, ledger::PriceError> {
        let kind = match self {
            Self::Prompt => return Price::read([("prompt", text), ("completion", "0")]),
            Self::Completion => return Price::read([("prompt", "0"), ("completion", text)]),
            Self::Request | Self::Image | Self::Audio => "request",
        };
        Price::read([("prompt", "0"), ("completion", "0"), (kind, text)])
    }

    /// A million of what an endpoint asks for, and of what the limit is for: alike, so that prices
    /// compare as their costs do.
    fn counts(self) -> (Counts, Counts) {
        let units = Counts { requests: MILLION, ..Counts::default() };
        let prompt = Counts { prompt: MILLION, ..Counts::default() };
        let completion = Counts { completion: MILLION, ..Counts::default() };
        match self {
            Self::Prompt => (prompt, prompt),
            Self::Completion => (completion, completion),
            Self::Request => (units, units),
            Self::Image => (Counts::default(), units),
            Self::Audio => (Counts { audio_prompt: MILLION, ..prompt }, units),
        }
    }
}

const MILLION: u64 = 1_000_000;
