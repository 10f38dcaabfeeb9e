//! Failures in both directions: `{"__type":"ThrottlingException","message":"…"}`, and exceptions
//! inside of streams, whose names begin small.

use crate::availability::Availability;
use crate::error::{ErrorType, Failure};
use crate::json::{Json, Object};
use crate::json_text::{ObjectWriter, object, shorten, text_of};

/// Reads the body of an error status.
pub(super) fn read_error(status: u16, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let fields = Object::parse(&text).ok();
    let failure = fields.and_then(|fields| read_failure(&fields, None, Some(status)));
    failure.unwrap_or_else(|| {
        let trimmed = text.trim();
        let message = match trimmed.is_empty() {
            true => format!("the provider answered {status} without a body"),
            false if trimmed.len() > MESSAGE_BYTES_MAX => shorten(trimmed),
            false => trimmed.to_owned(),
        };
        let known = of_message(&message);
        Failure::new(known.unwrap_or_else(|| ErrorType::of_status(status)), message)
    })
}

/// Reads an exception of a stream.
pub(super) fn read_exception(name: &str, text: &str) -> Failure {
    let fields = Object::parse(text).unwrap_or_default();
    read_failure(&fields, Some(name), None).unwrap_or_else(|| {
        Failure::new(of_name(name).unwrap_or(ErrorType::ProviderUnavailable), failed_with(name))
    })
}

/// Whether a whole body is an error, though its status says otherwise.
pub(super) fn of_body(fields: &Object<'_>) -> Option<Failure> {
    fields.field("__type").and_then(|_| read_failure(fields, None, None))
}

fn read_failure(fields: &Object<'_>, name: Option<&str>, status: Option<u16>) -> Option<Failure> {
    let kind = text_of(fields, "__type").or_else(|| text_of(fields, "code"));
    // `com.amazon.coral.service#UnrecognizedClientException`
    let kind = kind.map(|kind| kind.rsplit('#').next().unwrap_or_default().to_owned());
    let kind = kind.or_else(|| name.map(str::to_owned));
    let message = ["message", "Message", "originalMessage"].iter();
    let mut message = message.filter_map(|key| text_of(fields, key)).filter(|it| !it.is_empty());
    let message = match (message.next(), &kind) {
        (Some(message), _) => message,
        (None, Some(kind)) => failed_with(kind),
        (None, None) => return None,
    };
    let by_name = kind.as_deref().and_then(of_name);
    let by_status = || status.map_or(ErrorType::ProviderUnavailable, ErrorType::of_status);
    let error_type = match by_name.unwrap_or_else(by_status) {
        // One exception for all that can be wrong with a request: its words tell more.
        ErrorType::InvalidRequest | ErrorType::PermissionDenied => of_message(&message),
        _ => None,
    };
    let mut failure = Failure::new(error_type.or(by_name).unwrap_or_else(by_status), message);
    failure.provider_code = kind;
    let raw = object(|writer| {
        fields.0.iter().for_each(|(key, value)| writer.raw(key, value.get()));
    });
    if raw.as_str().len() <= RAW_BYTES_MAX {
        failure.metadata.push((RAW.to_owned(), raw));
    }
    Some(failure)
}

/// Writes an error body.
pub(super) fn write_error(failure: &Failure) -> Vec<u8> {
    let body = object(|writer| {
        writer.field("__type", exception(failure.error_type));
        write_message(writer, failure);
    });
    body.as_str().as_bytes().to_vec()
}

/// An exception that ends a stream: its name and its payload.
pub(super) fn write_exception(failure: &Failure) -> (&'static str, Json) {
    let name = match exception(failure.error_type) {
        "ThrottlingException" => "throttlingException",
        "InternalServerException" => "internalServerException",
        "ServiceUnavailableException" => "serviceUnavailableException",
        "ModelErrorException" | "ModelTimeoutException" => "modelStreamErrorException",
        _ => "validationException",
    };
    (name, object(|writer| write_message(writer, failure)))
}

fn write_message(writer: &mut ObjectWriter<'_>, failure: &Failure) {
    writer.field("message", &failure.message);
    writer.some("availability", Availability::json(failure).as_ref());
}

/// The exception for a type: the first of its rows.
fn exception(error_type: ErrorType) -> &'static str {
    let row = EXCEPTIONS.iter().find(|(known, _)| *known == error_type);
    row.map_or("ValidationException", |(_, name)| name)
}

/// The type of an exception; streams write its first letter small.
fn of_name(name: &str) -> Option<ErrorType> {
    let row = EXCEPTIONS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
    row.map(|(found, _)| *found)
}

fn of_message(message: &str) -> Option<ErrorType> {
    let message = message.to_ascii_lowercase();
    PHRASES.iter().find(|(phrase, _)| message.contains(phrase)).map(|(_, found)| *found)
}

