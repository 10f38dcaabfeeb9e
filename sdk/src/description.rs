//! Builds a plugin's description of itself.

use crate::{Description, Kind, Limit};

impl Description {
    /// A plugin without options, triggers or wishes. `id` is what requests name in `plugins`
    /// (lower-case letters, digits, `-`); `version` is usually `env!("CARGO_PKG_VERSION")`.
    pub fn new(id: &str, version: &str, kind: Kind) -> Self {
        Self {
            id: id.into(),
            version: version.into(),
            kind,
            summary: String::new(),
            options: r#"{"type":"object","additionalProperties":false}"#.into(),
            triggers: Vec::new(),
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

    /// The options' JSON Schema, as text; its type is `object`. The host checks options by it, and
    /// the parameters of tools that stand for the plugin: they are options too, unless `$defs` has
    /// an entry by the tool's type (`acme:stock`), which says what they are.
    #[must_use]
    pub fn options(mut self, schema: &str) -> Self {
        self.options = schema.into();
        self
    }

    /// What in a request enables the plugin, beside its id in `plugins`: `suffix=online` (of the
    /// model's name), `model=openrouter/auto` (the model's name itself),
    /// `tool=openrouter:web_search` (a tool of that type), `field=web_search_options` (a field of
    /// the body), `media=file` (a part of that kind), `context=8192` (a model whose context is no
    /// longer). A suffix, a model and a tool belong to one plugin each.
    #[must_use]
    pub fn trigger(mut self, trigger: &str) -> Self {
        self.triggers.push(trigger.into());
        self
    }

    /// Asks for a lower limit than the operator's, by its name (`cpu-ms`, `memory-bytes`,
    /// `held-bytes`, …). A higher one changes nothing, unless the plugin is shipped with the gateway.
    #[must_use]
    pub fn limit(mut self, name: &str, value: u64) -> Self {
        self.limits.push(Limit { name: name.into(), value });
        self
    }

    /// Wants a capability that the operator must grant, in the words in which it is granted:
    /// `http=https://api.exa.ai`, `secrets=EXA_KEY`, `models=openai/*`, `search=docs`. Without
    /// `=…` it wants whatever the operator grants, so say what you can. What is granted is what
    /// both name. What never waits (`tokens`, `state`, `catalog`, …) needs no grant.
    #[must_use]
    pub fn capability(mut self, name: &str) -> Self {
        self.capabilities.push(name.into());
        self
    }
}
