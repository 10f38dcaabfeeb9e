//! What things cost: counts x price -> cost. Rates are whole pico-dollars, sums are exact, and
//! [`round`] is the only rounding in the product. It does not know who pays.

use std::fmt;

use crate::decimal::{self, DecimalError};
use crate::money::Money;

/// An endpoint's rates, each in pico-dollars (10⁻¹² USD) per token or per unit; `second` per
/// millisecond, which is how time is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Price {
    prompt: u64,
    completion: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
    audio_prompt: u64,
    image_prompt: u64,
    audio_completion: u64,
    image_completion: u64,
    internal_reasoning: u64,
    request: u64,
    web_search: u64,
    character: u64,
    second: u64,
    image: u64,
    search_unit: u64,
}

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Tokens read.
    Prompt,
    /// Tokens written.
    Completion,
    /// Tokens read from the prompt cache.
    CacheRead,
    /// Tokens written to the prompt cache (five minutes, or the provider's usual time).
    CacheWrite,
    /// Tokens written to the prompt cache for an hour.
    CacheWrite1h,
    /// Tokens of sound read.
    AudioPrompt,
    /// Tokens of pictures read.
    ImagePrompt,
    /// Tokens of sound written.
    AudioCompletion,
    /// Tokens of pictures written.
    ImageCompletion,
    /// Tokens thought.
    InternalReasoning,
    /// Each request.
    Request,
    /// Each web search that the provider makes.
    WebSearch,
    /// Each character that is spoken.
    Character,
    /// Each second of sound that is heard; parts of one by the millisecond.
    Second,
    /// Each picture that is made.
    Image,
    /// Each search unit of a ranking (Cohere's word: a query with up to 100 documents).
    SearchUnit,
}

/// What one generation used. Missing reports count as zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens read, cached and written ones included.
    pub prompt: u64,
    /// Tokens written, thought ones included.
    pub completion: u64,
    /// Of `prompt`: read from the prompt cache.
    pub cached: u64,
    /// Of `prompt`: written to the prompt cache, other than for an hour.
    pub cache_write: u64,
    /// Of `prompt`: written to the prompt cache for an hour.
    pub cache_write_1h: u64,
    /// Of `prompt`: sound.
    pub audio_prompt: u64,
    /// Of `prompt`: pictures.
    pub image_prompt: u64,
    /// Of `completion`: thought.
    pub reasoning: u64,
    /// Of `completion`: sound.
    pub audio_completion: u64,
    /// Of `completion`: pictures.
    pub image_completion: u64,
    /// Searches the provider made.
    pub web_searches: u64,
    /// Requests sent to the provider and answered; each costs the fee per request.
    pub requests: u64,
    /// Characters spoken.
    pub characters: u64,
    /// Sound heard, in milliseconds.
    pub sound_ms: u64,
    /// Pictures made.
    pub images: u64,
    /// Units of ranking.
    pub search_units: u64,
}

/// What one generation costs. `prompt + completion + fees == total`, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// All kinds of tokens read.
    pub prompt: Money,
    /// All kinds of tokens written.
    pub completion: Money,
    /// The request itself, its searches, and what is paid by the piece.
    pub fees: Money,
    /// Everything.
    pub total: Money,
}

/// Why a price can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// There is no such kind.
    #[error("there is no price kind `{kind}`; valid are {}", Kind::names())]
    UnknownKind {
        /// What was written.
        kind: String,
    },
    /// The same kind twice.
    #[error("the price of `{kind}` is given twice")]
    Repeated {
        /// Which.
        kind: Kind,
    },
    /// Every price needs this kind.
    #[error("the price of `{kind}` is missing; write \"0\" if it is free")]
    Missing {
        /// Which.
        kind: Kind,
    },
    /// The text is no price.
    #[error("the price of `{kind}` is `{text}`: {source}")]
    Malformed {
        /// Which.
        kind: Kind,
        /// What was written.
        text: String,
        /// What is wrong with it.
        source: DecimalError,
    },
    /// Less than nothing, or more than anybody asks.
    #[error("the price of `{kind}` is `{text}`; it must be from 0 to {}", kind.text_max())]
    OutOfRange {
        /// Which.
        kind: Kind,
        /// What was written.
        text: String,
    },
}

