//! Which models a query means. What is asked of data that is not there (a benchmark, popularity in
//! a category, an age without a date) is met by no model.

use ledger::{Counts, Money};
use wire::{Modality, Region};

use super::asked::Asked;
use super::pricing;
use crate::config::catalog::{Endpoint, Served};
use crate::error::Error;

/// What a query asks for.
#[derive(Debug)]
pub(super) struct Filter {
    /// Any of these comes out; empty: whatever.
    outputs: Vec<String>,
    /// All of these go in.
    inputs: Vec<String>,
    /// All of these are taken.
    parameters: Vec<String>,
    /// All of these stand in id, name or description.
    words: Vec<String>,
    /// Beginnings of tokenizers' names.
    families: Vec<String>,
    authors: Vec<String>,
    /// Slugs or display names.
    providers: Vec<String>,
    context_min: u32,
    prompt: Range<Money>,
    completion: Range<Money>,
    age_days: Range<u64>,
    distillable: Option<bool>,
    zdr: bool,
    region: Option<Region>,
    /// It asks for something that nothing is known of here.
    is_beyond_data: bool,
}

/// From and to, both included.
#[derive(Debug)]
struct Range<T> {
    min: Option<T>,
    max: Option<T>,
}

impl Filter {
    /// Reads a query.
    ///
    /// # Errors
    /// 400 that names the parameter and what it may be.
    pub(super) fn read(asked: &Asked) -> Result<Self, Error> {
        let mut outputs = asked.some_of("output_modalities", &OUTPUTS)?;
        if asked.text("output_modalities").is_none() {
            outputs.push("text".to_owned());
        }
        if outputs.iter().any(|one| one == "all") {
            outputs.clear();
        }
        let region = asked.one_of("region", &["eu", "us"])?;
        Ok(Self {
            outputs,
            inputs: asked.some_of("input_modalities", &INPUTS)?,
            parameters: asked.list("supported_parameters"),
            words: asked
                .text("q")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_lowercase)
                .collect(),
            families: asked.list("arch"),
            authors: asked.list("model_authors"),
            providers: asked.list("providers"),
            context_min: asked.number("context", "a number of tokens")?.unwrap_or(0),
            prompt: Range { min: asked.usd("min_price")?, max: asked.usd("max_price")? },
            completion: Range {
                min: asked.usd("min_output_price")?,
                max: asked.usd("max_output_price")?,
            },
            age_days: Range {
                min: asked.number("min_age_days", DAYS)?,
                max: asked.number("max_age_days", DAYS)?,
            },
            distillable: asked.one_of("distillable", &["true", "false"])?.map(|it| it == "true"),
            zdr: asked.one_of("zdr", &["true"])?.is_some(),
            region: region.map(|name| if name == "eu" { Region::Eu } else { Region::Us }),
            is_beyond_data: is_beyond_data(asked)?,
        })
    }

    /// Whether a model is meant.
    pub(super) fn admits(&self, served: &Served, now_s: u64) -> bool {
        let model = &served.model;
        let among = |list: &[Modality], name: &str| list.iter().any(|one| one.as_str() == name);
        let outputs = &model.output_modalities;
        !self.is_beyond_data
            && (self.outputs.is_empty() || self.outputs.iter().any(|name| among(outputs, name)))
            && self.inputs.iter().all(|name| among(&model.input_modalities, name))
            && self.parameters.iter().all(|name| model.supported_parameters.contains(name))
            && model.context_length >= self.context_min
            && self.distillable.is_none_or(|wanted| wanted == (model.distillable == Some(true)))
            && self.is_about(served)
            && self.is_of(served)
            && self.age_days.admits(age_days(model.created, now_s))
            && self.prompt.admits(served.ready().next().and_then(prompt_price))
            && self.completion.admits(served.ready().next().and_then(completion_price))
            && self.is_served_as_asked(served)
    }

    fn is_about(&self, served: &Served) -> bool {
        let model = &served.model;
        let texts = [Some(&model.id), model.name.as_ref(), model.description.as_ref()];
        let texts: Vec<_> = texts.into_iter().flatten().map(|text| text.to_lowercase()).collect();
        self.words.iter().all(|word| texts.iter().any(|text| text.contains(word.as_str())))
    }

    /// By family and maker.
    fn is_of(&self, served: &Served) -> bool {
        let model = &served.model;
        let author = model.id.split('/').next().unwrap_or_default();
        let family = format!("{:?}", model.tokenizer).to_lowercase();
        (self.authors.is_empty() || self.authors.iter().any(|wanted| wanted == author))
            && (self.families.is_empty()
                || self.families.iter().any(|wanted| family.starts_with(wanted.as_str())))
    }

    /// Whether one of its endpoints is as asked in every way.
    fn is_served_as_asked(&self, served: &Served) -> bool {
        let is_wanted = |endpoint: &Endpoint| {
            let provider = &endpoint.provider;
            let is_named =
                |name: &String| *name == provider.slug || *name == provider.name.to_lowercase();
            (self.providers.is_empty() || self.providers.iter().any(is_named))
                && (!self.zdr || provider.policy.is_zdr())
                && self.region.is_none_or(|region| endpoint.offer.region == Some(region))
        };
        served.ready().any(|endpoint| is_wanted(endpoint))
    }
}

impl<T: PartialOrd> Range<T> {
    /// Whether a value lies within; one that is not known lies only within no limits.
    fn admits(&self, value: Option<T>) -> bool {
        let Some(value) = value else { return self.min.is_none() && self.max.is_none() };
        self.min.as_ref().is_none_or(|min| value >= *min)
            && self.max.as_ref().is_none_or(|max| value <= *max)
    }
}

/// Benchmarks, success rates and categories have no data here.
fn is_beyond_data(asked: &Asked) -> Result<bool, Error> {
    let mut is_beyond = asked.one_of("category", &CATEGORIES)?.is_some();
    for name in SCORES {
        for end in ["min", "max"] {
            is_beyond |= asked.number::<f64>(&format!("{end}_{name}"), "a number")?.is_some();
        }
    }
    Ok(is_beyond)
}

fn age_days(created: u64, now_s: u64) -> Option<u64> {
    (created > 0).then(|| now_s.saturating_sub(created) / 86_400)
}

fn prompt_price(endpoint: &std::sync::Arc<Endpoint>) -> Option<Money> {
    let million = Counts { prompt: pricing::MILLION, ..Counts::default() };
    Some(endpoint.price.as_ref()?.cost(&million).total)
}

fn completion_price(endpoint: &std::sync::Arc<Endpoint>) -> Option<Money> {
    let million = Counts { completion: pricing::MILLION, ..Counts::default() };
    Some(endpoint.price.as_ref()?.cost(&million).total)
}

const DAYS: &str = "a number of days";

const OUTPUTS: [&str; 10] = [
    "all",
    "text",
    "image",
    "audio",
    "embeddings",
    "video",
    "rerank",
    "speech",
    "transcription",
    "decisions",
];

const INPUTS: [&str; 5] = ["text", "image", "audio", "file", "video"];

const CATEGORIES: [&str; 12] = [
    "programming",
    "roleplay",
    "marketing",
    "marketing/seo",
    "technology",
    "science",
    "translation",
    "legal",
    "finance",
    "health",
    "trivia",
    "academia",
];

const SCORES: [&str; 4] =
    ["intelligence_index", "coding_index", "agentic_index", "tool_success_rate"];
