//! The options, as `options.json` describes them.

use crate::hints::OwnHint;
use serde::Deserialize;

/// The plugin's options.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    /// Pairs of opening and closing tag, instead of those that are known.
    pub(crate) tags: Option<Vec<(String, String)>>,
    /// The model's family by name, instead of by its id.
    pub(crate) family: Option<String>,
    pub(crate) anywhere: bool,
    pub(crate) opened: bool,
    pub(crate) exclude: bool,
    pub(crate) history: History,
    pub(crate) hints: Hints,
    pub(crate) hint: Option<OwnHint>,
}

/// What becomes of thoughts in the texts of former turns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum History {
    #[default]
    Strip,
    Keep,
}

/// When effort is said in words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hints {
    /// When the catalog knows that the model has no parameter for it.
    #[default]
    Auto,
    Always,
    Never,
}
