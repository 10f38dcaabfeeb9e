//! Deltas, both ways.

use wire::{Delta, Json};

use super::super::bindings::types as wit;
use super::super::fault::Failed;
use super::{lift_detail, lift_json, lift_role, lower_detail, lower_role};

/// A delta as the guest sees it.
pub(in crate::plugin) fn lower_delta(delta: &Delta) -> wit::DeltaParam<'_> {
    use wit::DeltaParam as To;
    match delta {
        Delta::Role { choice, role } => {
            To::Role(wit::RoleDelta { choice: *choice, role: lower_role(*role) })
        }
        Delta::Text { choice, text } => To::Text(wit::TextDeltaParam { choice: *choice, text }),
        Delta::Reasoning { choice, text, detail } => To::Reasoning(wit::ReasoningDeltaParam {
            choice: *choice,
            text,
            detail: detail.as_ref().map(lower_detail),
        }),
        Delta::ToolCall { choice, index, id, name, arguments } => {
            To::ToolCall(wit::ToolCallDeltaParam {
                choice: *choice,
                index: *index,
                id: id.as_deref(),
                name: name.as_deref(),
                arguments,
            })
        }
        Delta::Refusal { choice, text } => {
            To::Refusal(wit::TextDeltaParam { choice: *choice, text })
        }
        Delta::Annotation { choice, json } => To::Annotation(lower_json(*choice, json)),
        Delta::Image { choice, json } => To::Image(lower_json(*choice, json)),
        Delta::Audio { choice, json } => To::Audio(lower_json(*choice, json)),
        Delta::Finish { choice, reason, native } => To::Finish(wit::FinishDeltaParam {
            choice: *choice,
            reason: lower_finish(*reason),
            native: native.as_deref(),
        }),
        Delta::Usage(usage) => To::Usage(lower_usage(usage)),
        Delta::Other { choice, kind, json } => {
            To::Other(wit::OtherDeltaParam { choice: *choice, kind, json: json.as_str() })
        }
    }
}

fn lower_json(choice: u16, json: &Json) -> wit::JsonDeltaParam<'_> {
    wit::JsonDeltaParam { choice, json: json.as_str() }
}

/// A delta that a guest returned.
///
/// # Errors
/// JSON that is none.
pub(in crate::plugin) fn lift_delta(delta: wit::DeltaResult) -> Result<Delta, Failed> {
    use wit::DeltaResult as From;
    Ok(match delta {
        From::Role(it) => Delta::Role { choice: it.choice, role: lift_role(it.role) },
        From::Text(it) => Delta::Text { choice: it.choice, text: it.text },
        From::Reasoning(it) => Delta::Reasoning {
            choice: it.choice,
            text: it.text,
            detail: it.detail.map(lift_detail),
        },
        From::ToolCall(it) => Delta::ToolCall {
            choice: it.choice,
            index: it.index,
            id: it.id,
            name: it.name,
            arguments: it.arguments,
        },
        From::Refusal(it) => Delta::Refusal { choice: it.choice, text: it.text },
        From::Annotation(it) => {
            Delta::Annotation { choice: it.choice, json: lift_json(it.json, "an annotation")? }
        }
        From::Image(it) => {
            Delta::Image { choice: it.choice, json: lift_json(it.json, "an image")? }
        }
        From::Audio(it) => {
            Delta::Audio { choice: it.choice, json: lift_json(it.json, "a piece of audio")? }
        }
        From::Finish(it) => {
            let reason = lift_finish(it.reason);
            Delta::Finish { choice: it.choice, reason, native: it.native }
        }
        From::Usage(it) => Delta::Usage(lift_usage(&it)),
        From::Other(it) => {
            let json = lift_json(it.json, "an `other` delta")?;
            Delta::Other { choice: it.choice, kind: it.kind, json }
        }
    })
}

/// A finish reason as the guest sees it.
pub(in crate::plugin) fn lower_finish(reason: wire::FinishReason) -> wit::FinishReason {
    match reason {
        wire::FinishReason::Stop => wit::FinishReason::Stop,
        wire::FinishReason::Length => wit::FinishReason::Length,
        wire::FinishReason::ToolCalls => wit::FinishReason::ToolCalls,
        wire::FinishReason::ContentFilter => wit::FinishReason::ContentFilter,
        wire::FinishReason::Error => wit::FinishReason::Error,
    }
}

fn lift_finish(reason: wit::FinishReason) -> wire::FinishReason {
    match reason {
        wit::FinishReason::Stop => wire::FinishReason::Stop,
        wit::FinishReason::Length => wire::FinishReason::Length,
        wit::FinishReason::ToolCalls => wire::FinishReason::ToolCalls,
        wit::FinishReason::ContentFilter => wire::FinishReason::ContentFilter,
        wit::FinishReason::Error => wire::FinishReason::Error,
    }
}

/// Token counts as the guest sees them.
pub(in crate::plugin) fn lower_usage(usage: &wire::Usage) -> wit::Usage {
    wit::Usage {
        prompt: usage.prompt,
        completion: usage.completion,
        cached: usage.cached,
        cache_write: usage.cache_write,
        cache_write_one_hour: usage.cache_write_1h,
        reasoning: usage.reasoning,
        audio_prompt: usage.audio_prompt,
        audio_completion: usage.audio_completion,
        image_completion: usage.image_completion,
        web_searches: usage.web_searches,
    }
}

fn lift_usage(usage: &wit::Usage) -> wire::Usage {
    wire::Usage {
        prompt: usage.prompt,
        completion: usage.completion,
        cached: usage.cached,
        cache_write: usage.cache_write,
        cache_write_1h: usage.cache_write_one_hour,
        reasoning: usage.reasoning,
        audio_prompt: usage.audio_prompt,
        audio_completion: usage.audio_completion,
        image_completion: usage.image_completion,
        web_searches: usage.web_searches,
    }
}

/// Bytes of content, for the limits on what is held and on what comes back.
pub(in crate::plugin) fn size_of(delta: &Delta) -> usize {
    match delta {
        Delta::Text { text, .. } | Delta::Refusal { text, .. } => text.len(),
        Delta::Reasoning { text, detail, .. } => {
            let bytes = |detail: &wire::ReasoningDetail| {
                [&detail.signature, &detail.data].into_iter().flatten().map(String::len).sum()
            };
            text.len().saturating_add(detail.as_ref().map_or(0, bytes))
        }
        Delta::ToolCall { name, arguments, .. } => {
            arguments.len().saturating_add(name.as_ref().map_or(0, String::len))
        }
        Delta::Annotation { json, .. } | Delta::Image { json, .. } | Delta::Audio { json, .. } => {
            json.as_str().len()
        }
        Delta::Other { kind, json, .. } => kind.len().saturating_add(json.as_str().len()),
        Delta::Role { .. } | Delta::Finish { .. } | Delta::Usage(_) => 0,
    }
    .saturating_add(DELTA_BYTES)
}

/// What a delta costs beside its content; so that a million empty ones are not free.
const DELTA_BYTES: usize = 16;
