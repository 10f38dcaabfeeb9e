//! `generationConfig` in both directions: sampling, thinking, the form of the text.

use serde_json::Value;

use crate::dialect::{ReasoningStyle, Target};
use crate::error::{ReadError, WriteError};
use crate::json::Json;
use crate::request::{Effort, Other, Reasoning, Request, ResponseFormat, Sampling};

use super::fields::{Fields, shorten, under};
use super::shape::Draft;
use super::tools::rest_of;
use super::{NAME, schema, service};

/// Reads `generationConfig` into the request and returns the fields that are not canonical.
pub(super) fn read(body: &Fields<'_>, request: &mut Request) -> Result<Draft, ReadError> {
    let mut rest = Draft::default();
    let Some(config) = body.object("generationConfig")? else { return Ok(rest) };
    for (key, raw) in config.others(&CANONICAL) {
        rest.put(key, &raw);
    }
    let here = |error| under(error, "generationConfig");
    request.sampling = sampling(&config).map_err(here)?;
    request.response_format = response_format(&config).map_err(here)?;
    service::read_config(&config, &mut request.service).map_err(here)?;
    if let Some(thinking) = config.object("thinkingConfig").map_err(here)? {
        let there = |error| here(under(error, "thinkingConfig"));
        request.reasoning = Some(thoughts(&thinking).map_err(there)?);
    }
    Ok(rest)
}

fn sampling(config: &Fields<'_>) -> Result<Sampling, ReadError> {
    // Some clients write whole-number fields as 40.0: `integer` takes both.
    Ok(Sampling {
        max_tokens: config.integer("maxOutputTokens")?,
        temperature: config.number("temperature")?,
        top_p: config.number("topP")?,
        top_k: config.integer("topK")?,
        frequency_penalty: config.number("frequencyPenalty")?,
        presence_penalty: config.number("presencePenalty")?,
        seed: config.integer("seed")?,
        stop: config.texts("stopSequences")?,
        n: config.integer("candidateCount")?,
        logprobs: config.flag("responseLogprobs")?,
        top_logprobs: config.integer("logprobs")?,
        ..Sampling::default()
    })
}

fn response_format(config: &Fields<'_>) -> Result<Option<ResponseFormat>, ReadError> {
    let json_schema = |schema| ResponseFormat::JsonSchema {
        name: "response".to_owned(),
        description: None,
        schema: Some(schema),
        strict: None,
    };
    let mime = config.text("responseMimeType")?;
    let raw = config.raw("responseJsonSchema").or_else(|| config.raw("_responseJsonSchema"));
    Ok(match (mime.as_deref(), raw, config.raw("responseSchema")) {
        (None | Some("application/json"), Some(raw), _) => Some(json_schema(raw.into())),
        (None | Some("application/json"), None, Some(raw)) => {
            let schema: Value = serde_json::from_str(raw.get())
                .map_err(|_| ReadError::new("responseSchema", "a schema", shorten(raw.get())))?;
            Some(json_schema(Json::of(&schema::from_gemini(&schema))))
        }
        (Some("application/json"), None, None) => Some(ResponseFormat::JsonObject),
        (Some("text/plain"), None, None) => Some(ResponseFormat::Text),
        (None, None, None) => None,
        (Some(_), raw, schema) => {
            let mut form = Draft::default();
            form.maybe("responseMimeType", mime.as_ref());
            form.maybe("responseJsonSchema", raw.as_ref());
            form.maybe("responseSchema", schema.as_ref());
            Some(ResponseFormat::Other(Other { dialect: NAME, json: Json::of(&form) }))
        }
    })
}

fn thoughts(thinking: &Fields<'_>) -> Result<Reasoning, ReadError> {
    let mut reasoning = Reasoning {
        exclude: !thinking.flag("includeThoughts")?.unwrap_or(false),
        ..Reasoning::default()
    };
    match thinking.integer::<i64>("thinkingBudget")? {
        None => {}
        Some(0) => reasoning.enabled = Some(false),
        Some(budget) => match u32::try_from(budget) {
            Ok(budget) => reasoning.max_tokens = Some(budget),
            // -1: the model decides.
            Err(_) => reasoning.enabled = Some(true),
        },
    }
    if let Some(level) = thinking.text("thinkingLevel")? {
        let effort = Effort::read(&level.to_ascii_lowercase());
        let expected = "minimal, low, medium or high";
        let effort = effort.ok_or_else(|| ReadError::new("thinkingLevel", expected, level))?;
        reasoning.effort = Some(effort);
    }
    Ok(reasoning)
}