fn failed_with(name: &str) -> String {
    format!("the provider failed with `{name}`")
}

/// Amazon's words. Several types share one; reading takes the first.
const EXCEPTIONS: [(ErrorType, &str); 25] = [
    (ErrorType::InvalidRequest, "ValidationException"),
    (ErrorType::RateLimitExceeded, "ThrottlingException"),
    (ErrorType::RateLimitExceeded, "TooManyRequestsException"),
    (ErrorType::RateLimitExceeded, "ServiceQuotaExceededException"),
    (ErrorType::PermissionDenied, "AccessDeniedException"),
    (ErrorType::Authentication, "UnrecognizedClientException"),
    (ErrorType::Authentication, "ExpiredTokenException"),
    (ErrorType::Authentication, "InvalidSignatureException"),
    (ErrorType::Authentication, "IncompleteSignatureException"),
    (ErrorType::Authentication, "MissingAuthenticationTokenException"),
    (ErrorType::PaymentRequired, "AccessDeniedException"),
    (ErrorType::NotFound, "ResourceNotFoundException"),
    (ErrorType::ProviderOverloaded, "ServiceUnavailableException"),
    (ErrorType::ProviderOverloaded, "ModelNotReadyException"),
    (ErrorType::ProviderUnavailable, "ModelErrorException"),
    (ErrorType::ProviderUnavailable, "ModelStreamErrorException"),
    (ErrorType::ProviderUnavailable, "InternalServerException"),
    (ErrorType::Timeout, "ModelTimeoutException"),
    (ErrorType::Server, "InternalServerException"),
    (ErrorType::Unmapped, "InternalServerException"),
    (ErrorType::ProviderUnavailable, "InternalFailure"),
    (ErrorType::PreconditionFailed, "ConflictException"),
    (ErrorType::InvalidRequest, "SerializationException"),
    (ErrorType::NotFound, "UnknownOperationException"),
    (ErrorType::PayloadTooLarge, "RequestEntityTooLargeException"),
];

const PHRASES: [(&str, ErrorType); 9] = [
    ("input is too long", ErrorType::ContextLengthExceeded),
    ("prompt is too long", ErrorType::ContextLengthExceeded),
    ("exceed context limit", ErrorType::ContextLengthExceeded),
    ("too many input tokens", ErrorType::ContextLengthExceeded),
    ("input tokens exceeded", ErrorType::ContextLengthExceeded),
    ("maximum tokens you requested exceeds", ErrorType::MaxTokensExceeded),
    ("content filtering policy", ErrorType::ContentPolicyViolation),
    ("security token included in the request", ErrorType::Authentication),
    ("bearer token", ErrorType::Authentication),
];

/// A longer body is not repeated to the client.
const RAW_BYTES_MAX: usize = 16 * 1024;

/// The key of `error.metadata` for what the upstream wrote.
const RAW: &str = "raw";

/// A proxy's whole error page is not a message.
const MESSAGE_BYTES_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_words_mean_what_they_say() {
        let cases = [
            (
                400,
                r#"{"message":"Input is too long for requested model."}"#,
                ErrorType::ContextLengthExceeded,
            ),
            (400, r#"{"message":"Malformed input request"}"#, ErrorType::InvalidRequest),
            (
                403,
                r#"{"message":"The security token included in the request is expired"}"#,
                ErrorType::Authentication,
            ),
            (
                403,
                r#"{"Message":"User is not authorized to perform: bedrock:InvokeModel"}"#,
                ErrorType::PermissionDenied,
            ),
            (
                400,
                r#"{"__type":"com.amazon.coral.service#ThrottlingException","message":"slow"}"#,
                ErrorType::RateLimitExceeded,
            ),
            (
                424,
                r#"{"__type":"ModelErrorException","message":"x"}"#,
                ErrorType::ProviderUnavailable,
            ),
            (500, r#"{"__type":"InternalServerException"}"#, ErrorType::ProviderUnavailable),
            (503, "<html>busy</html>", ErrorType::ProviderOverloaded),
            (403, r#"{"Output":{"__type":"x"}}"#, ErrorType::PermissionDenied),
        ];
        for (status, body, expected) in cases {
            assert_eq!(read_error(status, body.as_bytes()).error_type, expected, "{body}");
        }
    }

    #[test]
    fn every_failure_is_an_exception_that_is_read_as_its_like() {
        for (error_type, name, _) in ErrorType::ALL {
            let failure = Failure::new(error_type, "why");
            let back = read_error(error_type.status(), &write_error(&failure));
            assert_eq!(back.message, "why");
            let (event, payload) = write_exception(&failure);
            let streamed = read_exception(event, payload.as_str());
            let is_ours = |it: ErrorType| it.status() >= 500;
            assert_eq!(is_ours(streamed.error_type), is_ours(error_type), "{name}: {event}");
        }
    }
}
