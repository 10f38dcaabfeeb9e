//! Google's error bodies (`google.rpc.Status`, alone or in a list) and ours. The status word
//! decides, except where Google says something more exact in the details or the message.

use serde_json::{Value, json};

use crate::availability::Availability;
use crate::error::{ErrorType, Failure, image};
use crate::json::Json;

use super::fields::Fields;

/// Reads the body that came with a status, or an error inside a stream.
pub(super) fn read(status: u16, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let Some(error) = find(&text) else {
        let text: String = text.trim().chars().take(MESSAGE_CHARS_MAX).collect();
        let message = if text.is_empty() { format!("HTTP status {status}") } else { text.clone() };
        let mut failure = Failure::new(ErrorType::of_status(status), message);
        if !text.is_empty() {
            failure.metadata.push((RAW.to_owned(), Json::of(&text)));
        }
        return failure;
    };
    // What can't be read in an error body is passed over: a failure must be told in any case.
    let text_of = |fields: &Fields<'_>, key| fields.text(key).ok().flatten();
    let word = text_of(&error, "status");
    let code = error.integer::<u16>("code").ok().flatten().unwrap_or(status);
    let message = text_of(&error, "message").unwrap_or_else(|| format!("HTTP status {code}"));
    let details = error.objects("details").unwrap_or_default();
    let reason = details.iter().find_map(|detail| text_of(detail, "reason"));
    let is_ours = details.iter().any(|detail| text_of(detail, "domain").as_deref() == Some(DOMAIN));
    let named = reason.as_deref().filter(|_| is_ours).and_then(type_named);
    let said = || by_words(word.as_deref(), reason.as_deref(), &message);
    let error_type = named.or_else(said).unwrap_or_else(|| match code {
        200 => ErrorType::ProviderUnavailable,
        code => ErrorType::of_status(code),
    });
    let delay = details.iter().find_map(|detail| milliseconds(&text_of(detail, "retryDelay")?));
    let mut failure = Failure::new(error_type, message);
    failure.provider_code = word.or(reason);
    failure.retry_after_ms = delay;
    if body.len() <= RAW_BYTES_MAX {
        let raw = Json::parse(text.trim()).unwrap_or_else(|_| Json::of(&text));
        failure.metadata.push((RAW.to_owned(), raw));
    }
    failure
}

/// The error object: the body's, or that of a list's first element.
fn find(text: &str) -> Option<Fields<'_>> {
    let text = match text.trim_start().starts_with('[') {
        true => {
            serde_json::from_str::<Vec<&serde_json::value::RawValue>>(text).ok()?.first()?.get()
        }
        false => text,
    };
    Fields::parse(text).ok()?.object("error").ok()?
}

fn by_words(word: Option<&str>, reason: Option<&str>, message: &str) -> Option<ErrorType> {
    match reason {
        Some("API_KEY_INVALID" | "API_KEY_EXPIRED" | "ACCESS_TOKEN_EXPIRED") => {
            return Some(ErrorType::Authentication);
        }
        Some("BILLING_DISABLED") => return Some(ErrorType::PaymentRequired),
        _ => {}
    }
    Some(match word? {
        "INVALID_ARGUMENT" => by_message(&message.to_ascii_lowercase()),
        "OUT_OF_RANGE" => ErrorType::InvalidRequest,
        "UNAUTHENTICATED" => ErrorType::Authentication,
        "PERMISSION_DENIED" => ErrorType::PermissionDenied,
        "NOT_FOUND" => ErrorType::NotFound,
        "FAILED_PRECONDITION" => ErrorType::PreconditionFailed,
        "RESOURCE_EXHAUSTED" => ErrorType::RateLimitExceeded,
        "UNAVAILABLE" => ErrorType::ProviderOverloaded,
        "DEADLINE_EXCEEDED" | "CANCELLED" => ErrorType::Timeout,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" | "UNIMPLEMENTED" => ErrorType::ProviderUnavailable,
        _ => return None,
    })
}

/// Google's bad arguments, by what their messages say (in lower case).
fn by_message(message: &str) -> ErrorType {
    let says = |words: &str| message.contains(words);
    if says("api key not valid") || says("api key expired") {
        ErrorType::Authentication
    } else if says("token") && says("exceed") && (says("input") || says("context")) {
        ErrorType::ContextLengthExceeded
    } else if says("maxoutputtokens") || says("max_output_tokens") {
        ErrorType::MaxTokensExceeded
    } else if says("request payload size exceeds") {
        ErrorType::PayloadTooLarge
    } else {
        image::of_message(message).unwrap_or(ErrorType::InvalidRequest)
    }
}

/// A protobuf duration (`34.4s`).
fn milliseconds(duration: &str) -> Option<u64> {
    let seconds = duration.strip_suffix('s')?;
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let mut thousandths: u64 = 0;
    for letter in fraction.chars().chain("000".chars()).take(3) {
        thousandths = thousandths * 10 + u64::from(letter.to_digit(10)?);
    }
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(thousandths)
}

