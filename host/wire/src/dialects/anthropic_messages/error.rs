//! Failures in both directions: `{"type":"error","error":{"type","message","error_type"}}`.

use serde_json::value::RawValue;

use super::json_text::{ObjectWriter, keep, object, present, shorten, text_of};
use crate::availability::Availability;
use crate::error::{ErrorType, Failure, image};
use crate::json::{Json, Object};

/// Reads the body of an error status.
pub(super) fn read_error(status: u16, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let of_json = Object::parse(&text).ok().and_then(|fields| {
        let mut failure = read_failure(fields.field("error")?, Some(status))?;
        let whole = Json::parse(text.as_ref()).unwrap_or_else(|_| Json::null());
        failure.metadata = vec![(RAW.to_owned(), whole)];
        if body.len() > RAW_BYTES_MAX {
            failure.metadata.clear();
        }
        Some(failure)
    });
    of_json.unwrap_or_else(|| {
        let trimmed = text.trim();
        let message = match trimmed.is_empty() {
            true => format!("the provider answered {status} without a body"),
            false => shorten_message(trimmed),
        };
        let error_type = of_message(&message).unwrap_or_else(|| ErrorType::of_status(status));
        Failure::new(error_type, message)
    })
}

/// Reads the object under `error`, of a body or of an event; `None` if it isn't one.
pub(super) fn read_failure(error: &RawValue, status: Option<u16>) -> Option<Failure> {
    let fields = Object::parse(error.get()).ok()?;
    let kind = text_of(&fields, "type").unwrap_or_default();
    let message = text_of(&fields, "message").filter(|message| !message.is_empty());
    let message = message.unwrap_or_else(|| format!("the provider failed with `{kind}`"));
    // An upstream that is a gateway of OpenRouter's kind says more exactly what happened.
    let exact = text_of(&fields, "error_type").and_then(|name| {
        ErrorType::ALL.iter().find(|(_, known, _)| *known == name).map(|(found, ..)| *found)
    });
    let by_kind = KINDS.iter().find(|(_, name)| *name == kind).map(|(found, _)| *found);
    let by_kind = match by_kind {
        None | Some(ErrorType::InvalidRequest) => of_message(&message).or(by_kind),
        known => known,
    };
    let by_status = || status.map_or(ErrorType::ProviderUnavailable, ErrorType::of_status);
    let mut failure = Failure::new(exact.or(by_kind).unwrap_or_else(by_status), message);
    failure.provider_code = Some(kind).filter(|kind| !kind.is_empty());
    failure.retry_after_ms = retry_after_ms(&fields);
    failure.metadata.push((RAW.to_owned(), keep(error)));
    Some(failure)
}

/// Writes an error body, which is also the error event.
pub(super) fn write_error(failure: &Failure, id: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    writer.field("type", "error");
    let error = object(|writer| {
        writer.field("type", kind(failure.error_type));
        writer.field("message", &failure.message);
        writer.field("error_type", failure.error_type.as_str());
        writer.some("availability", Availability::json(failure).as_ref());
    });
    writer.field("error", &error);
    writer.field("request_id", &id);
    writer.close();
    out
}

/// The dialect's word for a type: the first of its rows.
fn kind(error_type: ErrorType) -> &'static str {
    let row = KINDS.iter().find(|(known, _)| *known == error_type);
    row.map_or("invalid_request_error", |(_, name)| name)
}

/// Anthropic says in words what others say in codes.
fn of_message(message: &str) -> Option<ErrorType> {
    let message = message.to_ascii_lowercase();
    let row = PHRASES.iter().find(|(phrase, _)| message.contains(phrase));
    row.map(|(_, found)| *found).or_else(|| image::of_message(&message))
}

fn retry_after_ms(fields: &Object<'_>) -> Option<u64> {
    let availability = present(fields, "availability");
    let availability = availability.and_then(|value| Object::parse(value.get()).ok());
    let nested = availability.as_ref().and_then(|fields| present(fields, "retry_after"));
    let seconds = present(fields, "retry_after").or(nested)?;
    let seconds: f64 = serde_json::from_str(seconds.get()).ok()?;
    let wait = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    u64::try_from(wait.as_millis()).ok()
}

fn shorten_message(text: &str) -> String {
    if text.len() <= MESSAGE_BYTES_MAX { text.to_owned() } else { shorten(text) }
}

/// The dialect's words. Several types share one; reading takes the first.
const KINDS: [(ErrorType, &str); 13] = [
    (ErrorType::InvalidRequest, "invalid_request_error"),
    (ErrorType::Authentication, "authentication_error"),
    (ErrorType::PaymentRequired, "billing_error"),
    (ErrorType::PermissionDenied, "permission_error"),
    (ErrorType::NotFound, "not_found_error"),
    (ErrorType::PayloadTooLarge, "request_too_large"),
    (ErrorType::RateLimitExceeded, "rate_limit_error"),
    (ErrorType::Timeout, "timeout_error"),
    (ErrorType::ProviderOverloaded, "overloaded_error"),
    (ErrorType::ProviderUnavailable, "api_error"),
    (ErrorType::Server, "api_error"),
    (ErrorType::Unmapped, "api_error"),
    (ErrorType::ImageNotFound, "not_found_error"),
];

const PHRASES: [(&str, ErrorType); 6] = [
    ("prompt is too long", ErrorType::ContextLengthExceeded),
    ("exceed context limit", ErrorType::ContextLengthExceeded),
    ("maximum allowed number of output tokens", ErrorType::MaxTokensExceeded),
    ("credit balance is too low", ErrorType::PaymentRequired),
    ("content filtering policy", ErrorType::ContentPolicyViolation),
    ("request exceeds the maximum size", ErrorType::PayloadTooLarge),
];

/// A longer body is not repeated to the client.
const RAW_BYTES_MAX: usize = 16 * 1024;

/// The key of `error.metadata` for what the upstream wrote.
const RAW: &str = "raw";

/// A proxy's whole error page is not a message.
const MESSAGE_BYTES_MAX: usize = 500;
