//! Errors: every compatible host's variants are read, OpenRouter's envelope is written.

use serde_json::value::RawValue;

use super::emit;
use super::shape::{Body, list, text, word};
use crate::availability::Availability;
use crate::error::{ErrorType, Failure, StreamError};
use crate::json::{Json, Object};

mod kind;
mod retry;

/// Reads the body of an error status. With a status below 400 (an error inside of a good reply)
/// the body's own code counts.
pub(in crate::dialects) fn read(status: u16, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let parsed = serde_json::from_str::<&RawValue>(text).ok().map(unwrap_list);
    let Some(fields) = parsed.and_then(|raw| Object::parse(raw.get()).ok()) else {
        return of_text(status, text);
    };
    let error = Said::read(&fields);
    let status = match status {
        400.. => Some(status),
        _ => error.status(),
    };
    let mut failure = error.failure(status);
    if body.len() <= MAX_RAW {
        push_metadata(&mut failure, "raw", parsed.map_or_else(Json::null, Json::from));
    }
    failure
}

/// The failure that stands where a reply or an event was expected, if it does.
pub(super) fn read_inside(body: &Body<'_>, bytes: &[u8]) -> Option<Failure> {
    let is_error = body.error.is_some_and(|error| !matches!(error.get(), "false" | "\"\"" | "{}"))
        || word(body.object).as_deref() == Some("error")
        || (body.choices.is_none() && body.has_message);
    if is_error {
        return Some(read(200, bytes));
    }
    // A choice of a stream that fails ends the stream; one of a whole reply keeps what it said.
    let error =
        body.choices.iter().flatten().filter(|choice| choice.has_delta).find_map(|choice| {
            choice.rest.iter().find(|(name, _)| name == "error").map(|(_, error)| *error)
        })?;
    Some(read(200, format!(r#"{{"error":{}}}"#, error.get()).as_bytes()))
}

/// The failure that stands where the reply of another call was expected, if it does.
pub(super) fn inside(fields: &Object<'_>, body: &[u8]) -> Option<StreamError> {
    let error = fields.field("error")?;
    let is_error = !matches!(error.get(), "null" | "false" | "\"\"" | "{}");
    is_error.then(|| StreamError::Upstream(read(200, body)))
}

/// Writes OpenRouter's envelope. A status of 500 says nothing beyond its message and its type.
pub(super) fn write(failure: &Failure) -> Vec<u8> {
    let mut out = Vec::new();
    let mut body = emit::Object::begin(&mut out);
    body.object("error", |error| write_fields(failure, error));
    body.end();
    out
}

/// Writes the fields of `error`.
pub(in crate::dialects) fn write_fields(failure: &Failure, error: &mut emit::Object<'_>) {
    error.value("code", &failure.status);
    error.value("message", &failure.message);
    error.object("metadata", |metadata| {
        metadata.value("error_type", failure.error_type.as_str());
        if failure.status == 500 {
            return;
        }
        metadata.optional("provider_code", failure.provider_code.as_ref());
        for (name, value) in &failure.metadata {
            metadata.raw(name, value.as_str());
        }
    });
    error.optional("availability", Availability::json(failure).as_ref());
}

/// What an error body says, wherever it says it.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    kind: Option<String>,
    code: Option<String>,
    error_type: Option<ErrorType>,
    retry_after_ms: Option<u64>,
    metadata: Vec<(String, Json)>,
}

impl Said {
    fn read(body: &Object<'_>) -> Self {
        let mut said = Self::default();
        let inner = body.field("error").and_then(|raw| Object::parse(raw.get()).ok());
        let objects: Vec<&Object<'_>> = inner.iter().chain([body]).collect();
        let first = |names: &[&str], read: fn(&RawValue) -> Option<String>| {
            objects
                .iter()
                .find_map(|object| names.iter().find_map(|name| object.field(name).and_then(read)))
        };
        let in_error = body.field("error").and_then(|raw| word(Some(raw)));
        said.message = first(&["message", "detail", "msg", "error_message", "errors"], message);
        said.message = said.message.or(in_error);
        said.kind = first(&["type", "status"], |raw| word(Some(raw)));
        said.code = first(&["code", "error_code", "status_code"], scalar);
        said.retry_after_ms = objects.iter().find_map(|object| retry::in_fields(object));
        let metadata = objects.iter().find_map(|object| object.field("metadata"));
        if let Some(metadata) = metadata.and_then(|raw| Object::parse(raw.get()).ok()) {
            said.read_metadata(&metadata);
        }
        let in_message = || said.message.as_deref().and_then(retry::in_message);
        said.retry_after_ms = said.retry_after_ms.or_else(in_message);
        said
    }

    /// OpenRouter's own: its type is ours, the rest is passed on.
    fn read_metadata(&mut self, metadata: &Object<'_>) {
        for (name, value) in &metadata.0 {
            match &**name {
                "error_type" => {
                    let name = text(Some(value)).unwrap_or_default();
                    let row = ErrorType::ALL.iter().find(|(_, known, _)| *known == name);
                    self.error_type = row.map(|(error_type, ..)| *error_type);
                }
                "provider_code" => self.code = scalar(value).or(self.code.take()),
                "raw" => {}
                _ => self.metadata.push((name.to_string(), Json::from(*value))),
            }
        }
        self.retry_after_ms = self.retry_after_ms.or_else(|| retry::in_fields(metadata));
    }

    /// The HTTP status that the body itself names.
    fn status(&self) -> Option<u16> {
        let code = self.code.as_deref()?.parse().ok()?;
        (400..600).contains(&code).then_some(code)
    }

    fn failure(self, status: Option<u16>) -> Failure {
        let words = [self.code.as_deref(), self.kind.as_deref()];
        let message = self.message.as_deref().unwrap_or_default();
        let error_type = self
            .error_type
            .or_else(|| kind::of_words(&words))
            .or_else(|| kind::of_message(status, message));
        let by_status = || status.map_or(ErrorType::ProviderUnavailable, ErrorType::of_status);
        let error_type = error_type.unwrap_or_else(by_status);
        let is_status = |code: &String| code.parse::<u16>().is_ok_and(|code| Some(code) == status);
        let text = if message.is_empty() { NO_MESSAGE } else { message };
        Failure {
            // A host's 500 is its own; to our clients 500 would be ours.
            status: status.filter(|status| *status != 500).unwrap_or_else(|| error_type.status()),
            provider_code: self.code.filter(|code| !is_status(code)).or(self.kind),
            retry_after_ms: self.retry_after_ms,
            metadata: self.metadata,
            ..Failure::new(error_type, excerpt_of(text, MAX_MESSAGE))
        }
    }
}

/// A message is text, a list of them (FastAPI's `detail`), or an object that has one inside.
fn message(raw: &RawValue) -> Option<String> {
    if let Some(text) = word(Some(raw)) {
        return Some(text);
    }
    let one = |raw: &RawValue| {
        let fields = Object::parse(raw.get()).ok()?;
        let text = ["msg", "message", "error", "detail"]
            .iter()
            .find_map(|name| word(fields.field(name)))?;
        let place: Vec<String> = list(fields.field("loc")).into_iter().filter_map(scalar).collect();
        Some(if place.is_empty() { text } else { format!("{}: {text}", place.join(".")) })
    };
    if let Some(text) = one(raw) {
        return Some(text);
    }
    let inner = Object::parse(raw.get()).ok().and_then(|fields| fields.field("detail"));
    let texts: Vec<String> = list(inner.or(Some(raw)))
        .into_iter()
        .filter_map(|raw| word(Some(raw)).or_else(|| one(raw)))
        .collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// A string or a number as text.
fn scalar(raw: &RawValue) -> Option<String> {
    let number = || raw.get().parse::<i64>().ok().map(|number| number.to_string());
    word(Some(raw)).or_else(number)
}

/// Google wraps the body into a list of one.
fn unwrap_list(raw: &RawValue) -> &RawValue {
    list(Some(raw)).first().copied().unwrap_or(raw)
}

/// A body that is no JSON object: a proxy's page, or plain words.
fn of_text(status: u16, body: &str) -> Failure {
    let is_page = body.starts_with('<');
    let page_title = || {
        let (_, rest) = body.split_once("<title>")?;
        rest.split_once("</title>").map(|(title, _)| title.trim().to_owned())
    };
    let message = if is_page { page_title().unwrap_or_default() } else { body.to_owned() };
    let status = Some(status).filter(|status| *status >= 400);
    let mut failure = Said { message: Some(message), ..Said::default() }.failure(status);
    if !body.is_empty() {
        let raw = Json::of(&excerpt_of(body, MAX_MESSAGE));
        push_metadata(&mut failure, "raw", raw);
    }
    failure
}

fn push_metadata(failure: &mut Failure, name: &str, value: Json) {
    failure.metadata.push((name.to_owned(), value));
}

fn excerpt_of(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

const NO_MESSAGE: &str = "Provider returned error";
const MAX_MESSAGE: usize = 2000;
const MAX_RAW: usize = 16 * 1024;

#[cfg(test)]
mod tests;
