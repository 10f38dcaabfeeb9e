//! What the plugin did, for clients that ask how their request was served (entries of
//! `openrouter_metadata.pipeline`), and what clients get whose generation fails.
//!
//! ```
//! use patchbay_sdk::{report, testing};
//! # testing::kit();
//! report::stage("plugin", "web-search").summary("5 results").data("engine", "exa").send();
//! assert_eq!(testing::stages()[0].name, "web-search");
//! report::if_failed("search_results", ["…"]);
//! assert_eq!(testing::if_failed()[0].value, r#"["…"]"#);
//! ```

use crate::{Field, host};
use serde::Serialize;

/// Puts a field into `error.metadata` should the generation fail: what the client can send with the
/// next try, so that it need not be done, or paid for, again. Of one name the last counts. It is at
/// most 8 MiB, with all others of the plugin; what is over is dropped.
pub fn if_failed(name: &str, value: impl Serialize) {
    host::report::if_failed(name, &serde_json::to_string(&value).unwrap_or_default());
}

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
