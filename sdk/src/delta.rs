//! Small conveniences on deltas.

use crate::{
    Delta, FinishDelta, FinishReason, Interest, JsonDelta, ReasoningDelta, Role, RoleDelta,
    TextDelta, Usage,
};
use serde_json::Value;

impl Delta {
    /// A piece of the answer's text.
    pub fn text(choice: u16, text: impl Into<String>) -> Self {
        Self::Text(TextDelta { choice, text: text.into() })
    }

    /// A piece of visible thought that belongs to no block.
    pub fn reasoning(choice: u16, text: impl Into<String>) -> Self {
        Self::Reasoning(ReasoningDelta { choice, text: text.into(), detail: None })
    }

    /// The model's word that it will not answer.
    pub fn refusal(choice: u16, text: impl Into<String>) -> Self {
        Self::Refusal(TextDelta { choice, text: text.into() })
    }

    /// Who speaks; the first delta of a reply.
    pub fn role(choice: u16, role: Role) -> Self {
        Self::Role(RoleDelta { choice, role })
    }

    /// An annotation of the text, a citation say, as the client's dialect writes it.
    pub fn annotation(choice: u16, value: impl Into<Value>) -> Self {
        Self::Annotation(JsonDelta { choice, json: value.into().to_string() })
    }

    /// Why the choice ended; its last delta.
    pub fn finish(choice: u16, reason: FinishReason) -> Self {
        Self::Finish(FinishDelta { choice, reason, native: None })
    }

    /// The choice it belongs to; none for what belongs to the whole reply.
    pub fn choice(&self) -> Option<u16> {
        match self {
            Self::Role(delta) => Some(delta.choice),
            Self::Text(delta) | Self::Refusal(delta) => Some(delta.choice),
            Self::Reasoning(delta) => Some(delta.choice),
            Self::ToolCall(delta) => Some(delta.choice),
            Self::Annotation(delta) | Self::Image(delta) | Self::Audio(delta) => Some(delta.choice),
            Self::Finish(delta) => Some(delta.choice),
            Self::Usage(_) => None,
            Self::Other(delta) => delta.choice,
        }
    }

    /// The flag by which a plugin asks for deltas of this kind.
    pub fn interest(&self) -> Interest {
        match self {
            Self::Role(_) => Interest::ROLE,
            Self::Text(_) => Interest::TEXT,
            Self::Reasoning(_) => Interest::REASONING,
            Self::ToolCall(_) => Interest::TOOL_CALL,
            Self::Refusal(_) => Interest::REFUSAL,
            Self::Annotation(_) => Interest::ANNOTATION,
            Self::Image(_) => Interest::IMAGE,
            Self::Audio(_) => Interest::AUDIO,
            Self::Finish(_) => Interest::FINISH,
            Self::Usage(_) => Interest::USAGE,
            Self::Other(_) => Interest::OTHER,
        }
    }

    /// Changes the text of a text delta; any other delta stays as it is.
    #[must_use]
    pub fn map_text(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Text(TextDelta { choice, text }) => Self::text(choice, change(text)),
            other => other,
        }
    }
}

#[expect(clippy::derivable_impls, reason = "the type is generated")]
impl Default for Usage {
    fn default() -> Self {
        Self {
            prompt: None,
            completion: None,
            cached: None,
            cache_write: None,
            cache_write_one_hour: None,
            reasoning: None,
            audio_prompt: None,
            audio_completion: None,
            image_completion: None,
            web_searches: None,
        }
    }
}