impl Price {
    /// Reads `(kind, decimal text)` pairs: USD per million tokens, USD each for `request`,
    /// `web_search`, `character`, `second`, `image` and `search_unit`. `prompt` and `completion`
    /// are required. What is not given falls back: `cache_read`, `cache_write`, `audio_prompt` and
    /// `image_prompt` to `prompt`, `cache_write_1h` to `cache_write`, `audio_completion`,
    /// `image_completion` and `internal_reasoning` to `completion`, what is paid each to nothing.
    ///
    /// # Errors
    /// Names the kind and the fix.
    pub fn read<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, PriceError> {
        let mut given: Vec<(Kind, u64)> = Vec::new();
        for (name, text) in pairs {
            let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == name);
            let kind = kind.ok_or_else(|| PriceError::UnknownKind { kind: name.to_owned() })?;
            if given.iter().any(|(other, _)| *other == kind) {
                return Err(PriceError::Repeated { kind });
            }
            given.push((kind, kind.read(text)?));
        }
        let find = |kind| given.iter().find(|(other, _)| *other == kind).map(|(_, rate)| *rate);
        let need = |kind| find(kind).ok_or(PriceError::Missing { kind });
        let (prompt, completion) = (need(Kind::Prompt)?, need(Kind::Completion)?);
        let cache_write = find(Kind::CacheWrite).unwrap_or(prompt);
        Ok(Self {
            prompt,
            completion,
            cache_read: find(Kind::CacheRead).unwrap_or(prompt),
            cache_write,
            cache_write_1h: find(Kind::CacheWrite1h).unwrap_or(cache_write),
            audio_prompt: find(Kind::AudioPrompt).unwrap_or(prompt),
            image_prompt: find(Kind::ImagePrompt).unwrap_or(prompt),
            audio_completion: find(Kind::AudioCompletion).unwrap_or(completion),
            image_completion: find(Kind::ImageCompletion).unwrap_or(completion),
            internal_reasoning: find(Kind::InternalReasoning).unwrap_or(completion),
            request: find(Kind::Request).unwrap_or(0),
            web_search: find(Kind::WebSearch).unwrap_or(0),
            character: find(Kind::Character).unwrap_or(0),
            second: find(Kind::Second).unwrap_or(0),
            image: find(Kind::Image).unwrap_or(0),
            search_unit: find(Kind::SearchUnit).unwrap_or(0),
        })
    }

    /// The exact price of these counts, rounded once. Parts of `prompt` and `completion` are each
    /// charged at their own rate, the rest at the plain one; parts that claim more than the whole
    /// are charged as claimed. An amount past [`Money::MAX`] becomes that.
    pub fn cost(&self, counts: &Counts) -> Cost {
        let prompt_parts = [
            (counts.cached, self.cache_read),
            (counts.cache_write, self.cache_write),
            (counts.cache_write_1h, self.cache_write_1h),
            (counts.audio_prompt, self.audio_prompt),
            (counts.image_prompt, self.image_prompt),
        ];
        let completion_parts = [
            (counts.reasoning, self.internal_reasoning),
            (counts.audio_completion, self.audio_completion),
            (counts.image_completion, self.image_completion),
        ];
        let prompt = whole(counts.prompt, self.prompt, &prompt_parts);
        let completion = whole(counts.completion, self.completion, &completion_parts);
        let searches = sum(&[(counts.web_searches, self.web_search)]);
        Cost::of(prompt, completion, searches + self.pieces(counts))
    }

    /// What is paid by the piece and known before.
    fn pieces(&self, counts: &Counts) -> i128 {
        sum(&[
            (counts.requests, self.request),
            (counts.characters, self.character),
            (counts.sound_ms, self.second),
            (counts.images, self.image),
            (counts.search_units, self.search_unit),
        ])
    }

    /// The most that one request with this many tokens can cost, whichever kinds they turn out to
    /// be. Web searches are not in it: their number is the provider's choice, so they are an
    /// overrun where they happen.
    pub fn cost_max(&self, prompt_tokens_max: u64, completion_tokens_max: u64) -> Money {
        self.cost_max_of(&Counts {
            prompt: prompt_tokens_max,
            completion: completion_tokens_max,
            requests: 1,
            ..Counts::default()
        })
    }

    /// The most that these counts can cost: tokens of whichever kinds, and what is paid by the
    /// piece, web searches apart. The parts of `prompt` and `completion` are not looked at.
    pub fn cost_max_of(&self, counts: &Counts) -> Money {
        let prompt = [
            self.prompt,
            self.cache_read,
            self.cache_write,
            self.cache_write_1h,
            self.audio_prompt,
            self.image_prompt,
        ];
        let completion = [
            self.completion,
            self.internal_reasoning,
            self.audio_completion,
            self.image_completion,
        ];
        let dearest = |rates: &[u64]| rates.iter().copied().max().unwrap_or(0);
        let tokens = [(counts.prompt, dearest(&prompt)), (counts.completion, dearest(&completion))];
        round(sum(&tokens) + self.pieces(counts))
    }

    /// USD per token (or per unit) as exact decimal text, as the models API shows it.
    pub fn per_token_usd(&self, kind: Kind) -> String {
        let places = if kind == Kind::Second { NANO_PLACES } else { PICO_PLACES };
        decimal::write(i64::try_from(self.rate(kind)).unwrap_or(i64::MAX), places)
    }

    /// Whether nothing costs anything.
    pub fn is_free(&self) -> bool {
        *self == Self::default()
    }

    fn rate(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Prompt => self.prompt,
            Kind::Completion => self.completion,
            Kind::CacheRead => self.cache_read,
            Kind::CacheWrite => self.cache_write,
            Kind::CacheWrite1h => self.cache_write_1h,
            Kind::AudioPrompt => self.audio_prompt,
            Kind::ImagePrompt => self.image_prompt,
            Kind::AudioCompletion => self.audio_completion,
            Kind::ImageCompletion => self.image_completion,
            Kind::InternalReasoning => self.internal_reasoning,
            Kind::Request => self.request,
            Kind::WebSearch => self.web_search,
            Kind::Character => self.character,
            Kind::Second => self.second,
            Kind::Image => self.image,
            Kind::SearchUnit => self.search_unit,
        }
    }
}

