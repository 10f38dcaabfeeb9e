//! Which of our error types a host's words mean.

use crate::error::{ErrorType, image};

/// By the body's `code` and `type`.
pub(super) fn of_words(words: &[Option<&str>]) -> Option<ErrorType> {
    words.iter().flatten().find_map(|word| {
        let word = word.to_ascii_lowercase();
        let row = WORDS.iter().find(|(_, known)| known.contains(&&*word));
        row.map(|(error_type, _)| *error_type).or_else(|| image::of_code(&word))
    })
}

/// By what the message says, for statuses that leave it open.
pub(super) fn of_message(status: Option<u16>, message: &str) -> Option<ErrorType> {
    if !matches!(status, None | Some(400 | 413 | 422 | 500..)) {
        return None;
    }
    let message = message.to_ascii_lowercase();
    let row = PHRASES.iter().find(|(_, phrases)| phrases.iter().any(|p| message.contains(p)));
    row.map(|(error_type, _)| *error_type).or_else(|| image::of_message(&message))
}

const WORDS: [(ErrorType, &[&str]); 11] = [
    (
        ErrorType::ContextLengthExceeded,
        &["context_length_exceeded", "context_window_exceeded", "prompt_too_long", "3051"],
    ),
    (ErrorType::StringTooLong, &["string_above_max_length", "string_too_long"]),
    (ErrorType::MaxTokensExceeded, &["max_tokens_exceeded"]),
    (
        ErrorType::RateLimitExceeded,
        &[
            "rate_limit_exceeded",
            "rate_limit_error",
            "rate_limit",
            "rate_limited",
            "too_many_requests",
            "insufficient_quota",
            "resource_exhausted",
        ],
    ),
    (
        ErrorType::ProviderOverloaded,
        &[
            "overloaded_error",
            "overloaded",
            "engine_overloaded",
            "engine_overloaded_error",
            "server_overloaded",
            "service_unavailable",
            "capacity_exceeded",
        ],
    ),
    (
        ErrorType::Authentication,
        &["invalid_api_key", "authentication_error", "invalid_authentication_error"],
    ),
    (ErrorType::PermissionDenied, &["permission_error", "permission_denied"]),
    (
        ErrorType::ContentPolicyViolation,
        &[
            "content_policy_violation",
            "content_filter",
            "data_inspection_failed",
            "moderation_blocked",
        ],
    ),
    (ErrorType::NotFound, &["model_not_found", "not_found_error", "not_found"]),
    (ErrorType::Timeout, &["timeout", "request_timeout", "timeout_error", "deadline_exceeded"]),
    (ErrorType::InvalidPrompt, &["invalid_prompt"]),
];

const PHRASES: [(ErrorType, &[&str]); 3] = [
    (
        ErrorType::ContextLengthExceeded,
        &[
            "context length",
            "context window",
            "context size",
            "context_length",
            "maximum prompt length",
            "prompt is too long",
            "input is too long",
            "input token count",
            "too many input tokens",
            "too large for model with",
            "reduce the length of the messages",
            "reduce the length of the input",
            "exceeds the maximum number of tokens",
        ],
    ),
    (
        ErrorType::MaxTokensExceeded,
        &[
            "max_tokens is too large",
            "max_completion_tokens is too large",
            "`max_tokens` must be less",
        ],
    ),
    (
        ErrorType::ContentPolicyViolation,
        &["content management policy", "content policy", "content_policy", "safety system"],
    ),
];
