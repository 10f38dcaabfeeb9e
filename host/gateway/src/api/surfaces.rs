//! Every path that generations are asked for at, each in the dialect that its clients speak.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use wire::{Dialect, ErrorType};

use super::generate::Surface;
use super::{count_tokens, rescue, responses};
use crate::app::App;
use crate::error::Error;

/// Paths below `/api/v1` and `/v1`.
pub(super) fn versioned() -> Router<App> {
    Router::new()
        .route("/chat/completions", post(chat))
        .route("/completions", post(completions))
        .route("/responses", post(respond))
        .route("/responses/input_tokens", post(count_tokens::responses))
        .route("/responses/{id}", get(responses::show).delete(responses::remove))
        .route("/responses/{id}/input_items", get(responses::input_items))
        .route("/messages", post(messages))
        .route("/messages/count_tokens", post(count_tokens::messages))
        // Some of Google's clients ask for version 1.
        .route("/models/{author}/{slug}", post(gemini))
}

/// Paths that begin at the root, where the clients of other vendors look for them.
pub(super) fn rooted() -> Router<App> {
    Router::new()
        .route("/v1beta/models/{author}/{slug}", post(gemini))
        .route("/v2/chat", post(cohere))
        .route("/model/{*call}", post(bedrock))
        .route("/api/chat", post(ollama))
}

async fn chat(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    at("openai-chat", app, headers, body).await
}

async fn completions(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    at("openai-completions", app, headers, body).await
}

async fn messages(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    at("anthropic-messages", app, headers, body).await
}

async fn cohere(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    at("cohere-chat", app, headers, body).await
}

async fn ollama(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    at("ollama-chat", app, headers, body).await
}

async fn respond(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    match dialect("openai-responses") {
        Ok(dialect) => {
            let surface = Surface { keeps: true, ..Surface::of(dialect) };
            surface.generate(app, headers, body).await
        }
        Err(error) => rescue::management(&error),
    }
}

/// What Gemini's addresses carry beside the path.
#[derive(Debug, Deserialize)]
struct GeminiQuery {
    /// `sse`: the stream's framing.
    alt: Option<String>,
    /// The key, for clients that send no header.
    key: Option<String>,
}

/// `POST /v1beta/models/{author}/{name}:{method}`
async fn gemini(
    State(app): State<App>,
    Path((author, call)): Path<(String, String)>,
    Query(query): Query<GeminiQuery>,
    mut headers: HeaderMap,
    body: Body,
) -> Response {
    let dialect = match dialect("gemini-generate") {
        Ok(dialect) => dialect,
        Err(error) => return rescue::management(&error),
    };
    if let Some(key) = query.key.as_deref().and_then(|key| HeaderValue::from_str(key).ok()) {
        headers.entry("x-goog-api-key").or_insert(key);
    }
    let call = format!("{author}/{call}");
    let (model, method) = call.rsplit_once(':').unwrap_or((&call, ""));
    let is_stream = match method {
        "generateContent" => false,
        "streamGenerateContent" if query.alt.as_deref() == Some("sse") => true,
        "countTokens" => {
            let surface = Surface { model: Some(model.to_owned()), ..Surface::of(dialect) };
            return count_tokens::gemini(app, surface, headers, body).await;
        }
        "streamGenerateContent" => {
            let message = "streamGenerateContent is served as server-sent events; add `?alt=sse` \
                           to the address";
            let error = Error::client(ErrorType::InvalidRequest, message);
            return rescue::surface(dialect, &error, None);
        }
        _ => return rescue::surface(dialect, &no_such_method(&call, GEMINI), None),
    };
    let (model, is_stream) = (Some(model.to_owned()), Some(is_stream));
    Surface { model, is_stream, ..Surface::of(dialect) }.generate(app, headers, body).await
}

/// `POST /model/{model}/converse` and `…/converse-stream`; the model's name may be encoded or not.
async fn bedrock(
    State(app): State<App>,
    Path(call): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let dialect = match dialect("bedrock-converse") {
        Ok(dialect) => dialect,
        Err(error) => return rescue::management(&error),
    };
    let (model, is_stream) = match call.rsplit_once('/') {
        Some((model, "converse")) => (model, false),
        Some((model, "converse-stream")) => (model, true),
        _ => return rescue::surface(dialect, &no_such_method(&call, BEDROCK), None),
    };
    let (model, is_stream) = (Some(model.to_owned()), Some(is_stream));
    Surface { model, is_stream, ..Surface::of(dialect) }.generate(app, headers, body).await
}

/// A surface whose address says nothing.
async fn at(name: &str, app: App, headers: HeaderMap, body: Body) -> Response {
    match dialect(name) {
        Ok(dialect) => Surface::of(dialect).generate(app, headers, body).await,
        Err(error) => rescue::management(&error),
    }
}

/// The dialect of that name; there is one as long as this file and `wire` agree.
pub(super) fn dialect(name: &str) -> Result<&'static dyn Dialect, Error> {
    wire::dialect(name).ok_or_else(|| Error::us(anyhow::anyhow!("no dialect {name}")))
}

fn no_such_method(call: &str, methods: &str) -> Error {
    let message = format!("`{call}` ends in no method that is served here; there are {methods}");
    Error::client(ErrorType::NotFound, message)
}

const GEMINI: &str = "`:generateContent`, `:streamGenerateContent` and `:countTokens`";
const BEDROCK: &str = "`/converse` and `/converse-stream`";
