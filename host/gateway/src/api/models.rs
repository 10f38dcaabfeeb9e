//! The catalog over HTTP, in OpenRouter's forms: what can be asked for, who serves it and at what
//! price. Only what can be asked here is listed: models that have an endpoint with a credential and
//! a price. Lists are for everybody; `/models/user` takes a key.
//!
//! Clients of other APIs list models too: Anthropic's and Gemini's under the same paths (told by
//! their headers), Gemini's older ones and Ollama's under their own.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, Uri};
use serde_json::{Value, json};
use wire::{ErrorType, Modality};

use super::{rescue, shape};
use crate::app::App;
use crate::clock;
use crate::config::catalog::Served;
use crate::error::Error;
use crate::routing;

mod anthropic;
mod asked;
mod endpoints;
mod feed;
mod filter;
mod gemini;
mod images;
mod ollama;
mod page;
mod pricing;
mod providers;
mod shown;
mod sort;

use asked::Asked;
use filter::Filter;
use page::Page;
use shape::Data;

/// The catalog's paths, below either root of the API.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/models", get(list))
        .route("/models/count", get(count))
        .route("/models/user", get(of_user))
        .route("/models/{id}", get(retrieve_escaped))
        .route("/models/{author}/{slug}", get(retrieve))
        .route("/models/{author}/{slug}/endpoints", get(endpoints::list))
        .route("/model/{author}/{slug}", get(show))
        .route("/endpoints/zdr", get(endpoints::zdr))
        .route("/providers", get(providers::list))
        .route("/embeddings/models", get(embedding))
        .route("/images/models", get(images::list))
        .route("/images/models/{author}/{slug}/endpoints", get(images::endpoints))
}

/// Where other APIs' clients look for models.
pub(super) fn foreign_routes() -> Router<App> {
    Router::new()
        .route("/v1beta/models", get(gemini::list))
        .route("/v1beta/models/{author}/{slug}", get(gemini::show))
        .route("/api/tags", get(ollama::tags))
        .route("/api/version", get(ollama::version))
}

/// A query as it was sent.
type Pairs = Query<Vec<(String, String)>>;

/// `GET /models`: filtered, sorted, a page of it or all; as RSS when `use_rss` asks for that.
async fn list(
    State(app): State<App>,
    uri: Uri,
    Query(pairs): Pairs,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(pairs);
    if anthropic::is_meant(&headers) {
        return anthropic::list(&app, &asked);
    }
    if gemini::is_meant(&headers) {
        return gemini::page(&app, &asked);
    }
    let found = || {
        let filter = Filter::read(&asked)?;
        let order = sort::Order::read(&asked)?;
        let now_s = clock::unix_ms() / 1000;
        let mut found: Vec<_> = ready(&app).filter(|one| filter.admits(one, now_s)).collect();
        order.sort(&mut found);
        Ok((found, Page::read(&asked)?))
    };
    match found() {
        Err(error) => rescue::management(&error),
        Ok((found, page)) if asked.is_true("use_rss") => feed::response(&headers, page.of(&found)),
        Ok((found, page)) => shape::json(Ok(page.answer(&uri, &found))),
    }
}

/// `GET /models/count`: how many `/models` would list, with the same filters.
async fn count(State(app): State<App>, Query(pairs): Pairs) -> Response {
    let now_s = clock::unix_ms() / 1000;
    let counted = Filter::read(&Asked::new(pairs)).map(|filter| {
        let count = ready(&app).filter(|one| filter.admits(one, now_s)).count();
        Data { data: json!({ "count": count }) }
    });
    shape::json(counted)
}

/// `GET /models/user`: what the key that asks may ask for, whatever it writes.
async fn of_user(
    State(app): State<App>,
    uri: Uri,
    Query(pairs): Pairs,
    headers: HeaderMap,
) -> Response {
    let listed = app.auth.any(&headers, clock::unix_ms()).and_then(|_| {
        let found: Vec<_> = ready(&app).collect();
        Ok(Page::read(&Asked::new(pairs))?.answer(&uri, &found))
    });
    shape::json(listed)
}

/// `GET /embeddings/models`: those that turn texts into vectors.
async fn embedding(State(app): State<App>, uri: Uri, Query(pairs): Pairs) -> Response {
    let found: Vec<_> =
        ready(&app).filter(|served| served.model.makes(Modality::Embeddings)).collect();
    shape::json(Page::read(&Asked::new(pairs)).map(|page| page.answer(&uri, &found)))
}

/// `GET /model/{author}/{slug}`, with variants or without.
async fn show(State(app): State<App>, Path((author, slug)): Path<(String, String)>) -> Response {
    let found = find(&app, &format!("{author}/{slug}"));
    shape::json(found.map(|served| Data { data: shown::model(&served) }))
}

/// `GET /models/{author}/{slug}`: one model as OpenAI's, Anthropic's and Gemini's clients get it.
async fn retrieve(
    State(app): State<App>,
    Path((author, slug)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    retrieved(&app, &format!("{author}/{slug}"), &headers)
}

/// The same where the client writes the slash as `%2F`.
async fn retrieve_escaped(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    retrieved(&app, &id, &headers)
}

fn retrieved(app: &App, id: &str, headers: &HeaderMap) -> Response {
    let found = find(app, id);
    if anthropic::is_meant(headers) {
        return anthropic::answer(found.map(|served| anthropic::model(&served)));
    }
    if gemini::is_meant(headers) {
        return gemini::answer(found.map(|served| gemini::model(&served)));
    }
    shape::json(found.map(|served| shown::model(&served)))
}

/// The models that have an endpoint to ask, by id.
fn ready(app: &App) -> impl Iterator<Item = &Served> {
    app.catalog.models.values().map(AsRef::as_ref).filter(|served| served.ready().next().is_some())
}

/// The model of that name, which may carry variants and plugins' suffixes.
///
/// # Errors
/// 404 for what is not known, and for what nobody here can be asked for, with the reason.
fn find(app: &App, text: &str) -> Result<Arc<Served>, Error> {
    let plugins = app.plugins.snapshot();
    let is_suffix = |suffix: &str| plugins.is_suffix(suffix);
    let unknown = |message: String| Error::client(ErrorType::NotFound, message);
    let named = routing::name(&app.catalog, text, is_suffix)
        .map_err(|error| unknown(error.failure.message))?;
    let served = app.catalog.models.get(&named.id).cloned();
    let served = served.ok_or_else(|| unknown(format!("{text} is not a valid model ID")))?;
    if served.ready().next().is_some() {
        return Ok(served);
    }
    let obstacles = served.endpoints.iter().filter_map(|endpoint| {
        let obstacle = endpoint.obstacle.as_ref()?;
        Some(format!("{}: {obstacle}", endpoint.provider.slug))
    });
    let why = obstacles.collect::<Vec<_>>().join("; ");
    Err(unknown(format!("No endpoints found for {} ({why}).", served.model.id)))
}

/// What goes in or comes out, by name.
fn names(list: &[Modality]) -> Vec<&'static str> {
    list.iter().map(|one| one.as_str()).collect()
}

/// Seconds since 1970 as RFC 3339 in UTC; 1970 where the data does not say.
fn date_time(unix_s: u64) -> Value {
    json!(shape::iso(unix_s.saturating_mul(1000)))
}
