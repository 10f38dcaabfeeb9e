//! A model in OpenRouter's form, with what OpenAI's clients look for (`object`, `owned_by`).

use serde_json::{Map, Value, json};
use wire::{Effort, Model, ReasoningStyle};

use super::{names, pricing};
use crate::config::catalog::Served;

/// One model. Price and limits are those of the endpoint that is asked first.
pub(super) fn model(served: &Served) -> Value {
    let model = &served.model;
    let first = served.ready().next();
    let mut shown = json!({
        "id": model.id,
        "canonical_slug": model.id,
        "object": "model",
        "owned_by": model.id.split('/').next(),
        "name": display_name(model),
        "created": model.created,
        "description": model.description.as_deref().unwrap_or(""),
        "context_length": model.context_length,
        "hugging_face_id": model.hugging_face_id,
        "knowledge_cutoff": model.knowledge_cutoff,
        "expiration_date": model.expiration_date,
        "architecture": architecture(model),
        "pricing": pricing::of(first.map(AsRef::as_ref)),
        "top_provider": {
            "context_length": first.map(|endpoint| endpoint.context_length),
            "max_completion_tokens": first.and_then(|endpoint| endpoint.max_output_tokens),
            "is_moderated": false,
        },
        "per_request_limits": null,
        "supported_parameters": model.supported_parameters,
        "default_parameters": model.default_parameters,
        "supported_voices": null,
        "links": {"details": format!("/api/v1/models/{}/endpoints", model.id)},
    });
    if let (Some(fields), Some(reasoning)) = (shown.as_object_mut(), reasoning(model)) {
        fields.insert("reasoning".to_owned(), reasoning);
    }
    shown
}

/// The name for people.
pub(super) fn display_name(model: &Model) -> &str {
    model.name.as_deref().unwrap_or(&model.id)
}

/// What goes in and comes out.
pub(super) fn architecture(model: &Model) -> Value {
    let (inputs, outputs) = (names(&model.input_modalities), names(&model.output_modalities));
    json!({
        "modality": format!("{}->{}", inputs.join("+"), outputs.join("+")),
        "input_modalities": inputs,
        "output_modalities": outputs,
        "tokenizer": model.tokenizer,
        "instruct_type": model.instruct_type,
    })
}

/// How it can be told to think; nothing for a model that does not.
fn reasoning(model: &Model) -> Option<Value> {
    let is_parameter = model.supported_parameters.iter().any(|name| name == "reasoning");
    if model.reasoning == ReasoningStyle::None && !is_parameter {
        return None;
    }
    let mut shown = Map::new();
    shown.insert("mandatory".to_owned(), json!(model.reasoning_mandatory));
    if let Some(effort) = model.reasoning_default {
        shown.insert("default_enabled".to_owned(), json!(effort != Effort::None));
        shown.insert("default_effort".to_owned(), json!(effort.as_str()));
    }
    let mut efforts = model.efforts.clone();
    efforts.sort_unstable_by(|left, right| right.cmp(left));
    let efforts: Vec<_> = efforts.into_iter().map(Effort::as_str).collect();
    let efforts = if efforts.is_empty() { Value::Null } else { json!(efforts) };
    shown.insert("supported_efforts".to_owned(), efforts);
    if model.reasoning == ReasoningStyle::Budget {
        shown.insert("supports_max_tokens".to_owned(), json!(true));
    }
    Some(Value::Object(shown))
}
