//! The request: what is found in it, and what goes upstream instead.

use crate::literals::Literals;
use crate::options::{Action, Scope};
use crate::pseudonyms::Pseudonyms;
use crate::rules::{Found, Rule, Rules};
use crate::walk::{Text, walk};
use patchbay_sdk::Request;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// What was found in a request.
pub(crate) struct Finds {
    /// Each value once, in the order of its first place, with its rule.
    values: Vec<(String, usize)>,
    by_value: HashMap<String, usize>,
    /// The places, text by text in the order of [`walk`].
    texts: VecDeque<Vec<Found>>,
}

impl Finds {
    /// Looks through a request. What in it could be taken for a pseudonym is noted in
    /// `pseudonyms`.
    pub(crate) fn of(request: &mut Request, rules: &Rules, pseudonyms: &mut Pseudonyms) -> Self {
        let mut finds =
            Self { values: Vec::new(), by_value: HashMap::new(), texts: VecDeque::new() };
        walk(request, &mut |text| {
            pseudonyms.avoid(text.text);
            finds.note(&text, rules);
            None
        });
        finds
    }

    fn note(&mut self, text: &Text<'_>, rules: &Rules) {
        let mut found = rules.find(text.name, text.text);
        found.retain(|it| {
            let scope = rules.rule(it.rule).map(|rule| rule.scope);
            text.is_users || scope == Some(Scope::AllMessages)
        });
        for it in &found {
            let value = text.text.get(it.range.clone()).unwrap_or_default();
            if !self.by_value.contains_key(value) {
                self.by_value.insert(value.to_owned(), it.rule);
                self.values.push((value.to_owned(), it.rule));
            }
        }
        self.texts.push_back(found);
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(value, _)| value.as_str())
    }

    /// How many values there are, by label and by what happens to them.
    pub(crate) fn counts(&self, rules: &Rules) -> BTreeMap<(String, &'static str), u64> {
        let mut counts = BTreeMap::new();
        for rule in self.values.iter().filter_map(|(_, rule)| rules.rule(*rule)) {
            *counts.entry((rule.label.clone(), rule.action.name())).or_default() += 1;
        }
        counts
    }

    /// The first rule that refuses the request.
    pub(crate) fn blocked<'a>(&self, rules: &'a Rules) -> Option<&'a Rule> {
        let mut found = self.values.iter().filter_map(|(_, rule)| rules.rule(*rule));
        found.find(|rule| rule.action == Action::Block)
    }

    /// Replaces every value that a rule does not only flag, also where it stands inside of words
    /// or out of the rules' scope. Says whether there was one.
    pub(crate) fn replace(
        mut self,
        request: &mut Request,
        rules: &Rules,
        pseudonyms: &mut Pseudonyms,
    ) -> bool {
        let mut instead: HashMap<String, String> = HashMap::new();
        for (value, rule) in std::mem::take(&mut self.values) {
            let Some(rule) = rules.rule(rule) else { continue };
            match rule.action {
                Action::Flag | Action::Block => {}
                Action::Redact => {
                    instead.insert(value, rule.mask());
                }
                Action::Pseudonymize => {
                    let is_email = rule.kind == Some(crate::kind::Kind::Email);
                    let word = pseudonyms.add(&rule.word(), is_email, &value);
                    instead.insert(value, word);
                }
            }
        }
        if instead.is_empty() {
            return false;
        }
        let literals = Literals::new(instead);
        walk(request, &mut |text| {
            let found = self.texts.pop_front().unwrap_or_default();
            literals.replace(text.text, &found)
        });
        true
    }
}
