//! Failures in both directions: OpenAI's bodies and events are read, OpenRouter's are written.

use serde_json::value::RawValue;

use crate::availability::Availability;
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::dialects::openai_chat::error as chat;
use crate::dialects::openai_chat::shape::text;
use crate::error::{ErrorType, Failure};
use crate::json::Object;

/// Reads the body of an error status. OpenRouter says its type beside `error`.
pub(super) fn read(status: u16, body: &[u8]) -> Failure {
    let mut failure = chat::read(status, body);
    let fields = std::str::from_utf8(body).ok().and_then(|text| Object::parse(text).ok());
    let name = fields.and_then(|fields| text(fields.field("error_type")));
    let row = ErrorType::ALL.iter().find(|(_, known, _)| Some(*known) == name.as_deref());
    if let Some((error_type, ..)) = row {
        failure.error_type = *error_type;
        if status < 400 {
            failure.status = error_type.status();
        }
    }
    failure
}

/// Reads the failure of a response that began: its `error`, and `error_type` where there is one.
pub(super) fn read_failed(response: &Object<'_>) -> Failure {
    let field = |name: &str| response.field(name).map_or("null", RawValue::get);
    let body = format!(r#"{{"error":{},"error_type":{}}}"#, field("error"), field("error_type"));
    read(200, body.as_bytes())
}

/// Writes the body of an error status.
pub(super) fn write(failure: &Failure) -> Vec<u8> {
    let mut out = Vec::new();
    let mut body = Writer::begin(&mut out);
    body.object("error", |error| chat::write_fields(failure, error));
    body.value("error_type", failure.error_type.as_str());
    body.end();
    out
}

/// Writes the `error` of a response that began.
pub(super) fn write_inside(failure: &Failure, out: &mut Vec<u8>) {
    let mut error = Writer::begin(out);
    error.value("code", code(failure.error_type));
    error.value("message", &failure.message);
    error.optional("availability", Availability::json(failure).as_ref());
    error.end();
}

/// OpenAI's word for a type.
fn code(error_type: ErrorType) -> &'static str {
    match error_type {
        ErrorType::RateLimitExceeded => "rate_limit_exceeded",
        ErrorType::ContextLengthExceeded | ErrorType::InvalidRequest | ErrorType::InvalidPrompt => {
            "invalid_prompt"
        }
        ErrorType::ContentPolicyViolation => "image_content_policy_violation",
        _ => "server_error",
    }
}

/// Whether the failure is that something is too long, which this dialect tells as a reply that
/// ended early.
pub(super) fn is_length(failure: &Failure) -> bool {
    matches!(
        failure.error_type,
        ErrorType::ContextLengthExceeded
            | ErrorType::MaxTokensExceeded
            | ErrorType::TokenLimitExceeded
            | ErrorType::StringTooLong
    )
}
