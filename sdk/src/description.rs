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

    /// Asks for a lower limit than the operator's, by its name (`cpu-ms`, `memory-bytes`,
    /// `held-bytes`, …). A higher one changes nothing.
    #[must_use]
    pub fn limit(mut self, name: &str, value: u64) -> Self {
        self.limits.push(Limit { name: name.into(), value });
        self
    }

    /// Wants a capability that the operator must grant, in the words in which it is granted:
    /// `http=https://api.exa.ai`, `secrets=EXA_KEY`, `models=openai/*`, `search=docs`. Without
    /// `=…` it wants whatever the operator grants, so say what you can. What is granted is what
    /// both name. `tokens`, `log`, `metrics`, `state` and `system` need no grant.
    #[must_use]
    pub fn capability(mut self, name: &str) -> Self {
        self.capabilities.push(name.into());
        self
    }
}
