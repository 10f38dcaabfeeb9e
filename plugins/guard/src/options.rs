//! The options, as `options.json` describes them.

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    pub(crate) rules: Vec<Listed>,
    pub(crate) content_filters: Vec<ContentFilter>,
    pub(crate) scan_scope: ScanScope,
}

/// One entry of `rules`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Listed {
    pub(crate) label: String,
    pub(crate) terms: Vec<String>,
    pub(crate) patterns: Vec<String>,
    pub(crate) action: Action,
    pub(crate) scope: Scope,
    pub(crate) ignore_case: bool,
    pub(crate) whole_word: bool,
}

/// One entry of `content_filters`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ContentFilter {
    pub(crate) pattern: String,
    pub(crate) action: Action,
    pub(crate) label: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Block,
    #[serde(alias = "redact")]
    Mask,
    Flag,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    Input,
    Output,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScanScope {
    UserOnly,
    AllMessages,
}

impl Default for Options {
    fn default() -> Self {
        let scan_scope = ScanScope::AllMessages;
        Self { rules: Vec::new(), content_filters: Vec::new(), scan_scope }
    }
}

impl Default for Listed {
    fn default() -> Self {
        Self {
            label: LABEL.into(),
            terms: Vec::new(),
            patterns: Vec::new(),
            action: Action::Block,
            scope: Scope::Both,
            ignore_case: true,
            whole_word: false,
        }
    }
}

/// What a rule without a label is called, as OpenRouter calls custom filters.
pub(crate) const LABEL: &str = "REDACTED";
