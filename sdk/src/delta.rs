//! Small conveniences on deltas.

use crate::{Delta, Interest, ReasoningDelta, TextDelta};

impl Delta {
    /// A piece of the answer's text.
    pub fn text(choice: u16, text: impl Into<String>) -> Self {
        Self::Text(TextDelta { choice, text: text.into() })
    }

    /// A piece of visible thought that belongs to no block.
    pub fn reasoning(choice: u16, text: impl Into<String>) -> Self {
        Self::Reasoning(ReasoningDelta { choice, text: text.into(), detail: None })
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
