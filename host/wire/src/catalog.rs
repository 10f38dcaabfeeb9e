//! Models are data: `models/*.toml`, one file per author, embedded. Each lists the endpoints that
//! serve it, with prices, their source and date.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::dialect::ReasoningStyle;
use crate::provider::{ChatTemplate, Quirks, SLUG_RULE, is_slug};
use crate::request::Effort;
use crate::shipped::{DataError, shipped, unknown};

mod details;

pub use details::{DefaultParameters, InstructType, Quantization, Region, Tokenizer};

/// The shipped models, by author.
pub fn models() -> &'static [Model] {
    &shipped().models
}

/// A model as clients name it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// `author/name`.
    pub id: String,
    /// Display name.
    #[serde(default)]
    pub name: Option<String>,
    /// One paragraph for people.
    #[serde(default)]
    pub description: Option<String>,
    /// Release, seconds since 1970.
    #[serde(default)]
    pub created: u64,
    /// Most tokens read and written together.
    pub context_length: u32,
    /// What it reads.
    #[serde(default = "text_only")]
    pub input_modalities: Vec<Modality>,
    /// What it writes.
    #[serde(default = "text_only")]
    pub output_modalities: Vec<Modality>,
    /// OpenRouter's parameter names that it takes.
    #[serde(default)]
    pub supported_parameters: Vec<String>,
    /// How it is told to think.
    #[serde(default)]
    pub reasoning: ReasoningStyle,
    /// The efforts it knows, where they are told to it; empty: all.
    #[serde(default)]
    pub efforts: Vec<Effort>,
    /// Whether it can't be told not to think.
    #[serde(default)]
    pub reasoning_mandatory: bool,
    /// How much it thinks where a request says nothing; `none`: not at all.
    #[serde(default)]
    pub reasoning_default: Option<Effort>,
    /// The day up to which its training data goes, as `YYYY-MM-DD`.
    #[serde(default)]
    pub knowledge_cutoff: Option<String>,
    /// The day from which it may be gone, as `YYYY-MM-DD`.
    #[serde(default)]
    pub expiration_date: Option<String>,
    /// Its name at Hugging Face, where its weights are open.
    #[serde(default)]
    pub hugging_face_id: Option<String>,
    /// Whose tokenizer it has.
    #[serde(default)]
    pub tokenizer: Tokenizer,
    /// The template of its prompts, where it is known.
    #[serde(default)]
    pub instruct_type: Option<InstructType>,
    /// What its maker advises where a request says nothing.
    #[serde(default)]
    pub default_parameters: Option<DefaultParameters>,
    /// Whether its licence lets others train on what it writes; none: unknown, so not.
    #[serde(default)]
    pub distillable: Option<bool>,
    /// Who serves it, in order of preference.
    #[serde(default, rename = "endpoint")]
    pub endpoints: Vec<Endpoint>,
}

impl Model {
    /// Whether this comes out of it.
    pub fn makes(&self, what: Modality) -> bool {
        self.output_modalities.contains(&what)
    }

    /// Whether it can hold a conversation: it does not stand alone for a call of its own.
    pub fn converses(&self) -> bool {
        !self.output_modalities.iter().any(|what| what.stands_alone())
    }