/// Writes `generationConfig`.
pub(super) fn write(
    request: &Request,
    to: &Target<'_>,
    body: &mut Draft,
) -> Result<(), WriteError> {
    let sampling = &request.sampling;
    let mut config = Draft::default();
    config.maybe("maxOutputTokens", sampling.max_tokens.as_ref());
    config.maybe("temperature", sampling.temperature.as_ref());
    config.maybe("topP", sampling.top_p.as_ref());
    config.maybe("topK", sampling.top_k.as_ref());
    config.maybe("frequencyPenalty", sampling.frequency_penalty.as_ref());
    config.maybe("presencePenalty", sampling.presence_penalty.as_ref());
    // Google's seeds have 32 bits.
    config.maybe("seed", sampling.seed.and_then(|seed| i32::try_from(seed).ok()).as_ref());
    if !sampling.stop.is_empty() {
        config.put("stopSequences", &sampling.stop);
    }
    config.maybe("candidateCount", sampling.n.as_ref());
    config.maybe("responseLogprobs", sampling.logprobs.as_ref());
    config.maybe("logprobs", sampling.top_logprobs.filter(|count| *count > 0).as_ref());
    write_format(request, &mut config)?;
    service::write_config(&request.service, &mut config);
    let thinking = thinking(request, to);
    if !thinking.0.is_empty() {
        config.put("thinkingConfig", &thinking);
    }
    for (key, value) in rest_of(request, "generationConfig") {
        config.0.retain(|(known, _)| *known != key);
        config.put(&key, &value);
    }
    if !config.0.is_empty() {
        body.put("generationConfig", &config);
    }
    Ok(())
}

fn write_format(request: &Request, config: &mut Draft) -> Result<(), WriteError> {
    match &request.response_format {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => config.put("responseMimeType", &"application/json"),
        Some(ResponseFormat::JsonSchema { schema, .. }) => {
            config.put("responseMimeType", &"application/json");
            let Some(schema) = schema else { return Ok(()) };
            match schema.read::<Value>().ok().as_ref().and_then(schema::to_gemini) {
                Some(schema) => config.put("responseSchema", &schema),
                None => config.put("responseJsonSchema", schema),
            }
        }
        Some(ResponseFormat::Other(other)) if other.dialect == NAME => {
            if let Ok(form) = Fields::parse(other.json.as_str()) {
                form.each().for_each(|(key, raw)| config.put(key, &raw));
            }
        }
        Some(ResponseFormat::Other(other)) => {
            let what = format!("the response format {}", shorten(other.json.as_str()));
            return Err(WriteError { dialect: NAME, what });
        }
    }
    Ok(())
}

/// `thinkingConfig`. A budget counts against `maxOutputTokens` at Google too, so that a share of
/// it is what an effort means.
fn thinking(request: &Request, to: &Target<'_>) -> Draft {
    let mut draft = Draft::default();
    let Some(reasoning) = &request.reasoning else { return draft };
    let is_off = reasoning.enabled == Some(false) || reasoning.effort == Some(Effort::None);
    match to.reasoning {
        ReasoningStyle::None => return draft,
        ReasoningStyle::Budget if is_off => {
            draft.put("thinkingBudget", &0);
            return draft;
        }
        ReasoningStyle::Budget => {
            let limit = request.sampling.max_tokens.or(to.max_output_tokens);
            let asked = reasoning.max_tokens.map(i64::from);
            let share = || Some(share_of(i64::from(limit?), reasoning.effort?));
            draft.put("thinkingBudget", &asked.or_else(share).unwrap_or(DYNAMIC));
        }
        // Gemini 3 can't be told not to think; the least is what comes closest.
        ReasoningStyle::Effort | ReasoningStyle::Adaptive if is_off => {
            draft.put("thinkingLevel", &level_of(to.nearest_effort(Effort::Minimal)));
            return draft;
        }
        ReasoningStyle::Effort | ReasoningStyle::Adaptive => {
            // Google refuses a level and a budget together.
            match (reasoning.effort, reasoning.max_tokens) {
                (Some(effort), _) => {
                    draft.put("thinkingLevel", &level_of(to.nearest_effort(effort)));
                }
                (None, Some(budget)) => draft.put("thinkingBudget", &budget),
                (None, None) => {}
            }
        }
    }
    draft.put("includeThoughts", &!reasoning.exclude);
    draft
}

fn share_of(limit: i64, effort: Effort) -> i64 {
    let percent = match effort {
        Effort::None => 0,
        Effort::Minimal => 10,
        Effort::Low => 20,
        Effort::Medium => 50,
        Effort::High => 80,
        Effort::Xhigh | Effort::Max => 95,
    };
    limit.saturating_mul(percent).div_euclid(100).clamp(BUDGET_MIN, BUDGET_MAX)
}

fn level_of(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::Xhigh | Effort::Max => "high",
    }
}

/// The model decides how much it thinks.
const DYNAMIC: i64 = -1;

/// Less is refused by some models (Flash-Lite takes 512 at least) or of no use.
const BUDGET_MIN: i64 = 1024;

/// The most that every Gemini 2.5 takes (Flash: 24,576; Pro: 32,768).
const BUDGET_MAX: i64 = 24_576;

const CANONICAL: [&str; 18] = [
    "maxOutputTokens",
    "temperature",
    "topP",
    "topK",
    "frequencyPenalty",
    "presencePenalty",
    "seed",
    "stopSequences",
    "candidateCount",
    "responseLogprobs",
    "logprobs",
    "responseMimeType",
    "responseJsonSchema",
    "_responseJsonSchema",
    "responseSchema",
    "thinkingConfig",
    "responseModalities",
    "imageConfig",
];
