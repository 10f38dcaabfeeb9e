//! Reading whole replies, and what whole responses and streams' last events say alike.

use bytes::Bytes;

use super::items::Items;
use super::{OTHER_RESPONSE, error, usage};
use crate::chunk::{Chunk, Delta, FinishReason, Role, Usage};
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::dialects::openai_chat::reply_read::excerpt;
use crate::dialects::openai_chat::shape::{list, text, word};
use crate::error::{ReadError, StreamError};
use crate::json::Object;

/// Reads a whole reply.
pub(super) fn read(body: &Bytes) -> Result<Vec<Chunk>, StreamError> {
    let response = parse(body)?;
    if is_failure(&response) {
        return Err(StreamError::Upstream(match response.field("status") {
            Some(_) => error::read_failed(&response),
            None => error::read(200, body),
        }));
    }
    if response.field("output").is_none_or(|output| !output.get().starts_with('[')) {
        return Err(ReadError::new("output", "a list of items", excerpt(body)).into());
    }
    let mut deltas = vec![Delta::Role { choice: 0, role: Role::Assistant }];
    deltas.extend(echo(&response));
    end(&response, &mut Items::default(), &mut deltas)?;
    Ok(deltas.into_iter().map(|delta| Chunk::of(vec![delta])).collect())
}

/// Splits a body or an event.
pub(super) fn parse(bytes: &[u8]) -> Result<Object<'_>, ReadError> {
    let wrong =
        |problem: String| ReadError::new("body", format!("a response ({problem})"), excerpt(bytes));
    let text = std::str::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
    Object::parse(text).map_err(|error| wrong(error.to_string()))
}

/// Whether a response says that it failed.
pub(super) fn is_failure(response: &Object<'_>) -> bool {
    let has_error = response.field("error").is_some_and(|error| error.get() != "null");
    has_error || text(response.field("status")).as_deref() == Some("failed")
}

/// What a response says of itself, but for what the gateway says.
pub(super) fn echo(response: &Object<'_>) -> Option<Delta> {
    let mut fields =
        response.0.iter().filter(|(name, raw)| !is_owned(name) && raw.get() != "null").peekable();
    fields.peek()?;
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    for (name, raw) in fields {
        object.raw(name, raw.get());
    }
    object.end();
    let json = super::annotation::of_bytes(out);
    Some(Delta::Other { choice: None, kind: OTHER_RESPONSE.to_owned(), json })
}

/// Reads a response that ended: items that were not told yet, why it ended, and its usage.
pub(super) fn end(
    response: &Object<'_>,
    items: &mut Items,
    deltas: &mut Vec<Delta>,
) -> Result<(), ReadError> {
    for (place, raw) in list(response.field("output")).into_iter().enumerate() {
        let place = serde_json::value::to_raw_value(&place).ok();
        items.done(place.as_deref(), raw, deltas)?;
    }
    let (reason, native) = finish(response, items.has_calls());
    deltas.push(Delta::Finish { choice: 0, reason, native: Some(native) });
    let mut counted = response.field("usage").and_then(usage::read);
    if items.searches > 0 {
        let counted = counted.get_or_insert_with(Usage::default);
        counted.web_searches = counted.web_searches.filter(|n| *n > 0).or(Some(items.searches));
    }
    deltas.extend(counted.map(Delta::Usage));
    Ok(())
}

fn finish(response: &Object<'_>, has_calls: bool) -> (FinishReason, String) {
    let status = word(response.field("status")).unwrap_or_else(|| "completed".to_owned());
    let details = response.field("incomplete_details").and_then(|r| Object::parse(r.get()).ok());
    let why = details.and_then(|details| word(details.field("reason")));
    match (status.as_str(), why) {
        ("incomplete", Some(why)) if why == "content_filter" => (FinishReason::ContentFilter, why),
        ("incomplete", Some(why)) => (FinishReason::Length, why),
        ("incomplete", None) => (FinishReason::Length, status),
        ("failed" | "cancelled", _) => (FinishReason::Error, status),
        _ if has_calls => (FinishReason::ToolCalls, status),
        _ => (FinishReason::Stop, status),
    }
}

/// Whether a response's field is the gateway's to write.
pub(super) fn is_owned(name: &str) -> bool {
    const OURS: [&str; 14] = [
        "id",
        "object",
        "created_at",
        "model",
        "provider",
        "status",
        "error",
        "error_type",
        "incomplete_details",
        "output",
        "output_text",
        "usage",
        "store",
        "previous_response_id",
    ];
    OURS.contains(&name)
}
