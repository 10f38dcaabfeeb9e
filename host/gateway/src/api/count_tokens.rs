//! How long a prompt is, before it is sent: counted here by the nearest tokenizer, so that it costs
//! nothing and works for every model. What the provider bills may differ by some per cent.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};

use super::generate::{self, Surface};
use super::{rescue, shape, surfaces};
use crate::app::App;
use crate::error::Error;
use crate::{routing, tokens};

/// `POST /messages/count_tokens`
pub(super) async fn messages(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    at("anthropic-messages", app, headers, body, |tokens| json!({"input_tokens": tokens})).await
}

/// `POST /responses/input_tokens`
pub(super) async fn responses(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let shown = |tokens| json!({"object": "response.input_tokens", "input_tokens": tokens});
    at("openai-responses", app, headers, body, shown).await
}

/// `POST /v1beta/models/{model}:countTokens`
pub(super) async fn gemini(app: App, surface: Surface, headers: HeaderMap, body: Body) -> Response {
    answer(&app, surface, headers, body, |tokens| json!({"totalTokens": tokens})).await
}

async fn at(
    name: &str,
    app: App,
    headers: HeaderMap,
    body: Body,
    shown: fn(u64) -> Value,
) -> Response {
    match surfaces::dialect(name) {
        Ok(dialect) => answer(&app, Surface::of(dialect), headers, body, shown).await,
        Err(error) => rescue::management(&error),
    }
}

async fn answer(
    app: &App,
    surface: Surface,
    headers: HeaderMap,
    body: Body,
    shown: fn(u64) -> Value,
) -> Response {
    match count(app, &surface, headers, body).await {
        Ok(tokens) => shape::json(Ok(shown(tokens))),
        Err(error) => rescue::surface(surface.dialect, &error, None),
    }
}

async fn count(app: &App, surface: &Surface, headers: HeaderMap, body: Body) -> Result<u64, Error> {
    let admitted = generate::admit(app, &headers, body).await?;
    let request = surface.read(&admitted.body)?;
    let plugins = app.plugins.snapshot();
    let is_suffix = |suffix: &str| plugins.is_suffix(suffix);
    let model = routing::name(&app.catalog, &request.model, is_suffix)?.id;
    let count = move || tokens::count_request(&model, &request).tokens;
    tokio::task::spawn_blocking(count).await.map_err(Error::us)
}