    /// Reads a file of `[[model]]` blocks and checks each.
    ///
    /// # Errors
    /// Names the key, what is wrong with it and the nearest valid one.
    pub fn parse_file(text: &str) -> Result<Vec<Self>, DataError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            model: Vec<Model>,
        }
        let file: File = toml::from_str(text).map_err(|error| DataError::of_toml(text, &error))?;
        let mut seen = BTreeSet::new();
        for model in &file.model {
            model.check()?;
            if !seen.insert(model.id.as_str()) {
                return Err(DataError::new("id", format!("`{}` is there twice", model.id)));
            }
        }
        Ok(file.model)
    }

    /// Checks what the types don't say. Whether the providers exist is for the caller, who knows
    /// them all.
    ///
    /// # Errors
    /// As [`Model::parse_file`].
    pub fn check(&self) -> Result<(), DataError> {
        let id = &self.id;
        if !is_model_id(id) {
            let problem =
                format!("`{id}` is not `author/name` ({SLUG_RULE}, in a name `.`, `_`, `:`)");
            return Err(DataError::new("id", problem));
        }
        let wrong =
            |key: &str, problem: String| Err(DataError::new(format!("{id}: {key}"), problem));
        if let Some((key, problem)) = self.wrong_detail() {
            return wrong(key, problem);
        }
        if self.context_length == 0 {
            return wrong("context_length", "must be above 0".to_owned());
        }
        if self.input_modalities.is_empty() || self.output_modalities.is_empty() {
            return wrong("input_modalities, output_modalities", "must not be empty".to_owned());
        }
        if let Some(what) = self.input_modalities.iter().find(|what| what.stands_alone()) {
            let problem = format!("`{}` only comes out of a model", what.as_str());
            return wrong("input_modalities", problem);
        }
        let alone = self.output_modalities.iter().find(|what| what.stands_alone());
        if let Some(what) = alone.filter(|_| self.output_modalities.len() > 1) {
            return wrong("output_modalities", format!("`{}` stands alone", what.as_str()));
        }
        for name in &self.supported_parameters {
            if !PARAMETERS.contains(&name.as_str()) {
                let problem = unknown("parameter", name, PARAMETERS.iter().copied());
                return wrong("supported_parameters", problem);
            }
        }
        if self.endpoints.is_empty() {
            return wrong("endpoint", "nobody serves it; add [[model.endpoint]]".to_owned());
        }
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            if let Err((key, problem)) = endpoint.check(self.context_length) {
                return wrong(&format!("endpoint[{index}].{key}"), problem);
            }
            let same = |other: &&Endpoint| {
                other.provider == endpoint.provider
                    && other.model == endpoint.model
                    && other.variant == endpoint.variant
            };
            if self.endpoints.iter().filter(same).count() > 1 {
                return wrong(&format!("endpoint[{index}]"), "is there twice".to_owned());
            }
        }
        Ok(())
    }

    /// What is wrong with what is only told of it: key and problem.
    fn wrong_detail(&self) -> Option<(&'static str, String)> {
        let dates = [
            ("knowledge_cutoff", &self.knowledge_cutoff),
            ("expiration_date", &self.expiration_date),
        ];
        let is_wrong = |date: &Option<String>| date.as_ref().is_some_and(|date| !is_date(date));
        if let Some((key, _)) = dates.into_iter().find(|(_, date)| is_wrong(date)) {
            return Some((key, "must be a date like 2026-11-05".to_owned()));
        }
        let thinks = self.reasoning_default.is_some_and(|effort| effort != Effort::None);
        if (thinks || self.reasoning_mandatory) && self.reasoning == ReasoningStyle::None {
            return Some(("reasoning", "missing: it thinks, so say how it is told to".to_owned()));
        }
        if self.reasoning_mandatory && self.reasoning_default == Some(Effort::None) {
            return Some(("reasoning_default", "`none`, but it always thinks".to_owned()));
        }
        None
    }
}

/// A provider's offer of a model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// A provider's slug.
    pub provider: String,
    /// The upstream's own name of the model.
    pub model: String,
    /// Most tokens read and written together, where it differs from the model's.
    #[serde(default)]
    pub context_length: Option<u32>,
    /// Most tokens written.
    #[serde(default)]
    pub max_output_tokens: Option<u32>,
    /// Most tokens read, where that is less than the context.
    #[serde(default)]
    pub max_prompt_tokens: Option<u32>,
    /// What tells it from the provider's other offers, after the slug in its tag (`turbo` in
    /// `deepinfra/turbo`; a region; `flex`, `priority`, `ultrafast` are tiers of service).
    #[serde(default)]
    pub variant: Option<String>,
    /// How its weights are kept.
    #[serde(default)]
    pub quantization: Quantization,
    /// Where it promises to keep what it is sent.
    #[serde(default)]
    pub region: Option<Region>,
    /// Whether it caches prompts without being asked to.
    #[serde(default)]
    pub supports_implicit_caching: bool,
    /// How a conversation is written for it, where it only completes text and differs from its
    /// provider.
    #[serde(default)]
    pub chat_template: Option<ChatTemplate>,
    /// USD per million tokens as decimal text, by kind: `prompt`, `completion`, `cache_read`,
    /// `cache_write`, `cache_write_1h`, `audio_prompt`, `image_prompt`, `audio_completion`,
    /// `image_completion`, `internal_reasoning`; USD each: `request`, `web_search`, `character`
    /// (spoken), `second` (heard), `image` (made), `search_unit` (of a ranking). Empty: no price,
    /// so it is refused unless the operator says otherwise.
    #[serde(default)]
    pub price: BTreeMap<String, String>,
    /// Where the price was read.
    #[serde(default)]
    pub price_source: Option<String>,
    /// When, as `YYYY-MM-DD`.
    #[serde(default)]
    pub price_date: Option<String>,
}

impl Endpoint {
    /// Its provider's quirks with what is its own.
    pub fn quirks(&self, provider: &Quirks) -> Quirks {
        let chat_template = self.chat_template.or(provider.chat_template);
        Quirks { chat_template, ..provider.clone() }
    }

