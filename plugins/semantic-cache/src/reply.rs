//! A kept reply: what a reader saw of it.

use patchbay_sdk::{Delta, FinishReason, JsonDelta, Role};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Text, thought and annotations of a reply that ended by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reply {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) reasoning: String,
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) annotations: Vec<Value>,
}

impl Reply {
    /// The reply as if the model gave it now. The text is one piece.
    pub(crate) fn deltas(self) -> Vec<Delta> {
        let mut deltas = vec![Delta::role(0, Role::Assistant)];
        if !self.reasoning.is_empty() {
            deltas.push(Delta::reasoning(0, self.reasoning));
        }
        deltas.push(Delta::text(0, self.text));
        let annotation = |json: Value| JsonDelta { choice: 0, json: json.to_string() };
        deltas.extend(self.annotations.into_iter().map(annotation).map(Delta::Annotation));
        deltas.push(Delta::finish(0, FinishReason::Stop));
        deltas
    }
}
