//! How a reply is made and charged, in both directions: modalities, verbosity, tiers, prompt
//! caches. Few hosts know these fields, and many refuse what they don't know.

use super::emit::Object as Writer;
use super::field::At;
use super::message_write::Rules;
use crate::error::ReadError;
use crate::json::Json;
use crate::request::{Effort, Service};

/// Reads a field; whether it is one of these.
pub(super) fn read(name: &str, at: At<'_, '_>, service: &mut Service) -> Result<bool, ReadError> {
    match name {
        "modalities" => {
            let list = at.list()?.into_iter().enumerate();
            service.modalities =
                list.map(|(number, raw)| at.index(number, raw).text()).collect::<Result<_, _>>()?;
        }
        "image_config" => service.image_config = Some(read_object(at)?),
        "audio" => service.audio = Some(read_object(at)?),
        "verbosity" => service.verbosity = Some(read_verbosity(at)?),
        "service_tier" => {
            let tier = at.text()?;
            service.tier = Some(if tier == "fast" { PRIORITY.to_owned() } else { tier });
        }
        // Anthropic's word for the same thing; the tier wins, wherever it stands.
        "speed" => match at.text()?.as_str() {
            "fast" => {
                service.tier.get_or_insert_with(|| PRIORITY.to_owned());
            }
            "standard" => {}
            _ => return Err(at.error("`fast` or `standard`")),
        },
        "cache_control" => service.cache_control = Some(read_object(at)?),
        "prompt_cache_key" => service.prompt_cache_key = Some(at.text()?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn read_object(at: At<'_, '_>) -> Result<Json, ReadError> {
    at.object()?;
    Ok(at.json())
}

fn read_verbosity(at: At<'_, '_>) -> Result<Effort, ReadError> {
    let effort = Effort::read(&at.text()?).filter(|effort| *effort >= Effort::Low);
    effort.ok_or_else(|| at.error("low, medium, high, xhigh or max"))
}

/// Whether an upstream takes a field. Those that are not of this file are taken.
pub(super) fn takes(name: &str, rules: &Rules<'_>) -> bool {
    let quirks = rules.to.quirks;
    match name {
        _ if rules.is_openrouter() => true,
        "cache_control" | "image_config" | "speed" => false,
        // OpenAI's own; it alone insists on the newer name of the token limit.
        "verbosity" | "prompt_cache_key" | "prompt_cache_options" | "prediction" => {
            quirks.max_completion_tokens || quirks.openai_parameters
        }
        "modalities" | "audio" | "service_tier" => !quirks.strict_parameters,
        _ => true,
    }
}

/// What a field becomes where it can't stay as the client wrote it.
pub(super) fn replaced(name: &str, service: &Service, rules: &Rules<'_>) -> Option<String> {
    match name {
        "service_tier" => service.tier.as_deref(),
        "verbosity" => verbosity(service, rules),
        _ => None,
    }
    .map(|word| Json::of(&word).as_str().to_owned())
}

/// OpenAI's scale ends at `high`.
fn verbosity(service: &Service, rules: &Rules<'_>) -> Option<&'static str> {
    let most = if rules.is_openrouter() { Effort::Max } else { Effort::High };
    service.verbosity.map(|verbosity| verbosity.min(most).as_str())
}

/// Writes what the upstream takes.
pub(super) fn write(service: &Service, rules: &Rules<'_>, body: &mut Writer<'_>) {
    let taken = |name| takes(name, rules);
    if !service.modalities.is_empty() && taken("modalities") {
        body.value("modalities", &service.modalities);
    }
    let objects = [
        ("image_config", &service.image_config),
        ("audio", &service.audio),
        ("cache_control", &service.cache_control),
    ];
    for (name, json) in objects {
        body.optional(name, json.as_ref().filter(|_| taken(name)));
    }
    body.optional("verbosity", verbosity(service, rules).filter(|_| taken("verbosity")).as_ref());
    body.optional("service_tier", service.tier.as_ref().filter(|_| taken("service_tier")));
    let key = service.prompt_cache_key.as_ref();
    body.optional("prompt_cache_key", key.filter(|_| taken("prompt_cache_key")));
}

/// The tier that `fast` is another name of.
const PRIORITY: &str = "priority";
