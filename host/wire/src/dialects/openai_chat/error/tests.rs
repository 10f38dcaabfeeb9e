//! Bodies that hosts send, with what they mean.

use super::*;

#[track_caller]
fn assert_means(status: u16, body: &str, expected: (u16, ErrorType, &str)) {
    let failure = read(status, body.as_bytes());
    assert_eq!((failure.status, failure.error_type, &*failure.message), expected, "{body}");
}

#[test]
fn every_hosts_error_body_is_read() {
    use ErrorType as T;
    let openai = r#"{"error":{"message":"This model's maximum context length is 8192 tokens.",
        "type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
    let said = "This model's maximum context length is 8192 tokens.";
    assert_means(400, openai, (400, T::ContextLengthExceeded, said));
    assert_means(
        400,
        r#"{"error":{"message":"Unknown parameter"}}"#,
        (400, T::InvalidRequest, "Unknown parameter"),
    );
    assert_means(
        400,
        r#"{"error":"prompt is too long"}"#,
        (400, T::ContextLengthExceeded, "prompt is too long"),
    );
    assert_means(
        429,
        r#"{"object":"error","message":"Slow down","code":429}"#,
        (429, T::RateLimitExceeded, "Slow down"),
    );
    assert_means(404, r#"{"detail":"Not Found"}"#, (404, T::NotFound, "Not Found"));
    let fastapi =
        r#"{"detail":[{"loc":["body","model"],"msg":"field required","type":"missing"}]}"#;
    assert_means(422, fastapi, (422, T::Unprocessable, "body.model: field required"));
    let mistral = r#"{"object":"error","message":{"detail":[{"loc":["body"],"msg":"bad"}]}}"#;
    assert_means(422, mistral, (422, T::Unprocessable, "body: bad"));
    let google = r#"[{"error":{"code":429,"message":"Quota.","status":"RESOURCE_EXHAUSTED"}}]"#;
    assert_means(429, google, (429, T::RateLimitExceeded, "Quota."));
    assert_means(
        503,
        "upstream connect error",
        (503, T::ProviderOverloaded, "upstream connect error"),
    );
    let page = "<!doctype html><html><head><title>502 Bad Gateway</title></head></html>";
    assert_means(502, page, (502, T::ProviderUnavailable, "502 Bad Gateway"));
    assert_means(500, "", (502, T::ProviderUnavailable, "Provider returned error"));
    assert_means(400, "[1", (400, T::InvalidRequest, "[1"));
    assert_means(401, "{}", (401, T::Authentication, "Provider returned error"));
}

#[test]
fn an_error_inside_of_a_good_reply_takes_its_own_code() {
    use ErrorType as T;
    let body =
        r#"{"error":{"code":429,"message":"Busy","metadata":{"provider_name":"X","raw":"r"}}}"#;
    assert_means(200, body, (429, T::RateLimitExceeded, "Busy"));
    let names: Vec<String> =
        read(200, body.as_bytes()).metadata.into_iter().map(|(n, _)| n).collect();
    assert_eq!(names, ["provider_name", "raw"]);
    assert_means(200, r#"{"error":{"message":"?"}}"#, (502, T::ProviderUnavailable, "?"));
    let typed = r#"{"error":{"message":"?","metadata":{"error_type":"provider_overloaded"}}}"#;
    assert_means(200, typed, (503, T::ProviderOverloaded, "?"));
    let code =
        read(200, br#"{"error":{"message":"?","type":"api_error","code":"weird"}}"#).provider_code;
    assert_eq!(code.as_deref(), Some("weird"));
}

#[test]
fn a_hint_when_to_retry_is_found() {
    let hint = |body: &str| read(429, body.as_bytes()).retry_after_ms;
    let said = |text: &str| hint(&format!(r#"{{"error":{{"message":"Limit. {text}"}}}}"#));
    assert_eq!(said("Please try again in 1.242s. Visit"), Some(1242));
    assert_eq!(said("Please try again in 7m12s."), Some(432_000));
    assert_eq!(said("Please try again in 20ms."), Some(20));
    assert_eq!(said("Please retry after 3 seconds"), Some(3000));
    assert_eq!(said("Please try again in a while"), None);
    assert_eq!(hint(r#"{"error":{"message":"x","retry_after":2}}"#), Some(2000));
    assert_eq!(hint(r#"{"error":{"message":"x","retry_after":-2}}"#), None);
    let google = r#"{"error":{"message":"x","details":[{"retryDelay":"34.4s"}]}}"#;
    assert_eq!(hint(google), Some(34_400));
}

#[test]
fn an_error_is_written_as_the_contract_says() {
    let mut failure = Failure::new(ErrorType::PaymentRequired, "No \"credit\"");
    failure.metadata.push(("provider_name".to_owned(), Json::null()));
    let expected = r#"{"error":{"code":402,"message":"No \"credit\"","metadata":{"error_type":"payment_required","provider_name":null}}}"#;
    assert_eq!(String::from_utf8(write(&failure)).unwrap(), expected);
    let failure = Failure::new(ErrorType::Server, "Internal Server Error");
    let expected = r#"{"error":{"code":500,"message":"Internal Server Error","metadata":{"error_type":"server"}}}"#;
    assert_eq!(String::from_utf8(write(&failure)).unwrap(), expected);
}
