//! The options, as `options.json` describes them.

use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    pub(crate) action: Action,
    pub(crate) scan_scope: ScanScope,
    pub(crate) allowlist: Vec<String>,
    pub(crate) except: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    #[default]
    Block,
    Redact,
    Flag,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScanScope {
    UserOnly,
    #[default]
    AllMessages,
}
