//! What a client is told of how its request was routed, when it asks by a header
//! (`openrouter_metadata`).

use http::HeaderMap;
use serde_json::{Map, Value, json};
use wire::{Json, Request};

use super::record::Record;
use crate::routing::Plan;

/// The model that a client asked for, if it also asks to be told how that was routed. Any other
/// value of the header than `enabled` means no.
pub(super) fn asked(headers: &HeaderMap, request: &Request) -> Option<String> {
    let is_enabled = HEADERS.iter().any(|name| {
        let value = headers.get(*name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.eq_ignore_ascii_case("enabled"))
    });
    is_enabled.then(|| request.model.clone())
}

const HEADERS: [&str; 2] = ["x-openrouter-metadata", "x-openrouter-experimental-metadata"];

impl Record {
    /// How the request was routed, in OpenRouter's form. The last attempt is the one that answered;
    /// there is none where a plugin did.
    pub(super) fn routed(&self, requested: &str, plan: &Plan) -> Json {
        let attempts = self.attempts();
        let serving = attempts.len().checked_sub(1);
        let available: Vec<Value> = plan
            .steps
            .iter()
            .enumerate()
            .map(|(at, step)| {
                json!({"provider": step.endpoint.provider.name, "model": &*step.model,
                    "selected": Some(at) == serving})
            })
            .collect();
        let tried: Vec<Value> = attempts
            .iter()
            .zip(&plan.steps)
            .map(|(attempt, step)| {
                json!({"provider": attempt.provider_name, "model": &*step.model,
                    "status": attempt.status.unwrap_or(0)})
            })
            .collect();
        let selected = attempts.last().map_or("a plugin", |attempt| &attempt.provider_name);
        let model = serving.and_then(|at| Some(&*plan.steps.get(at)?.model));
        let is_fallback = model.is_some_and(|model| !requested.starts_with(model));
        Json::of(&json!({
            "requested": requested,
            "strategy": strategy(requested, is_fallback),
            "region": null,
            "summary": format!("available={}, selected={selected}", available.len()),
            "attempt": attempts.len(),
            "is_byok": false,
            "endpoints": {"total": available.len(), "available": available},
            "attempts": tried,
        }))
    }

    /// The same with what plugins did, of which the last is known when the reply has ended.
    pub(super) fn with_pipeline(&self, routed: &Json) -> Json {
        let mut told: Map<String, Value> = routed.read().unwrap_or_default();
        told.insert("pipeline".to_owned(), Value::Array(self.pipeline()));
        Json::of(&told)
    }

    /// What plugins said that they did; of one that said nothing, that it took part.
    fn pipeline(&self) -> Vec<Value> {
        let stages = self.stages();
        let silent = self.plugin_ids().filter(|id| stages.iter().all(|stage| stage.plugin != **id));
        let silent: Vec<Value> = silent.map(|id| json!({"type": "plugin", "name": id})).collect();
        let told = stages.iter().map(|stage| {
            let mut entry = Map::new();
            entry.insert("type".to_owned(), json!(stage.kind));
            entry.insert("name".to_owned(), json!(stage.name));
            if let Some(summary) = &stage.summary {
                entry.insert("summary".to_owned(), json!(summary));
            }
            if !stage.data.is_empty() {
                let data = stage.data.iter();
                let data = data.map(|(name, json)| (name.clone(), json.read().unwrap_or_default()));
                entry.insert("data".to_owned(), Value::Object(data.collect()));
            }
            Value::Object(entry)
        });
        silent.into_iter().chain(told).collect()
    }
}

/// How the model was found, by OpenRouter's names.
fn strategy(requested: &str, is_fallback: bool) -> &'static str {
    match requested.split(':').next() {
        Some("openrouter/auto" | "openrouter/auto-beta") => "auto",
        Some("openrouter/free") => "free",
        _ if is_fallback => "fallback",
        _ => "direct",
    }
}
