//! Failures in both directions.

use super::*;
use crate::error::{ErrorType, Failure};

fn read(status: u16, kind: &str, message: &str) -> Failure {
    let body = json!({"type": "error", "error": {"type": kind, "message": message}});
    AnthropicMessages.read_error(status, body.to_string().as_bytes())
}

#[test]
fn anthropics_words_become_types() {
    use ErrorType::*;
    let cases = [
        (400, "invalid_request_error", "messages: must not be empty", InvalidRequest),
        (400, "invalid_request_error", "prompt is too long: 9 tokens > 8", ContextLengthExceeded),
        (400, "invalid_request_error", "Your credit balance is too low", PaymentRequired),
        (
            400,
            "invalid_request_error",
            "max_tokens: 9 > 8, which is the maximum allowed number of output tokens",
            MaxTokensExceeded,
        ),
        (401, "authentication_error", "invalid x-api-key", Authentication),
        (403, "permission_error", "no", PermissionDenied),
        (404, "not_found_error", "model: x", NotFound),
        (413, "request_too_large", "big", PayloadTooLarge),
        (429, "rate_limit_error", "slow", RateLimitExceeded),
        (500, "api_error", "broken", ProviderUnavailable),
        (529, "overloaded_error", "Overloaded", ProviderOverloaded),
        (418, "new_error", "?", InvalidRequest),
    ];
    for (status, kind, message, expected) in cases {
        let failure = read(status, kind, message);
        assert_eq!(failure.error_type, expected, "{kind}: {message}");
        assert_eq!(failure.status, expected.status());
        assert_eq!(failure.message, message);
        assert_eq!(failure.provider_code.as_deref(), Some(kind));
    }
}

#[test]
fn a_gateways_exact_type_wins() {
    let body = json!({"type": "error", "error": {"type": "api_error", "message": "m",
        "error_type": "timeout", "availability": {"retry_after": 1.5}}});
    let failure = AnthropicMessages.read_error(504, body.to_string().as_bytes());
    assert_eq!((failure.error_type, failure.retry_after_ms), (ErrorType::Timeout, Some(1500)));
}

#[test]
fn an_unreadable_body_becomes_the_message() {
    let failure = AnthropicMessages.read_error(502, b"<html>bad gateway</html>");
    assert_eq!(failure.message, "<html>bad gateway</html>");
    assert_eq!(failure.error_type, ErrorType::ProviderUnavailable);
    assert!(AnthropicMessages.read_error(500, b"").message.contains("500"));
    AnthropicMessages.read_error(500, b"\xff{");
    AnthropicMessages.read_error(500, br#"{"error":"text"}"#);
}

#[test]
fn every_type_is_told_in_the_dialects_envelope() {
    for (error_type, name, _) in ErrorType::ALL {
        let body = AnthropicMessages.write_error(&Failure::new(error_type, "m"), Some(&head()));
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["type"], &body["request_id"]), (&json!("error"), &json!("gen-1")));
        assert_eq!(body["error"]["error_type"], name);
        let again = AnthropicMessages.read_error(error_type.status(), body.to_string().as_bytes());
        assert_eq!(again.error_type, error_type);
    }
    let early = AnthropicMessages.write_error(&Failure::new(ErrorType::Authentication, "m"), None);
    let early: Value = serde_json::from_slice(&early).unwrap();
    assert_eq!(
        (&early["request_id"], &early["error"]["type"]),
        (&Value::Null, &json!("authentication_error"))
    );
}
