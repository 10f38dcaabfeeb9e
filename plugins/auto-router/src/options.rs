//! What clients and operators say about the choice.

use crate::pattern::{Pattern, Patterns};
use crate::rank::{Band, Preference, Tier};
use crate::task::Task;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// The options as they come.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    allowed_models: Vec<String>,
    excluded_models: Vec<String>,
    pub(crate) cost_tier: Option<Tier>,
    cost_quality_tradeoff: Option<f64>,
    pub(crate) pin_model: bool,
    pub(crate) session_ttl_s: u64,
    pub(crate) fallbacks: usize,
    preferences: BTreeMap<Task, Vec<Preferred>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Preferred {
    Pattern(String),
    Weighted {
        model: String,
        #[serde(default = "one")]
        weight: f64,
    },
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allowed_models: Vec::new(),
            excluded_models: Vec::new(),
            cost_tier: None,
            cost_quality_tradeoff: None,
            pin_model: true,
            session_ttl_s: 600,
            fallbacks: 2,
            preferences: BTreeMap::new(),
        }
    }
}

/// Another wish is another choice, even in the same conversation.
impl Hash for Options {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.cost_tier.hash(state);
        self.cost_quality_tradeoff.map(f64::to_bits).hash(state);
    }
}

impl Options {
    /// # Errors
    /// What is too long, and what would be fine.
    pub(crate) fn check(&self) -> Result<(), String> {
        let lists =
            [("allowed_models", &self.allowed_models), ("excluded_models", &self.excluded_models)];
        for (name, list) in lists {
            let chars: usize = list.iter().map(|pattern| pattern.chars().count()).sum();
            if chars > PATTERN_CHARS_MAX {
                return Err(format!(
                    "plugins: `{name}` of `auto-router` has {chars} characters, at most \
                     {PATTERN_CHARS_MAX}: use wildcards such as `anthropic/*`"
                ));
            }
        }
        Ok(())
    }

    /// Which models may be chosen. Excluded beats allowed.
    pub(crate) fn restrictions(&self) -> impl Fn(&str) -> bool + use<> {
        let allowed =
            (!self.allowed_models.is_empty()).then(|| Patterns::new(&self.allowed_models));
        let excluded = Patterns::new(&self.excluded_models);
        move |model| !excluded.fit(model) && allowed.as_ref().is_none_or(|list| list.fit(model))
    }

    /// Whether anything restricts the choice.
    pub(crate) fn restricts(&self) -> bool {
        !self.allowed_models.is_empty() || !self.excluded_models.is_empty()
    }

    /// The band of price that was asked for.
    pub(crate) fn band(&self) -> Option<Band> {
        self.cost_tier.map(Tier::band).or(self.cost_quality_tradeoff.map(Band::of_tradeoff))
    }

    /// The operator's preferences for a task.
    pub(crate) fn preferences(&self, task: Task) -> Vec<Preference> {
        let own = self.preferences.get(&task).map(Vec::as_slice).unwrap_or_default();
        let preferences = own.iter().map(|preferred| match preferred {
            Preferred::Pattern(model) => Preference { pattern: Pattern::new(model), weight: 1.0 },
            Preferred::Weighted { model, weight } => {
                Preference { pattern: Pattern::new(model), weight: *weight }
            }
        });
        preferences.collect()
    }
}

fn one() -> f64 {
    1.0
}

/// Of all patterns of one list.
const PATTERN_CHARS_MAX: usize = 65_536;
