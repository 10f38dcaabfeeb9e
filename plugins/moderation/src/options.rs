//! The options, as `options.json` describes them.

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    pub(crate) model: Option<String>,
    pub(crate) format: Format,
    pub(crate) prompt: Option<String>,
    pub(crate) categories: Option<Vec<String>>,
    pub(crate) threshold: f64,
    pub(crate) action: Action,
    pub(crate) input: bool,
    pub(crate) scan_scope: ScanScope,
    pub(crate) max_input_chars: usize,
    pub(crate) output: Output,
    pub(crate) passage_chars: usize,
    pub(crate) max_tokens: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Auto,
    Conversation,
    Instructions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Block,
    Flag,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScanScope {
    UserOnly,
    AllMessages,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Output {
    Off,
    Passages,
    Whole,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            model: None,
            format: Format::Auto,
            prompt: None,
            categories: None,
            threshold: 0.5,
            action: Action::Block,
            input: true,
            scan_scope: ScanScope::UserOnly,
            max_input_chars: 32_000,
            output: Output::Off,
            passage_chars: 1_500,
            max_tokens: 500,
        }
    }
}
