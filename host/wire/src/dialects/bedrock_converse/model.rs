//! What follows from the model: one API serves many makers' models, and what is theirs alone goes
//! into `additionalModelRequestFields` in the maker's own words.

use crate::dialect::{ReasoningStyle, Target};

/// Whose words a model knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Anthropic's.
    Claude,
    /// Amazon's.
    Nova,
    /// OpenAI's open models.
    Gpt,
    /// Nobody's in particular.
    Other,
}

impl Family {
    /// By the upstream's name of the model. The name of an inference profile tells nothing; then
    /// only Claude thinks by budgets or adaptively.
    pub(super) fn of(to: &Target<'_>) -> Self {
        let is = |part: &str| to.model.contains(part);
        match to.reasoning {
            _ if is("claude") || is("anthropic.") => Self::Claude,
            _ if is("nova") => Self::Nova,
            _ if is("openai.") => Self::Gpt,
            ReasoningStyle::Budget | ReasoningStyle::Adaptive => Self::Claude,
            ReasoningStyle::None | ReasoningStyle::Effort => Self::Other,
        }
    }

    /// Whether prompts can be cached; other models refuse a cache point (2026-08,
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>).
    pub(super) fn caches(self) -> bool {
        matches!(self, Self::Claude | Self::Nova)
    }
}

/// Whether the model can be held to a schema (2026-08,
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>).
pub(super) fn takes_schema(to: &Target<'_>) -> bool {
    !to.quirks.no_json_schema && !NO_SCHEMA.iter().any(|part| to.model.contains(part))
}

/// Parts of the names of models that can't.
const NO_SCHEMA: [&str; 12] = [
    "amazon.nova",
    "amazon.titan",
    "meta.llama",
    "ai21.",
    "cohere.command",
    "claude-v2",
    "claude-instant",
    "claude-3",
    "claude-opus-4-20",
    "claude-opus-4-1",
    "claude-sonnet-4-20",
    "deepseek.r1",
];
