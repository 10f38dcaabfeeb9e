//! The upstreams' words for why a choice ended.

use crate::chunk::FinishReason;

/// The reason that a host's word means. A word that nobody knows is a good end: the reply is
/// whole, and the word itself is kept beside it.
pub(super) fn read(native: &str) -> FinishReason {
    let known =
        WORDS.iter().find(|(_, words)| words.iter().any(|w| w.eq_ignore_ascii_case(native)));
    known.map_or(FinishReason::Stop, |(reason, _)| *reason)
}

const WORDS: [(FinishReason, &[&str]); 4] = [
    (
        FinishReason::Length,
        &[
            "length",
            "max_tokens",
            "max_output_tokens",
            "model_length",
            "max_length",
            "context_length",
            "model_context_window_exceeded",
        ],
    ),
    (FinishReason::ToolCalls, &["tool_calls", "tool_call", "function_call", "tool_use"]),
    (
        FinishReason::ContentFilter,
        &[
            "content_filter",
            "content_filtered",
            "refusal",
            "safety",
            "sensitive",
            "recitation",
            "blocklist",
            "prohibited_content",
            "error_toxic",
        ],
    ),
    (
        FinishReason::Error,
        &[
            "error",
            "network_error",
            "insufficient_system_resource",
            "abort",
            "malformed_function_call",
            "error_limit",
        ],
    ),
];
