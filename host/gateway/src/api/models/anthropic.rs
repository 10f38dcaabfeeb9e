//! Models as Anthropic's clients list and retrieve them, under the same paths: their
//! `anthropic-version` header tells them apart.

use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};
use wire::ErrorType;

use super::asked::Asked;
use super::{date_time, ready, rescue, shape, shown};
use crate::app::App;
use crate::config::catalog::Served;
use crate::error::Error;

/// Whether the client speaks Anthropic's API.
pub(super) fn is_meant(headers: &HeaderMap) -> bool {
    headers.contains_key("anthropic-version")
}

/// A page of the models that write, by id: `limit` of them `after_id` or `before_id`.
pub(super) fn list(app: &App, asked: &Asked) -> Response {
    answer(page(app, asked))
}

/// The answer; an error in Anthropic's form.
pub(super) fn answer(result: Result<Value, Error>) -> Response {
    match (&result, wire::dialect("anthropic-messages")) {
        (Err(error), Some(dialect)) => rescue::surface(dialect, error, None),
        _ => shape::json(result),
    }
}

/// One model.
pub(super) fn model(served: &Served) -> Value {
    let model = &served.model;
    let first = served.ready().next();
    json!({
        "type": "model",
        "id": model.id,
        "display_name": shown::display_name(model),
        "created_at": date_time(model.created),
        "lifecycle": "active",
        "max_input_tokens": first.map(|endpoint| endpoint.context_length),
        "max_tokens": first.and_then(|endpoint| endpoint.max_output_tokens),
    })
}

fn page(app: &App, asked: &Asked) -> Result<Value, Error> {
    let limit: usize = asked.number("limit", LIMITS)?.unwrap_or(LIMIT_USUAL);
    if limit == 0 || limit > LIMIT_MAX {
        let message = format!("limit: expected {LIMITS}");
        return Err(Error::client(ErrorType::InvalidRequest, message));
    }
    let all: Vec<_> = ready(app).filter(|served| served.model.converses()).collect();
    let place = |name: &str| {
        let Some(id) = asked.text(name) else { return Ok(None) };
        let place = all.iter().position(|served| served.model.id == id);
        let message = || format!("{name}: there is no model {id}");
        let unknown = || Error::client(ErrorType::InvalidRequest, message());
        place.map(Some).ok_or_else(unknown)
    };
    let (after, before) = (place("after_id")?, place("before_id")?);
    let (start, end) = (after.map_or(0, |place| place + 1), before.unwrap_or(all.len()));
    let range = all.get(start..end).unwrap_or_default();
    let has_more = range.len() > limit;
    // Backwards the page is the one that ends where the known one begins.
    let skipped = if before.is_some() { range.len().saturating_sub(limit) } else { 0 };
    let data: Vec<_> = range.iter().skip(skipped).take(limit).map(|served| model(served)).collect();
    let id = |model: Option<&Value>| model.map(|model| model["id"].clone());
    Ok(json!({
        "first_id": id(data.first()),
        "last_id": id(data.last()),
        "has_more": has_more,
        "data": data,
    }))
}

const LIMITS: &str = "a number from 1 to 1000";

const LIMIT_MAX: usize = 1000;

const LIMIT_USUAL: usize = 20;