/// Writes an error body. Our own name of the error stands in the details as its reason.
pub(super) fn write(failure: &Failure) -> Vec<u8> {
    let mut metadata = serde_json::Map::new();
    let is_masked = failure.status == 500;
    let availability = Availability::json(failure).map(|json| ("availability".to_owned(), json));
    let told = failure.metadata.iter().filter(|_| !is_masked).chain(availability.as_ref());
    for (key, value) in told {
        // Google's metadata holds texts only.
        let text = value.read::<String>().unwrap_or_else(|_| value.as_str().to_owned());
        metadata.insert(key.clone(), Value::String(text));
    }
    if let Some(code) = failure.provider_code.as_ref().filter(|_| !is_masked) {
        metadata.insert("provider_code".to_owned(), Value::String(code.clone()));
    }
    let mut details = vec![json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": failure.error_type.as_str().to_ascii_uppercase(),
        "domain": DOMAIN,
        "metadata": metadata,
    })];
    if let Some(delay) = failure.retry_after_ms {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}.{:03}s", delay / 1000, delay % 1000),
        }));
    }
    let error = json!({
        "code": failure.status,
        "message": failure.message,
        "status": word_of(failure.status),
        "details": details,
    });
    json!({ "error": error }).to_string().into_bytes()
}

fn type_named(reason: &str) -> Option<ErrorType> {
    let reason = reason.to_ascii_lowercase();
    ErrorType::ALL.iter().find(|(_, name, _)| *name == reason).map(|(error_type, ..)| *error_type)
}

/// Google's word for a status.
fn word_of(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        402 | 403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 | 524 => "DEADLINE_EXCEEDED",
        412 => "FAILED_PRECONDITION",
        429 => "RESOURCE_EXHAUSTED",
        502 | 503 | 529 => "UNAVAILABLE",
        400..=499 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}

/// Whose reasons the details hold.
const DOMAIN: &str = "patchbay";

/// The key of the metadata for what the upstream wrote, and how much of it is repeated.
const RAW: &str = "raw";
const RAW_BYTES_MAX: usize = 16 * 1024;

/// How much of an unreadable body becomes the message.
const MESSAGE_CHARS_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, word: &str, message: &str, details: &Value) -> Failure {
        let error = json!({"code": status, "message": message, "status": word, "details": details});
        read(status, json!({ "error": error }).to_string().as_bytes())
    }

    #[test]
    fn googles_words_have_our_types() {
        let table = [
            (400, "INVALID_ARGUMENT", "Bad field", ErrorType::InvalidRequest),
            (
                400,
                "INVALID_ARGUMENT",
                "The input token count (9) exceeds the maximum number of tokens allowed (8).",
                ErrorType::ContextLengthExceeded,
            ),
            (400, "INVALID_ARGUMENT", "maxOutputTokens is 9e9", ErrorType::MaxTokensExceeded),
            (400, "INVALID_ARGUMENT", "API key not valid.", ErrorType::Authentication),
            (400, "FAILED_PRECONDITION", "Location", ErrorType::PreconditionFailed),
            (401, "UNAUTHENTICATED", "No", ErrorType::Authentication),
            (403, "PERMISSION_DENIED", "No", ErrorType::PermissionDenied),
            (404, "NOT_FOUND", "No", ErrorType::NotFound),
            (429, "RESOURCE_EXHAUSTED", "Quota", ErrorType::RateLimitExceeded),
            (500, "INTERNAL", "Oops", ErrorType::ProviderUnavailable),
            (503, "UNAVAILABLE", "Overloaded", ErrorType::ProviderOverloaded),
            (504, "DEADLINE_EXCEEDED", "Slow", ErrorType::Timeout),
            (418, "NEW_WORD", "?", ErrorType::InvalidRequest),
        ];
        for (status, word, message, error_type) in table {
            let failure = of(status, word, message, &json!([]));
            assert_eq!((failure.error_type, failure.message.as_str()), (error_type, message));
            assert_eq!(failure.provider_code.as_deref(), Some(word));
        }
    }

    #[test]
    fn an_invalid_key_is_an_authentication_failure_though_google_says_400() {
        let details = json!([{"reason": "API_KEY_INVALID", "domain": "googleapis.com"}]);
        let failure = of(400, "INVALID_ARGUMENT", "No", &details);
        assert_eq!((failure.error_type, failure.status), (ErrorType::Authentication, 401));
    }

    #[test]
    fn a_retry_delay_is_read_in_milliseconds() {
        let retry = |delay| of(429, "RESOURCE_EXHAUSTED", "", &json!([{"retryDelay": delay}]));
        assert_eq!(retry("34.4s").retry_after_ms, Some(34_400));
        assert_eq!(retry("2s").retry_after_ms, Some(2000));
        assert_eq!(retry("0.074051187s").retry_after_ms, Some(74));
        assert_eq!(retry("soon").retry_after_ms, None);
    }

    #[test]
    fn lists_and_unreadable_bodies_are_read() {
        let body = r#"[{"error":{"code":503,"message":"Busy","status":"UNAVAILABLE"}}]"#;
        let failure = read(503, body.as_bytes());
        assert_eq!(failure.error_type, ErrorType::ProviderOverloaded);
        assert_eq!(failure.metadata, [("raw".to_owned(), Json::parse(body).unwrap())]);
        assert_eq!(read(502, b"<html>Bad gateway").message, "<html>Bad gateway");
        assert_eq!(read(429, b"").error_type, ErrorType::RateLimitExceeded);
        assert_eq!(read(500, b"\xff[[{").error_type, ErrorType::ProviderUnavailable);
    }

    #[test]
    fn every_type_is_read_back_as_it_was_written() {
        for (error_type, ..) in ErrorType::ALL {
            let mut failure = Failure::new(error_type, "Why");
            failure.retry_after_ms = Some(1250);
            let again = read(failure.status, &write(&failure));
            assert_eq!((again.error_type, again.retry_after_ms), (error_type, Some(1250)));
        }
    }
}
