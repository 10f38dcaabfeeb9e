//! The options, as `options.json` describes them.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    pub(crate) allowed_tools: Vec<String>,
    pub(crate) action: Action,
    pub(crate) max_arguments_bytes: usize,
    pub(crate) notice: Notice,
    pub(crate) rules: Vec<Listed>,
}

/// One entry of `rules`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) tools: Option<Vec<String>>,
    pub(crate) path: Option<String>,
    pub(crate) required: bool,
    pub(crate) terms: Vec<String>,
    pub(crate) patterns: Vec<String>,
    pub(crate) values: Option<Vec<Value>>,
    pub(crate) hosts: Option<Vec<String>>,
    pub(crate) path_prefixes: Option<Vec<String>>,
    pub(crate) max_bytes: Option<usize>,
    pub(crate) action: Action,
}

/// What becomes of a call; the later the worse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Flag,
    #[default]
    Deny,
    Block,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Notice {
    Text,
    Refusal,
    None,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allowed_tools: vec!["*".into()],
            action: Action::Deny,
            max_arguments_bytes: 32_768,
            notice: Notice::Text,
            rules: Vec::new(),
        }
    }
}
