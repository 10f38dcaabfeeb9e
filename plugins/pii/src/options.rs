//! The options, in OpenRouter's names for content filters.

use crate::kind::Kind;
use serde::Deserialize;

/// As `options.json` has them.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    pub(crate) action: Action,
    pub(crate) content_filter_builtins: Option<Vec<Builtin>>,
    pub(crate) content_filters: Vec<Filter>,
    pub(crate) scan_scope: Scope,
    pub(crate) output: Output,
    pub(crate) allow: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            action: Action::Pseudonymize,
            content_filter_builtins: None,
            content_filters: Vec::new(),
            scan_scope: Scope::AllMessages,
            output: Output::Off,
            allow: Vec::new(),
        }
    }
}

/// A known kind to look for.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Builtin {
    pub(crate) slug: Kind,
    pub(crate) action: Option<Action>,
    pub(crate) scan_scope: Option<Scope>,
}

/// A pattern of the client's.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Filter {
    pub(crate) pattern: String,
    pub(crate) label: Option<String>,
    pub(crate) action: Option<Action>,
    pub(crate) scan_scope: Option<Scope>,
}

/// What happens to a value in the request. The stronger is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Flag,
    #[serde(alias = "pseudonymise")]
    Pseudonymize,
    #[serde(alias = "mask")]
    Redact,
    Block,
}

/// Where values are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    UserOnly,
    AllMessages,
}

/// What happens to a value that the model made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Output {
    Off,
    #[serde(alias = "redact")]
    Mask,
    Block,
    Flag,
}

impl Action {
    /// As the options have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Pseudonymize => "pseudonymize",
            Self::Redact => "redact",
            Self::Block => "block",
        }
    }
}

impl Output {
    /// As the options have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Mask => "mask",
            Self::Block => "block",
            Self::Flag => "flag",
        }
    }
}
