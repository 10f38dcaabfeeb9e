//! What the plugin did, for clients that ask how their request was served: entries of
//! `openrouter_metadata.pipeline`.
//!
//! ```
//! use patchbay_sdk::{report, testing};
//! # testing::kit();
//! report::stage("plugin", "web-search").summary("5 results").data("engine", "exa").send();
//! assert_eq!(testing::stages()[0].name, "web-search");
//! ```

use crate::{Field, host};
use serde::Serialize;

/// Begins an entry. `kind` is its `type`: `plugin`, `guardrail`, `context_compression`, ….
pub fn stage(kind: &str, name: &str) -> Stage {
    Stage { kind: kind.into(), name: name.into(), summary: None, data: Vec::new() }
}

/// An entry in the making.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "nothing is told before `send`"]
pub struct Stage {
    /// `type`
    pub kind: String,
    /// What did it.
    pub name: String,
    /// One sentence for people.
    pub summary: Option<String>,
    /// Fields of `data`.
    pub data: Vec<Field>,
}

impl Stage {
    /// One sentence for people.
    pub fn summary(mut self, sentence: &str) -> Self {
        self.summary = Some(sentence.into());
        self
    }

    /// A field of `data`.
    pub fn data(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or_default();
        self.data.push(Field::new(name, value));
        self
    }

    /// Tells the host.
    pub fn send(self) {
        host::report::stage(&self.kind, &self.name, self.summary.as_deref(), &self.data);
    }
}