impl Cost {
    /// Rounds running sums, so that the parts add up to the rounded total and each is within one
    /// nano-dollar of its true size.
    fn of(prompt: i128, completion: i128, fees: i128) -> Self {
        let upto_prompt = round(prompt);
        let upto_completion = round(prompt + completion);
        let total = round(prompt + completion + fees);
        Self {
            prompt: upto_prompt,
            completion: upto_completion.less_or_zero(upto_prompt),
            fees: total.less_or_zero(upto_completion),
            total,
        }
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Prompt,
        Self::Completion,
        Self::CacheRead,
        Self::CacheWrite,
        Self::CacheWrite1h,
        Self::AudioPrompt,
        Self::ImagePrompt,
        Self::AudioCompletion,
        Self::ImageCompletion,
        Self::InternalReasoning,
        Self::Request,
        Self::WebSearch,
        Self::Character,
        Self::Second,
        Self::Image,
        Self::SearchUnit,
    ];

    /// The name in price tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Completion => "completion",
            Self::CacheRead => "cache_read",
            Self::CacheWrite => "cache_write",
            Self::CacheWrite1h => "cache_write_1h",
            Self::AudioPrompt => "audio_prompt",
            Self::ImagePrompt => "image_prompt",
            Self::AudioCompletion => "audio_completion",
            Self::ImageCompletion => "image_completion",
            Self::InternalReasoning => "internal_reasoning",
            Self::Request => "request",
            Self::WebSearch => "web_search",
            Self::Character => "character",
            Self::Second => "second",
            Self::Image => "image",
            Self::SearchUnit => "search_unit",
        }
    }

    /// Reads this kind's price text into pico-dollars per token or unit.
    fn read(self, text: &str) -> Result<u64, PriceError> {
        let scaled = decimal::read(text, self.places()).map_err(|source| {
            PriceError::Malformed { kind: self, text: text.to_owned(), source }
        })?;
        u64::try_from(scaled)
            .ok()
            .filter(|rate| *rate <= RATE_MAX)
            .ok_or_else(|| PriceError::OutOfRange { kind: self, text: text.to_owned() })
    }

    /// Decimal places of the text: a millionth of a dollar per million tokens is one pico-dollar
    /// per token, a nano-dollar per second one per millisecond.
    fn places(self) -> u32 {
        match self {
            Self::Second => NANO_PLACES,
            _ if self.is_each() => PICO_PLACES,
            _ => 6,
        }
    }

    fn text_max(self) -> &'static str {
        match self {
            Self::Second => "1000000",
            _ if self.is_each() => "1000",
            _ => "1000000000",
        }
    }

    /// Whether the price is for one thing and not for a million tokens.
    fn is_each(self) -> bool {
        use Kind::{Character, Image, Request, SearchUnit, Second, WebSearch};
        matches!(self, Request | WebSearch | Character | Second | Image | SearchUnit)
    }

    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Pico-dollars of a count of which some parts have rates of their own.
fn whole(count: u64, rate: u64, parts: &[(u64, u64)]) -> i128 {
    let apart = parts.iter().fold(0u64, |apart, (part, _)| apart.saturating_add(*part));
    sum(parts) + sum(&[(count.saturating_sub(apart), rate)])
}

/// Pico-dollars. It can't overflow: a count is below 2⁶⁴, a rate at most 10¹⁵ (below 2⁵⁰), and
/// at most two dozen products are added.
fn sum(lines: &[(u64, u64)]) -> i128 {
    lines.iter().map(|(count, rate)| i128::from(*count) * i128::from(*rate)).sum()
}

/// Pico-dollars to nano-dollars, half up. The one place where money is rounded.
fn round(picos: i128) -> Money {
    let nanos = (picos + PICOS_PER_NANO / 2).div_euclid(PICOS_PER_NANO);
    i64::try_from(nanos).map_or(Money::MAX, Money::from_nanos)
}

const PICO_PLACES: u32 = 12;
const NANO_PLACES: u32 = 9;
const PICOS_PER_NANO: i128 = 1_000;

/// 1000 USD per token or unit: far above any price, far below what would overflow a sum.
const RATE_MAX: u64 = 1_000_000_000_000_000;

#[cfg(test)]
mod tests;
