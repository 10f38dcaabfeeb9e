//! Who serves a model, endpoint by endpoint. Uptime, latency and throughput are null until they
//! are measured here, and the status is 0 (in order) as long as an endpoint can be asked at all.
//! Which values of `tool_choice` an endpoint takes is not tested one by one: all or none. Its own
//! tools are not in the data, so `native_tools` names none.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::shape::{self, Data};
use super::{find, pricing, ready, shown};
use crate::app::App;
use crate::config::catalog::{Endpoint, Served};

/// `GET /models/{author}/{slug}/endpoints`
pub(super) async fn list(
    State(app): State<App>,
    Path((author, slug)): Path<(String, String)>,
) -> Response {
    let listed = find(&app, &format!("{author}/{slug}")).map(|served| {
        let model = &served.model;
        let endpoints: Vec<_> = served.ready().map(|one| endpoint(&served, one)).collect();
        let data = json!({
            "id": model.id,
            "name": shown::display_name(model),
            "created": model.created,
            "description": model.description.as_deref().unwrap_or(""),
            "architecture": shown::architecture(model),
            "endpoints": endpoints,
        });
        Data { data }
    });
    shape::json(listed)
}

/// `GET /endpoints/zdr`: those whose provider is known to keep nothing of what it is sent.
pub(super) async fn zdr(State(app): State<App>) -> Response {
    let found = ready(&app).flat_map(|served| {
        let sealed = served.ready().filter(|one| one.provider.policy.is_zdr());
        sealed.map(move |one| endpoint(served, one))
    });
    shape::json(Ok(Data { data: found.collect::<Vec<_>>() }))
}

/// One endpoint in OpenRouter's form.
fn endpoint(served: &Served, endpoint: &Endpoint) -> Value {
    let model = &served.model;
    let (provider, offer) = (&endpoint.provider, &endpoint.offer);
    let tier = offer.variant.as_deref().filter(|_| endpoint.is_tier());
    let takes_choice = model.supported_parameters.iter().any(|name| name == "tool_choice");
    json!({
        "name": format!("{} | {}", provider.name, model.id),
        "model_id": model.id,
        "model_name": shown::display_name(model),
        "provider_name": provider.name,
        "tag": endpoint.tag(),
        "quantization": offer.quantization.as_str(),
        "context_length": endpoint.context_length,
        "max_prompt_tokens": offer.max_prompt_tokens,
        "max_completion_tokens": endpoint.max_output_tokens,
        "pricing": pricing::of(Some(endpoint)),
        "supported_parameters": model.supported_parameters,
        "supports_implicit_caching": offer.supports_implicit_caching,
        "supports_tool_choice": {
            "auto": takes_choice,
            "none": takes_choice,
            "required": takes_choice,
            "function": takes_choice,
        },
        "native_tools": {},
        "supports_diarization": false,
        "supports_voice_cloning": false,
        "service_tier": tier,
        "status": 0,
        "uptime_last_5m": null,
        "uptime_last_30m": null,
        "uptime_last_1d": null,
        "latency_last_30m": null,
        "throughput_last_30m": null,
    })
}
