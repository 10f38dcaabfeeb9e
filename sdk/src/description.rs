//! Builds a plugin's description of itself.

use crate::{Description, Kind, Limit};

impl Description {
    /// A plugin without options, suffixes or wishes. `id` is what requests name in `plugins`
    /// (lower-case letters, digits, `-`); `version` is usually `env!("CARGO_PKG_VERSION")`.
    pub fn new(id: &str, version: &str, kind: Kind) -> Self {
        Self {
            id: id.into(),
            version: version.into(),
            kind,
            summary: String::new(),
            options: r#"{"type":"object","additionalProperties":false}"#.into(),
            suffixes: Vec::new(),
            limits: Vec::new(),
            capabilities: Vec::new(),
        }
    }

    /// One sentence for people.
    #[must_use]
    pub fn summary(mut self, sentence: &str) -> Self {
        self.summary = sentence.into();
        self
    }

    /// The options' JSON Schema, as text; its type is `object`. The host checks options by it.
    #[must_use]
    pub fn options(mut self, schema: &str) -> Self {
        self.options = schema.into();
        self
    }

    /// A model suffix that enables the plugin, without the colon.
    #[must_use]
    pub fn suffix(mut self, suffix: &str) -> Self {
        self.suffixes.push(suffix.into());
        self
    }

    /// Asks for a limit other than the host's default: `cpu-ms`, `memory-bytes`, `held-bytes` or
    /// `held-ms`. The operator caps it.
    #[must_use]
    pub fn limit(mut self, name: &str, value: u64) -> Self {
        self.limits.push(Limit { name: name.into(), value });
        self
    }

    /// Wants a capability that the operator must grant.
    #[must_use]
    pub fn capability(mut self, name: &str) -> Self {
        self.capabilities.push(name.into());
        self
    }
}
