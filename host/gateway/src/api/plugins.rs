//! `/plugins`: what is loaded, and changing it while requests run. Every key may look; only
//! management keys change.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::ErrorType;

use super::shape::{self, Data};
use crate::app::App;
use crate::clock;
use crate::error::Error;
use crate::plugin::{LoadError, Plugin, Plugins, Role};

mod shown;

/// `GET /plugins`
pub(super) async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    let listed = app.auth.any(&headers, clock::unix_ms()).map(|caller| {
        let registry = app.plugins.snapshot();
        let loaded = registry.list().map(|plugin| shown::plugin(&app, &registry, plugin));
        let refused = registry.refused().into_iter().map(|refused| {
            let file = refused.file.display().to_string();
            json!({"file": file, "step": refused.error.step, "reason": refused.error.reason})
        });
        json!({
            "data": loaded.collect::<Vec<_>>(),
            "order": shown::order(&app, &registry, &caller),
            "hooks_order": shown::HOOKS_ORDER,
            "refused": refused.collect::<Vec<_>>(),
        })
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
        Ok(Data { data: shown::plugin(&app, &registry, plugin) })
    });
    shape::json(shown)
}

/// `PUT /plugins/{id}` with the `.wasm` as body. New requests use it once this has answered.
pub(super) async fn install(
    State(app): State<App>,
    Path(id): Path<String>,
    trial: Result<Query<TrialQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    shape::json_with(StatusCode::CREATED, installed(&app, id, trial, &headers, body).await)
}

async fn installed(
    app: &App,
    id: String,
    trial: Result<Query<TrialQuery>, QueryRejection>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Data<Value>, Error> {
    app.auth.management(headers, clock::unix_ms())?;
    // Read first: many clients don't see an answer that comes before they have sent the body.
    let wasm = read(body, app.config.plugins.wasm_bytes_max).await?;
    let role = trial.map_err(|_| wrong_trial())?.role()?;
    let plugin = change(app, move |plugins| plugins.upload(&id, &wasm, role)).await?;
    Ok(as_it_is(app, &plugin))
}

/// How a new version is tried; without either it serves at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrialQuery {
    /// It serves so many of a hundred new generations.
    canary: Option<u8>,
    /// It runs beside the current version and changes nothing.
    #[serde(default)]
    shadow: bool,
}

impl TrialQuery {
    fn role(&self) -> Result<Role, Error> {
        match (self.canary, self.shadow) {
            (None, false) => Ok(Role::Current),
            (None, true) => Ok(Role::Shadow),
            (Some(weight @ 1..=99), false) => Ok(Role::Canary(weight)),
            _ => Err(wrong_trial()),
        }
    }
}

fn wrong_trial() -> Error {
    let message = "write `?canary=5` (1 to 99 of a hundred generations) or `?shadow=true`";
    Error::client(ErrorType::InvalidRequest, message)
}

/// `POST /plugins/{id}/promote`: what is on trial becomes the current version.
pub(super) async fn promote(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let promoted = managed(&app, &headers, move |plugins| plugins.promote(&id)).await;
    shape::json(promoted.map(|plugin| as_it_is(&app, &plugin)))
}

/// `DELETE /plugins/{id}`
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let removed = managed(&app, &headers, move |plugins| plugins.remove(&id)).await;
    shape::json(removed.map(|()| json!({"deleted": true})))
}

/// `POST /plugins/{id}/rollback`: back to the version before.
pub(super) async fn roll_back(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let rolled_back = managed(&app, &headers, move |plugins| plugins.rollback(&id)).await;
    shape::json(rolled_back.map(|plugin| as_it_is(&app, &plugin)))
}

async fn managed<T: Send + 'static>(
    app: &App,
    headers: &HeaderMap,
    work: impl FnOnce(&Plugins) -> Result<T, LoadError> + Send + 'static,
) -> Result<T, Error> {
    app.auth.management(headers, clock::unix_ms())?;
    change(app, work).await
}

/// Compiling takes a core for a while and files take the disk; this thread serves requests.
async fn change<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&Plugins) -> Result<T, LoadError> + Send + 'static,
) -> Result<T, Error> {
    let plugins = std::sync::Arc::clone(&app.plugins);
    let changed = tokio::task::spawn_blocking(move || work(&plugins)).await;
    changed.map_err(Error::us)?.map_err(|error| refused(&error))
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

/// A version that was just changed, and how its line stands now.
fn as_it_is(app: &App, plugin: &Plugin) -> Data<Value> {
    Data { data: shown::plugin(app, &app.plugins.snapshot(), plugin) }
}

fn unknown(id: &str) -> Error {
    let message = format!("There is no plugin `{id}`; GET /api/v1/plugins lists those that are");
    Error::client(ErrorType::NotFound, message)
}

fn refused(error: &LoadError) -> Error {
    match error.step {
        "find" => Error::client(ErrorType::NotFound, error.to_string()),
        // The disk's trouble is not the caller's.
        "write" => Error::us(anyhow::anyhow!("{error}")),
        _ => Error::client(ErrorType::Unprocessable, error.to_string()),
    }
}
