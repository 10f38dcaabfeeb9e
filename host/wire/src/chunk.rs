//! The canonical stream: chunks of deltas. Every dialect's stream is read into these and written
//! from these; hooks see nothing else. `wit/types.wit` mirrors the list.

use crate::json::Json;
use crate::source::Source;

/// One upstream event: the changes it made, in order, and the event itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chunk {
    /// The changes.
    pub deltas: Vec<Delta>,
    /// The event as it came. Whoever changes `deltas` sets it to `None`.
    pub source: Option<Source>,
}

impl Chunk {
    /// A chunk that was made here.
    pub fn of(deltas: Vec<Delta>) -> Self {
        Self { deltas, source: None }
    }
}

/// One change of the reply. `choice` counts from 0.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// A choice begins.
    Role {
        /// Which choice.
        choice: u16,
        /// Who speaks: the assistant.
        role: Role,
    },
    /// Words for the reader.
    Text {
        /// Which choice.
        choice: u16,
        /// The next piece.
        text: String,
    },
    /// Thought.
    Reasoning {
        /// Which choice.
        choice: u16,
        /// The next piece of visible thought, possibly empty.
        text: String,
        /// The block it belongs to.
        detail: Option<ReasoningDetail>,
    },
    /// A piece of a tool call.
    ToolCall {
        /// Which choice.
        choice: u16,
        /// Which call of the choice, from 0, in order of first appearance.
        index: u16,
        /// In the call's first piece.
        id: Option<String>,
        /// In the call's first piece.
        name: Option<String>,
        /// The next piece of the arguments' JSON text.
        arguments: String,
    },
    /// The model declines.
    Refusal {
        /// Which choice.
        choice: u16,
        /// The next piece.
        text: String,
    },
    /// A citation or a file, in OpenRouter's form (`{"type":"url_citation",…}`).
    Annotation {
        /// Which choice.
        choice: u16,
        /// The whole annotation.
        json: Json,
    },
    /// A picture, in OpenRouter's form (`{"type":"image_url","image_url":{"url":…}}`).
    Image {
        /// Which choice.
        choice: u16,
        /// The whole image.
        json: Json,
    },
    /// Sound, in OpenAI's form (`{"id":…,"data":…,"transcript":…}`).
    Audio {
        /// Which choice.
        choice: u16,
        /// The next piece.
        json: Json,
    },
    /// A choice ends.
    Finish {
        /// Which choice.
        choice: u16,
        /// Why.
        reason: FinishReason,
        /// The upstream's own word.
        native: Option<String>,
    },
    /// Token counts: the whole reply's so far; a later one replaces what it names.
    Usage(Usage),
    /// Anything else, kept up to the edge. Written only by the dialect that `kind` begins with
    /// (`openai-chat.logprobs`, `anthropic-messages.server_tool_use`).
    Other {
        /// Which choice, when it belongs to one.
        choice: Option<u16>,
        /// `<dialect>.<name>`.
        kind: String,
        /// The whole thing.
        json: Json,
    },
}

impl Delta {
    /// The choice it belongs to.
    pub fn choice(&self) -> Option<u16> {
        match self {
            Self::Role { choice, .. }
            | Self::Text { choice, .. }
            | Self::Reasoning { choice, .. }
            | Self::ToolCall { choice, .. }
            | Self::Refusal { choice, .. }
            | Self::Annotation { choice, .. }
            | Self::Image { choice, .. }
            | Self::Audio { choice, .. }
            | Self::Finish { choice, .. } => Some(*choice),
            Self::Other { choice, .. } => *choice,
            Self::Usage(_) => None,
        }
    }

