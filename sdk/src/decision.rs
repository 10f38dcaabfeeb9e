//! Builds what a hook answers.

use crate::{
    Decision, Delta, Error, Field, FinishReason, Rejection, Role, ToolOutput, ToolResultPart,
};
use serde_json::Value;

impl Rejection {
    /// A deliberate no: `status` is 400 to 499, or 503, and `message` is what the client reads.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), metadata: Vec::new(), retry_after_ms: None }
    }

    /// Adds a field of `error.metadata`: `.metadata("reasons", vec!["violence"])`.
    #[must_use]
    pub fn metadata(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata.push(Field::new(name, value));
        self
    }

    /// When to try again.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u32) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

impl ToolOutput {
    /// What the model is told.
    pub fn text(text: impl Into<String>) -> Self {
        Self { parts: vec![ToolResultPart::Text(text.into())], is_error: false }
    }

    /// What was wrong, for the model, which may try again.
    pub fn error(reason: &str) -> Self {
        Self { is_error: true, ..Self::text(reason) }
    }
}

impl Decision {
    /// What to decide when the plugin can't use its options, although its schema let them through: a
    /// rejection with 400 that says why. Any other error fails the hook.
    ///
    /// # Errors
    /// `error`, unless it is `Error::Options`.
    pub fn refuse_options(plugin: &str, error: Error) -> Result<Self, Error> {
        match error {
            Error::Options(reason) => {
                let message = format!("plugins: options of `{plugin}`: {reason}");
                Ok(Self::Reject(Rejection::new(400, message)))
            }
            other => Err(other),
        }
    }

    /// Answers with a text instead of asking the model.
    pub fn answer(text: impl Into<String>) -> Self {
        Self::Answer(vec![
            Delta::role(0, Role::Assistant),
            Delta::text(0, text),
            Delta::finish(0, FinishReason::Stop),
        ])
    }
}
