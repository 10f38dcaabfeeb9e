//! The state of the Responses API: replies that are kept because a client asked for it
//! (`store: true`), and requests that go on from one (`previous_response_id`). A request that does
//! is made whole here, before anything reads it: what follows knows no state.

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use wire::{ErrorType, Object};

use super::{rescue, shape, surfaces};
use crate::app::App;
use crate::auth::Caller;
use crate::clock;
use crate::error::Error;
use crate::generation::Turn;
use crate::store::{ResponseRecord, StoreError, Write};

/// Puts what was said before in front of what is asked now, and says what is to be kept.
///
/// # Errors
/// 400 for a reply that is not kept, or where nothing is; 413 when all of it is too much.
pub(super) async fn recall(
    app: &App,
    caller: &Caller,
    generation: &str,
    body: Bytes,
) -> Result<(Bytes, Option<Turn>), Error> {
    // A body that is no object is for the dialect to refuse.
    let Ok(fields) = std::str::from_utf8(&body).map_err(drop).and_then(parse) else {
        return Ok((body, None));
    };
    let text = |name: &str| fields.field(name).and_then(|raw| serde_json::from_str(raw.get()).ok());
    let previous: Option<String> = text("previous_response_id");
    let is_kept = fields.field("store").is_some_and(|raw| raw.get() == "true");
    let days = u64::from(app.config.store.responses_days);
    if (is_kept || previous.is_some()) && days == 0 {
        let message = "This gateway keeps no replies (store.responses_days = 0): leave out \
                       `store` and `previous_response_id`, and send the conversation in `input`";
        return Err(Error::client(ErrorType::InvalidRequest, message));
    }
    let asked = items(fields.field("input"));
    let turn = is_kept.then(|| Turn {
        id: format!("resp_{}", generation.trim_start_matches("gen-")),
        previous: previous.clone(),
        input: list(&asked),
        expires_at_ms: clock::unix_ms().saturating_add(days.saturating_mul(DAY_MS)),
    });
    let Some(previous) = previous else { return Ok((body, turn)) };
    let most = app.config.server.body_bytes_max;
    let mut history = chain(app, caller, previous, most.saturating_sub(body.len())).await?;
    history.extend(asked);
    let merged = with_input(&fields, &list(&history));
    Ok((merged.into(), turn))
}

fn parse(text: &str) -> Result<Object<'_>, ()> {
    Object::parse(text).map_err(drop)
}

/// Everything that was said up to a kept reply: of each turn what was asked and what was answered,
/// oldest first.
async fn chain(
    app: &App,
    caller: &Caller,
    last: String,
    bytes_max: usize,
) -> Result<Vec<String>, Error> {
    let mut turns = Vec::new();
    let mut bytes = 0_usize;
    let mut next = Some(last);
    while let Some(id) = next {
        let record = find(app, caller, &id).await?;
        bytes = bytes.saturating_add(record.input.len()).saturating_add(record.body.len());
        if bytes > bytes_max {
            let message = "The conversation that `previous_response_id` names is larger than a \
                           request may be (server.body_bytes_max)";
            return Err(Error::client(ErrorType::PayloadTooLarge, message));
        }
        next = record.previous.clone();
        turns.push(record);
    }
    let turns = turns.iter().rev();
    Ok(turns.flat_map(|turn| read_list(&turn.input).into_iter().chain(output(turn))).collect())
}

/// A kept reply of the caller's.
async fn find(app: &App, caller: &Caller, id: &str) -> Result<ResponseRecord, Error> {
    let found = app.store.response(id, clock::unix_ms()).await.map_err(Error::us)?;
    found.filter(|record| record.key == caller.hash).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Error {
    let message = format!(
        "There is no kept response `{id}`: a response is kept for some days when its request says \
         `store: true`, and only the key that asked can name it"
    );
    Error::client(ErrorType::NotFound, message)
}

/// The items of `input`, which may be one text.
fn items(input: Option<&RawValue>) -> Vec<String> {
    let Some(input) = input else { return Vec::new() };
    match serde_json::from_str::<String>(input.get()) {
        Ok(text) => vec![json!({"type": "message", "role": "user", "content": text}).to_string()],
        Err(_) => read_list(input.get()),
    }
}

fn read_list(text: &str) -> Vec<String> {
    let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
    items.into_iter().map(|item| item.get().to_owned()).collect()
}

fn output(turn: &ResponseRecord) -> Vec<String> {
    let body = Object::parse(&turn.body).unwrap_or_default();
    body.field("output").map(|output| read_list(output.get())).unwrap_or_default()
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}

/// The body with another `input`, and without a word of what came before. The other fields keep
/// their text.
fn with_input(fields: &Object<'_>, input: &str) -> String {
    let is_other = |name: &str| !matches!(name, "input" | "previous_response_id");
    let others = fields.0.iter().filter(|(name, _)| is_other(name));
    let others = others.map(|(name, raw)| format!("{}:{},", Value::from(&**name), raw.get()));
    format!("{{{}\"input\":{input}}}", others.collect::<String>())
}

/// `GET /responses/{id}`
pub(super) async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let shown = async {
        let record = owned(&app, &headers, &id).await?;
        serde_json::from_str::<Box<RawValue>>(&record.body).map_err(Error::us)
    };
    answer(shown.await)
}

/// `GET /responses/{id}/input_items`
pub(super) async fn input_items(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let shown = async {
        let record = owned(&app, &headers, &id).await?;
        let mut items: Vec<Value> = serde_json::from_str(&record.input).map_err(Error::us)?;
        for (number, item) in items.iter_mut().enumerate() {
            if let Value::Object(fields) = item {
                fields.entry("id").or_insert_with(|| json!(format!("item_{id}_{number}")));
            }
        }
        let name = |item: Option<&Value>| item.and_then(|item| item.get("id").cloned());
        Ok(json!({
            "object": "list",
            "first_id": name(items.first()),
            "last_id": name(items.last()),
            "has_more": false,
            "data": items,
        }))
    };
    answer(shown.await)
}

/// `DELETE /responses/{id}`
pub(super) async fn remove(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let removed = async {
        let record = owned(&app, &headers, &id).await?;
        match app.store.commit(Write::NoResponse(record.id.as_str().into())).await {
            // Somebody was faster; it is gone all the same.
            Ok(()) | Err(StoreError::Unknown { .. }) => {}
            Err(error) => return Err(Error::us(error)),
        }
        Ok(json!({"id": id, "object": "response", "deleted": true}))
    };
    answer(removed.await)
}

async fn owned(app: &App, headers: &HeaderMap, id: &str) -> Result<ResponseRecord, Error> {
    let caller = app.auth.generation(headers, clock::unix_ms())?;
    find(app, &caller, id).await
}

/// Answers in the dialect's own form, errors too.
fn answer(result: Result<impl serde::Serialize, Error>) -> Response {
    match (result, surfaces::dialect("openai-responses")) {
        (Err(error), Ok(dialect)) => rescue::surface(dialect, &error, None),
        (result, _) => shape::json(result),
    }
}

const DAY_MS: u64 = 86_400_000;
