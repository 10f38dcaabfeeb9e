//! What can go wrong in reading and writing, and what an upstream says when it fails.

use crate::availability::Availability;
use crate::json::Json;

pub(crate) mod image;

/// A body that is not what the dialect says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}, found {found}")]
pub struct ReadError {
    /// Where: `messages[2].content[0].type`; `body` for the whole.
    pub path: String,
    /// What should stand there.
    pub expected: String,
    /// What stands there, shortened.
    pub found: String,
}

impl ReadError {
    /// An error at a path.
    pub fn new(
        path: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), expected: expected.into(), found: found.into() }
    }
}

/// A request that the dialect has no form for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{dialect} can't carry {what}")]
pub struct WriteError {
    /// The dialect that was asked.
    pub dialect: &'static str,
    /// What it can't say (`a video in messages[3]`).
    pub what: String,
}

/// What ends the reading of a reply.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StreamError {
    /// The upstream broke its own dialect.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The upstream said that it failed.
    #[error("{}", .0.message)]
    Upstream(Failure),
}

/// A failure as a client is told of it, in any dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The HTTP status.
    pub status: u16,
    /// What kind, stable across surfaces.
    pub error_type: ErrorType,
    /// For people. Names the fix where there is one.
    pub message: String,
    /// The provider's own code.
    pub provider_code: Option<String>,
    /// When to try again, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// Further fields of `error.metadata` (`raw`, `provider_name`, `reasons`, …), in order.
    pub metadata: Vec<(String, Json)>,
    /// Why no endpoint could serve the request, where that is what failed.
    pub availability: Option<Box<Availability>>,
}

impl Failure {
    /// A failure with its type's usual status.
    pub fn new(error_type: ErrorType, message: impl Into<String>) -> Self {
        Self {
            status: error_type.status(),
            error_type,
            message: message.into(),
            provider_code: None,
            retry_after_ms: None,
            metadata: Vec::new(),
            availability: None,
        }
    }
}

/// OpenRouter's `error_type`, each with its usual status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// The conversation is longer than the model reads.
    ContextLengthExceeded,
    /// More tokens asked for than the model writes.
    MaxTokensExceeded,
    /// Too many tokens otherwise.
    TokenLimitExceeded,
    /// A text is too long.
    StringTooLong,
    /// No valid key.
    Authentication,
    /// A valid key that may not.
    PermissionDenied,
    /// No money.
    PaymentRequired,
    /// Too often.
    RateLimitExceeded,
    /// The provider has no room.
    ProviderOverloaded,
    /// The provider is broken or unreachable.
    ProviderUnavailable,
    /// Something in the request is wrong.
    InvalidRequest,
    /// The prompt is not accepted.
    InvalidPrompt,
    /// No such thing.
    NotFound,
    /// A condition of the request does not hold.
    PreconditionFailed,
    /// The body is too large.
    PayloadTooLarge,
    /// Well-formed, but not acceptable.
    Unprocessable,
    /// The provider's rules forbid the content.
    ContentPolicyViolation,
    /// The model refused.
    Refusal,
    /// A picture that is none.
    InvalidImage,
    /// A picture of too many bytes or pixels.
    ImageTooLarge,
    /// A picture of too few pixels.
    ImageTooSmall,
    /// A picture in a format that is not known.
    UnsupportedImageFormat,
    /// No picture of that name.
    ImageNotFound,
    /// No picture at that address.
    ImageDownloadFailed,
    /// Took too long.
    Timeout,
    /// Our own fault.
    Server,
    /// Something that has no name yet.
    Unmapped,
}

impl ErrorType {
    /// Every type, with its name on the wire and its usual status.
    pub const ALL: [(Self, &'static str, u16); 27] = [
        (Self::ContextLengthExceeded, "context_length_exceeded", 400),
        (Self::MaxTokensExceeded, "max_tokens_exceeded", 400),
        (Self::TokenLimitExceeded, "token_limit_exceeded", 400),
        (Self::StringTooLong, "string_too_long", 400),
        (Self::Authentication, "authentication", 401),
        (Self::PermissionDenied, "permission_denied", 403),
        (Self::PaymentRequired, "payment_required", 402),
        (Self::RateLimitExceeded, "rate_limit_exceeded", 429),
        (Self::ProviderOverloaded, "provider_overloaded", 503),
        (Self::ProviderUnavailable, "provider_unavailable", 502),
        (Self::InvalidRequest, "invalid_request", 400),
        (Self::InvalidPrompt, "invalid_prompt", 400),
        (Self::NotFound, "not_found", 404),
        (Self::PreconditionFailed, "precondition_failed", 412),
        (Self::PayloadTooLarge, "payload_too_large", 413),
        (Self::Unprocessable, "unprocessable", 422),
        (Self::ContentPolicyViolation, "content_policy_violation", 400),
        (Self::Refusal, "refusal", 400),
        (Self::InvalidImage, "invalid_image", 400),
        (Self::ImageTooLarge, "image_too_large", 400),
        (Self::ImageTooSmall, "image_too_small", 400),
        (Self::UnsupportedImageFormat, "unsupported_image_format", 400),
        (Self::ImageNotFound, "image_not_found", 404),
        (Self::ImageDownloadFailed, "image_download_failed", 400),
        (Self::Timeout, "timeout", 504),
        (Self::Server, "server", 500),
        (Self::Unmapped, "unmapped", 500),
    ];

    fn row(self) -> (&'static str, u16) {
        let row = Self::ALL.iter().find(|(known, ..)| *known == self);
        row.map_or(("server", 500), |(_, name, status)| (name, *status))
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The usual status.
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// The type that an upstream's bare status means.
    pub fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Authentication,
            402 => Self::PaymentRequired,
            403 => Self::PermissionDenied,
            404 => Self::NotFound,
            408 | 504 | 524 => Self::Timeout,
            412 => Self::PreconditionFailed,
            413 => Self::PayloadTooLarge,
            422 => Self::Unprocessable,
            429 => Self::RateLimitExceeded,
            503 | 529 => Self::ProviderOverloaded,
            400..=499 => Self::InvalidRequest,
            _ => Self::ProviderUnavailable,
        }
    }
}
