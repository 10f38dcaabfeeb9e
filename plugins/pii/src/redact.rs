//! The request: what is found in it, and what goes upstream instead.

use crate::options::{Action, Scope};
use crate::pseudonyms::Pseudonyms;
use crate::rules::{Found, Rule, Rules};
use crate::walk::{Text, walk};
use patchbay_sdk::scan::{self, Scanner};
use patchbay_sdk::{Error, Request};
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
    ///
    /// # Errors
    /// `Error::Limit` when there are more values than can be looked for.
    pub(crate) fn replace(
        mut self,
        request: &mut Request,
        rules: &Rules,
        pseudonyms: &mut Pseudonyms,
    ) -> Result<bool, Error> {
        let mut instead: HashMap<String, String> = HashMap::new();
        for (value, rule) in std::mem::take(&mut self.values) {
            let Some(rule) = rules.rule(rule) else { continue };
            match rule.action {
                Action::Flag | Action::Block => {}
                Action::Redact => drop(instead.insert(value, rule.mask())),
                Action::Pseudonymize => {
                    let is_email = rule.kind == Some(crate::kind::Kind::Email);
                    let word = pseudonyms.add(&rule.word(), is_email, &value);
                    instead.insert(value, word);
                }
            }
        }
        if instead.is_empty() {
            return Ok(false);
        }
        let literals = Literals::new(instead)?;
        walk(request, &mut |text| {
            let found = self.texts.pop_front().unwrap_or_default();
            literals.replace(text.text, &found)
        });
        Ok(true)
    }
}

/// The values, to be found anywhere, and what stands for them.
struct Literals {
    instead: HashMap<String, String>,
    scanners: Vec<(Scanner, Vec<String>)>,
}

impl Literals {
    fn new(instead: HashMap<String, String>) -> Result<Self, Error> {
        let mut long: Vec<&String> =
            instead.keys().filter(|value| value.len() >= LITERAL_BYTES_MIN).collect();
        long.sort();
        let mut scanners = Vec::new();
        let (mut terms, mut size) = (Vec::new(), 0);
        let mut last = long.len();
        for value in long {
            size += value.len();
            terms.push(value.clone());
            last -= 1;
            if size > TERMS_BYTES || last == 0 {
                let rules = terms.iter().map(scan::Rule::term).collect();
                let scanner = Scanner::new(rules)
                    .map_err(|error| Error::Limit(format!("the values found: {error}")))?;
                scanners.push((scanner, std::mem::take(&mut terms)));
                size = 0;
            }
        }
        Ok(Self { instead, scanners })
    }

    /// The text with its values replaced: those found in it, and between them any. `None` when
    /// there is none.
    fn replace(&self, text: &str, found: &[Found]) -> Option<String> {
        let mut out = String::new();
        let (mut from, mut count) = (0, 0);
        for it in found {
            let value = text.get(it.range.clone()).unwrap_or_default();
            let Some(instead) = self.instead.get(value) else { continue };
            let between = text.get(from..it.range.start).unwrap_or_default();
            count += 1 + self.between(between, 0, &mut out);
            out.push_str(instead);
            from = it.range.end;
        }
        count += self.between(text.get(from..).unwrap_or_default(), 0, &mut out);
        (count > 0).then_some(out)
    }

    /// Replaces values in the text between those found, by one scanner after the other, and says
    /// how many.
    fn between(&self, text: &str, scanner: usize, out: &mut String) -> usize {
        let Some((terms, values)) = self.scanners.get(scanner) else {
            out.push_str(text);
            return 0;
        };
        let (mut from, mut count) = (0, 0);
        for it in terms.find_all(text) {
            let value = values.get(it.rule).map(String::as_str).unwrap_or_default();
            let between = text.get(from..it.range.start).unwrap_or_default();
            count += 1 + self.between(between, scanner + 1, out);
            out.push_str(self.instead.get(value).map(String::as_str).unwrap_or_default());
            from = it.range.end;
        }
        count + self.between(text.get(from..).unwrap_or_default(), scanner + 1, out)
    }
}

/// A shorter value would be found by chance, a `42` in every number.
const LITERAL_BYTES_MIN: usize = 7;
/// What one scanner looks for at most.
const TERMS_BYTES: usize = 200_000;
