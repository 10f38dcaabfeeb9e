//! Models as Gemini's clients list and get them: under `/v1beta`, and newer ones under `/v1`, where
//! the header with their key tells them apart.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};
use wire::ErrorType;

use super::asked::Asked;
use super::{Pairs, find, ready, rescue, shape, shown};
use crate::app::App;
use crate::config::catalog::Served;
use crate::error::Error;

/// `GET /v1beta/models`
pub(super) async fn list(State(app): State<App>, Query(pairs): Pairs) -> Response {
    page(&app, &Asked::new(pairs))
}

/// `GET /v1beta/models/{author}/{slug}`
pub(super) async fn show(
    State(app): State<App>,
    Path((author, slug)): Path<(String, String)>,
) -> Response {
    answer(find(&app, &format!("{author}/{slug}")).map(|served| model(&served)))
}

/// Whether the client speaks Gemini's API.
pub(super) fn is_meant(headers: &HeaderMap) -> bool {
    headers.contains_key("x-goog-api-key")
}

/// `pageSize` models from `pageToken` on.
pub(super) fn page(app: &App, asked: &Asked) -> Response {
    answer(listed(app, asked))
}

/// The answer; an error in Gemini's form.
pub(super) fn answer(result: Result<Value, Error>) -> Response {
    match (&result, wire::dialect("gemini-generate")) {
        (Err(error), Some(dialect)) => rescue::surface(dialect, error, None),
        _ => shape::json(result),
    }
}

fn listed(app: &App, asked: &Asked) -> Result<Value, Error> {
    let size: usize = asked.number("pageSize", "a number of models")?.unwrap_or(SIZE_USUAL);
    if size == 0 {
        let message = "pageSize: expected a number from 1";
        return Err(Error::client(ErrorType::InvalidRequest, message));
    }
    // The token is how many were listed before.
    let start: usize = asked.number("pageToken", "the token of the page before")?.unwrap_or(0);
    let all: Vec<_> = ready(app).filter(|served| served.model.converses()).collect();
    let size = size.min(SIZE_MAX);
    let models: Vec<_> = all.iter().skip(start).take(size).map(|served| model(served)).collect();
    let next = start.checked_add(size).filter(|next| *next < all.len());
    let mut listed = json!({ "models": models });
    if let (Some(fields), Some(next)) = (listed.as_object_mut(), next) {
        fields.insert("nextPageToken".to_owned(), json!(next.to_string()));
    }
    Ok(listed)
}

/// One model.
pub(super) fn model(served: &Served) -> Value {
    let model = &served.model;
    let first = served.ready().next();
    let methods = ["generateContent", "streamGenerateContent", "countTokens"];
    json!({
        "name": format!("models/{}", model.id),
        "baseModelId": model.id,
        "version": "001",
        "displayName": shown::display_name(model),
        "description": model.description.as_deref().unwrap_or(""),
        "inputTokenLimit": model.context_length,
        "outputTokenLimit": first.and_then(|endpoint| endpoint.max_output_tokens)
            .unwrap_or(model.context_length),
        "supportedGenerationMethods": methods,
        "thinking": model.reasoning != wire::ReasoningStyle::None,
    })
}

const SIZE_USUAL: usize = 50;

const SIZE_MAX: usize = 1000;
