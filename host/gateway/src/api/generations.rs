//! `GET /generation`: what a generation was and cost.

use axum::extract::{Query, State};
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::ErrorType;

use super::keys::usd;
use super::shape::{self, Data, iso};
use crate::app::App;
use crate::clock;
use crate::error::Error;
use crate::store::GenerationRecord;

/// Which one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    id: Option<String>,
}

/// `GET /generation?id=gen-…`
pub(super) async fn show(
    State(app): State<App>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Response {
    shape::json(shown(&app, which, &headers).await)
}

async fn shown(app: &App, which: Which, headers: &HeaderMap) -> Result<Data<Value>, Error> {
    let caller = app.auth.any(headers, clock::unix_ms())?;
    let id = which.id.ok_or_else(|| {
        Error::client(ErrorType::InvalidRequest, "id: expected a generation's id (gen-…)")
    })?;
    let found = app.store.generation(&id).await.map_err(Error::us)?;
    // Another key's generation is as good as none: ids must not tell who asked what.
    let record = found.filter(|record| caller.is_management || record.key == caller.hash);
    let record = record.ok_or_else(|| {
        Error::client(ErrorType::NotFound, format!("There is no generation {id}"))
    })?;
    Ok(Data { data: generation_json(&record) })
}

fn generation_json(record: &GenerationRecord) -> Value {
    let responses = record.provider_responses.iter().map(|response| {
        json!({"provider_name": response.provider_name, "model_permaslug": response.model,
            "status": response.status, "latency": response.latency_ms,
            "is_byok": response.is_byok})
    });
    let plugins = record.plugins.iter().map(|plugin| {
        json!({"id": plugin.id, "version": plugin.version, "digest": plugin.digest,
            "generation": plugin.generation})
    });
    let calls = record.plugin_calls.iter().map(|call| {
        json!({"id": call.id, "plugin": call.plugin, "model": call.model,
            "provider_name": call.provider_name, "tokens_prompt": call.tokens_prompt,
            "tokens_completion": call.tokens_completion, "cost": usd(call.cost)})
    });
    let plugin_cost = record.plugin_calls.iter().map(|call| call.cost).sum();
    let total_cost = record.total_cost.saturating_add(plugin_cost);
    json!({
        "id": record.id,
        "upstream_id": record.upstream_id,
        "created_at": iso(record.created_at_ms),
        "model": record.model,
        "router": null,
        "provider_name": record.provider_name,
        "provider_responses": responses.collect::<Vec<_>>(),
        "plugins": plugins.collect::<Vec<_>>(),
        "api_type": record.api_type,
        "streamed": record.streamed,
        "cancelled": record.cancelled,
        "finish_reason": record.finish_reason,
        "native_finish_reason": record.native_finish_reason,
        "error": record.error,
        "latency": record.latency_ms,
        "moderation_latency": null,
        "generation_time": record.generation_time_ms,
        "tokens_prompt": record.native_tokens_prompt,
        "tokens_completion": record.native_tokens_completion,
        "native_tokens_prompt": record.native_tokens_prompt,
        "native_tokens_completion": record.native_tokens_completion,
        "native_tokens_reasoning": record.native_tokens_reasoning,
        "native_tokens_cached": record.native_tokens_cached,
        "native_tokens_completion_images": record.native_tokens_completion_images,
        "is_estimated": record.is_estimated,
        "num_media_prompt": record.num_media_prompt,
        "num_media_completion": record.num_media_completion,
        "num_input_audio_prompt": record.num_input_audio_prompt,
        "num_search_results": record.num_search_results,
        "plugin_calls": calls.collect::<Vec<_>>(),
        "usage": usd(total_cost),
        "total_cost": usd(total_cost),
        "cache_discount": usd(record.cache_discount),
        "upstream_inference_cost": usd(record.upstream_inference_cost),
        "is_byok": record.is_byok,
        "http_referer": record.http_referer,
        "origin": record.origin,
        "user_agent": record.user_agent,
        "external_user": record.external_user,
        "session_id": record.session_id,
        "service_tier": record.service_tier,
    })
}
