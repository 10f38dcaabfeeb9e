//! `/plugins`: what is loaded, and changing it while requests run. Management keys only.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, json};
use wire::ErrorType;

use super::shape::{self, Data};
use crate::app::App;
use crate::clock;
use crate::error::Error;
use crate::plugin::{LoadError, Plugin, Registry};

/// `GET /plugins`
pub(super) async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    let listed = app.auth.any(&headers, clock::unix_ms()).map(|_| {
        let registry = app.plugins.snapshot();
        let loaded: Vec<_> = registry.list().map(|plugin| plugin_json(&registry, plugin)).collect();
        let refused = registry.refused().into_iter().map(|refused| {
            let file = refused.file.display().to_string();
            json!({"file": file, "step": refused.error.step, "reason": refused.error.reason})
        });
        json!({"data": loaded, "refused": refused.collect::<Vec<_>>()})
    });
    shape::json(listed)
}

/// `GET /plugins/{id}`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let shown = app.auth.any(&headers, clock::unix_ms()).and_then(|_| {
        let registry = app.plugins.snapshot();
        let plugin = registry.find(&id).ok_or_else(|| unknown(&id))?;
        Ok(Data { data: plugin_json(&registry, plugin) })
    });
    shape::json(shown)
}

/// `PUT /plugins/{id}` with the `.wasm` as body. New requests use it once this has answered.
pub(super) async fn install(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    shape::json_with(StatusCode::CREATED, installed(&app, id, &headers, body).await)
}

async fn installed(
    app: &App,
    id: String,
    headers: &HeaderMap,
    body: Body,
) -> Result<Data<Value>, Error> {
    app.auth.management(headers, clock::unix_ms())?;
    let wasm = read(body, app.config.plugins.wasm_bytes_max).await?;
    let plugins = std::sync::Arc::clone(&app.plugins);
    // Compiling takes a core for a while; this thread serves requests.
    let loading = tokio::task::spawn_blocking(move || plugins.upload(&id, &wasm));
    let plugin = loading.await.map_err(Error::us)?.map_err(|error| refused(&error))?;
    Ok(Data { data: plugin_json(&app.plugins.snapshot(), &plugin) })
}

/// `DELETE /plugins/{id}`
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let removed = app.auth.management(&headers, clock::unix_ms()).and_then(|_| {
        app.plugins.remove(&id).map_err(|error| refused(&error))?;
        Ok(json!({"deleted": true}))
    });
    shape::json(removed)
}

/// `POST /plugins/{id}/rollback`: back to the version before.
pub(super) async fn roll_back(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let rolled_back = app.auth.management(&headers, clock::unix_ms()).and_then(|_| {
        let plugin = app.plugins.rollback(&id).map_err(|error| refused(&error))?;
        Ok(Data { data: plugin_json(&app.plugins.snapshot(), &plugin) })
    });
    shape::json(rolled_back)
}

async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Error> {
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message =
                format!("The plugin is larger than {bytes_max} bytes (plugins.wasm_bytes_max)");
            Err(Error::client(ErrorType::PayloadTooLarge, message))
        }
        Err(error) => {
            Err(Error::client(ErrorType::InvalidRequest, format!("The body broke off: {error}")))
        }
    }
}

fn plugin_json(registry: &Registry, plugin: &Plugin) -> Value {
    let description = &plugin.description;
    let hooks = [
        ("request", plugin.hooks.request),
        ("stream", plugin.hooks.stream),
        ("audit", plugin.hooks.audit),
    ];
    let hooks: Vec<_> = hooks.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
    let kept = registry.kept(&description.id).iter().map(|older| {
        json!({"version": older.description.version, "digest": older.digest,
            "generation": older.generation})
    });
    json!({
        "id": description.id,
        "version": description.version,
        "kind": description.kind.as_str(),
        "summary": description.summary,
        "hooks": hooks,
        "suffixes": description.suffixes,
        "options": description.options,
        "capabilities": description.capabilities,
        "limits": {
            "cpu_ms": plugin.limits.cpu_ms,
            "memory_bytes": plugin.limits.memory_bytes,
            "held_bytes": plugin.limits.held_bytes,
            "held_ms": plugin.limits.held_ms,
        },
        "digest": plugin.digest,
        "generation": plugin.generation,
        "origin": plugin.origin.as_str(),
        "kept": kept.collect::<Vec<_>>(),
    })
}

fn unknown(id: &str) -> Error {
    let message = format!("There is no plugin `{id}`; GET /api/v1/plugins lists those that are");
    Error::client(ErrorType::NotFound, message)
}

fn refused(error: &LoadError) -> Error {
    let error_type =
        if error.step == "find" { ErrorType::NotFound } else { ErrorType::Unprocessable };
    Error::client(error_type, error.to_string())
}
