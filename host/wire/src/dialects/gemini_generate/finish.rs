//! Google's finish reasons and ours.

use crate::chunk::FinishReason;

/// What a finish reason means. Words that are not known mean that the model was done.
pub(super) fn read(native: &str, called_tools: bool) -> FinishReason {
    match native {
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "MALFORMED_RESPONSE"
        | "NO_IMAGE"
        | "IMAGE_OTHER" => FinishReason::Error,
        _ if called_tools => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    }
}

/// The word for a client: the upstream's own if it is one of Google's.
pub(super) fn write(reason: FinishReason, native: Option<&str>) -> String {
    let usual = match reason {
        FinishReason::Stop | FinishReason::ToolCalls => return "STOP".to_owned(),
        FinishReason::Length => return "MAX_TOKENS".to_owned(),
        FinishReason::ContentFilter => "SAFETY",
        FinishReason::Error => "OTHER",
    };
    native.filter(|native| read(native, false) == reason).unwrap_or(usual).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_after_a_call_waits_for_the_tool() {
        assert_eq!(read("STOP", true), FinishReason::ToolCalls);
        assert_eq!(read("STOP", false), FinishReason::Stop);
        assert_eq!(read("MAX_TOKENS", true), FinishReason::Length);
        assert_eq!(read("MALFORMED_FUNCTION_CALL", true), FinishReason::Error);
    }

    #[test]
    fn googles_own_word_goes_back() {
        assert_eq!(write(FinishReason::ContentFilter, Some("RECITATION")), "RECITATION");
        assert_eq!(write(FinishReason::ContentFilter, Some("refusal")), "SAFETY");
        assert_eq!(write(FinishReason::ToolCalls, Some("tool_use")), "STOP");
    }
}