    /// Checks what the types don't say; an error is key and problem.
    fn check(&self, context_length: u32) -> Result<(), (String, String)> {
        let wrong = |key: &str, problem: &str| Err((key.to_owned(), problem.to_owned()));
        if !is_slug(&self.provider) {
            return wrong("provider", &format!("`{}`: {SLUG_RULE}", self.provider));
        }
        if self.model.trim().is_empty() {
            return wrong("model", "must be the upstream's name of the model");
        }
        let context = self.context_length.unwrap_or(context_length);
        if context == 0 || context > context_length {
            return wrong("context_length", "must be above 0 and at most the model's");
        }
        if self.max_output_tokens.is_some_and(|most| most == 0 || most > context) {
            return wrong("max_output_tokens", "must be above 0 and at most the context length");
        }
        if self.max_prompt_tokens.is_some_and(|most| most == 0 || most > context) {
            return wrong("max_prompt_tokens", "must be above 0 and at most the context length");
        }
        if self.variant.as_ref().is_some_and(|variant| !is_slug(variant)) {
            return wrong("variant", SLUG_RULE);
        }
        for (kind, usd) in &self.price {
            if !PRICES.contains(&kind.as_str()) {
                return wrong("price", &unknown("price", kind, PRICES.iter().copied()));
            }
            let places = match kind.as_str() {
                "second" => 9,
                kind if EACH.contains(&kind) => 12,
                _ => 6,
            };
            if !is_decimal(usd, places) {
                let problem = format!(
                    "`{usd}` is not decimal text like \"0.125\" with at most {places} places"
                );
                return wrong(&format!("price.{kind}"), &problem);
            }
        }
        let lacks = |kind: &&&str| !self.price.contains_key(**kind);
        if let Some(kind) = ["prompt", "completion"].iter().find(lacks)
            && !self.price.is_empty()
        {
            return wrong(
                &format!("price.{kind}"),
                "missing: a price has both prompt and completion",
            );
        }
        if self.price_date.as_ref().is_some_and(|date| !is_date(date)) {
            return wrong("price_date", "must be a date like 2026-11-05");
        }
        Ok(())
    }
}

/// What goes in or comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Modality {
    Text,
    Image,
    Audio,
    Video,
    File,
    Embeddings,
    Rerank,
    Speech,
    Transcription,
}

impl Modality {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::File => "file",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
            Self::Speech => "speech",
            Self::Transcription => "transcription",
        }
    }

    /// Whether a model that puts this out does nothing else, by a call of its own.
    pub fn stands_alone(self) -> bool {
        matches!(self, Self::Embeddings | Self::Rerank | Self::Speech | Self::Transcription)
    }
}

fn text_only() -> Vec<Modality> {
    vec![Modality::Text]
}

fn is_model_id(id: &str) -> bool {
    let Some((author, name)) = id.split_once('/') else { return false };
    let inner = |byte: u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'-' | b'.' | b'_' | b':')
    };
    is_slug(author) && !name.is_empty() && name.bytes().all(inner)
}

/// Plain digits with at most one point: no sign, no exponent, no finer than a pico-dollar per
/// token or unit, which is what the ledger keeps.
fn is_decimal(text: &str, places: usize) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    digits(whole, WHOLE_DIGITS_MAX) && digits(fraction, places)
}

fn is_date(text: &str) -> bool {
    let fits = |part: Option<&str>, length: usize, values: RangeInclusive<u16>| {
        part.is_some_and(|part| {
            part.len() == length && part.parse().is_ok_and(|value| values.contains(&value))
        })
    };
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    fits(year, 4, 2000..=9999)
        && fits(month, 2, 1..=12)
        && fits(day, 2, 1..=31)
        && parts.next().is_none()
}

/// Digits before a price's point.
const WHOLE_DIGITS_MAX: usize = 9;

/// The kinds of price that are for one thing, not for a million tokens.
const EACH: [&str; 6] = ["request", "web_search", "character", "second", "image", "search_unit"];

/// The kinds of price.
const PRICES: [&str; 16] = [
    "prompt",
    "completion",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "audio_prompt",
    "image_prompt",
    "audio_completion",
    "image_completion",
    "internal_reasoning",
    "request",
    "web_search",
    "character",
    "second",
    "image",
    "search_unit",
];

/// OpenRouter's names of parameters.
const PARAMETERS: [&str; 26] = [
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "top_a",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "max_tokens",
    "max_completion_tokens",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "prediction",
    "seed",
    "response_format",
    "structured_outputs",
    "stop",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "include_reasoning",
    "reasoning",
    "reasoning_effort",
    "web_search_options",
    "verbosity",
];

#[cfg(test)]
mod tests;