    /// Makes it one of another choice, if it belongs to one.
    pub fn move_to(&mut self, to: u16) {
        match self {
            Self::Role { choice, .. }
            | Self::Text { choice, .. }
            | Self::Reasoning { choice, .. }
            | Self::ToolCall { choice, .. }
            | Self::Refusal { choice, .. }
            | Self::Annotation { choice, .. }
            | Self::Image { choice, .. }
            | Self::Audio { choice, .. }
            | Self::Finish { choice, .. }
            | Self::Other { choice: Some(choice), .. } => *choice = to,
            Self::Other { choice: None, .. } | Self::Usage(_) => {}
        }
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The operator's instructions.
    System,
    /// The same, in OpenAI's newer word.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool's result.
    Tool,
}

/// The block that a piece of reasoning belongs to (OpenRouter's `reasoning_details`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReasoningDetail {
    /// What kind of block.
    pub kind: ReasoningKind,
    /// The block's own name.
    pub id: Option<String>,
    /// Who can read it back (`anthropic-claude-v1`, `google-gemini-v1`, …).
    pub format: Option<String>,
    /// Position among the reply's blocks.
    pub index: Option<u32>,
    /// Proof that the text is the model's. Kept byte for byte.
    pub signature: Option<String>,
    /// An encrypted block's content. Kept byte for byte.
    pub data: Option<String>,
}

/// The kinds of reasoning blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReasoningKind {
    /// The thought itself (`reasoning.text`).
    #[default]
    Text,
    /// What was thought, shortened (`reasoning.summary`).
    Summary,
    /// Unreadable (`reasoning.encrypted`).
    Encrypted,
}

/// Why a choice ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model was done, or met a stop text.
    Stop,
    /// A token limit.
    Length,
    /// The model waits for tool results.
    ToolCalls,
    /// Something was not to be said.
    ContentFilter,
    /// The upstream failed.
    Error,
}

impl FinishReason {
    /// The name on OpenRouter's wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Error => "error",
        }
    }
}

/// Token counts as the upstream reported them. `None` was not reported.
/// `prompt` includes cached and written tokens; `completion` includes reasoning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read.
    pub prompt: Option<u64>,
    /// Tokens written.
    pub completion: Option<u64>,
    /// Of `prompt`: read from the prompt cache.
    pub cached: Option<u64>,
    /// Of `prompt`: written to the prompt cache (5 minutes).
    pub cache_write: Option<u64>,
    /// Of `prompt`: written to the prompt cache for an hour.
    pub cache_write_1h: Option<u64>,
    /// Of `completion`: thought.
    pub reasoning: Option<u64>,
    /// Of `prompt`: sound.
    pub audio_prompt: Option<u64>,
    /// Of `completion`: sound.
    pub audio_completion: Option<u64>,
    /// Of `completion`: pictures.
    pub image_completion: Option<u64>,
    /// Searches the provider made.
    pub web_searches: Option<u64>,
}

impl Usage {
    /// Takes what `later` reports and keeps the rest.
    pub fn update(&mut self, later: &Self) {
        let pairs = [
            (&mut self.prompt, later.prompt),
            (&mut self.completion, later.completion),
            (&mut self.cached, later.cached),
            (&mut self.cache_write, later.cache_write),
            (&mut self.cache_write_1h, later.cache_write_1h),
            (&mut self.reasoning, later.reasoning),
            (&mut self.audio_prompt, later.audio_prompt),
            (&mut self.audio_completion, later.audio_completion),
            (&mut self.image_completion, later.image_completion),
            (&mut self.web_searches, later.web_searches),
        ];
        for (ours, theirs) in pairs {
            *ours = theirs.or(*ours);
        }
    }
}

/// The counts of several replies. What none of them reported stays unreported.
impl<'a> std::iter::Sum<&'a Self> for Usage {
    fn sum<I: Iterator<Item = &'a Self>>(counts: I) -> Self {
        let add = |left: Option<u64>, right: Option<u64>| match (left, right) {
            (Some(left), Some(right)) => Some(left.saturating_add(right)),
            (left, right) => left.or(right),
        };
        counts.fold(Self::default(), |sum, one| Self {
            prompt: add(sum.prompt, one.prompt),
            completion: add(sum.completion, one.completion),
            cached: add(sum.cached, one.cached),
            cache_write: add(sum.cache_write, one.cache_write),
            cache_write_1h: add(sum.cache_write_1h, one.cache_write_1h),
            reasoning: add(sum.reasoning, one.reasoning),
            audio_prompt: add(sum.audio_prompt, one.audio_prompt),
            audio_completion: add(sum.audio_completion, one.audio_completion),
            image_completion: add(sum.image_completion, one.image_completion),
            web_searches: add(sum.web_searches, one.web_searches),
        })
    }
}
