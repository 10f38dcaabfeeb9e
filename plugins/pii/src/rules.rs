//! What is looked for, and what happens to it: the options, ready to be used.

use crate::find::Finder;
use crate::kind::Kind;
use crate::look::Seen;
use crate::options::{Action, Builtin, Options, Scope};
use crate::pseudonyms;
use crate::tape;
use patchbay_sdk::Error;
use patchbay_sdk::scan::{self, Scanner};
use std::ops::Range;

/// One thing to look for.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// What stands in brackets for a masked value.
    pub(crate) label: String,
    pub(crate) action: Action,
    pub(crate) scope: Scope,
    /// The known kind that it is; none for a pattern of the client's.
    pub(crate) kind: Option<Kind>,
}

impl Rule {
    /// The label as pseudonyms have it.
    pub(crate) fn word(&self) -> String {
        match self.kind {
            Some(kind) => kind.label().to_owned(),
            None => pseudonyms::label(&self.label),
        }
    }

    /// What stands for a masked value.
    pub(crate) fn mask(&self) -> String {
        format!("[{}]", self.label)
    }
}

/// A value in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The rule's number.
    pub(crate) rule: usize,
    pub(crate) range: Range<usize>,
}

/// All rules: first the client's patterns, by their numbers in the options, then the known kinds.
pub(crate) struct Rules {
    rules: Vec<Rule>,
    pub(crate) scanner: Option<Scanner>,
    pub(crate) finder: Finder,
    allow: Vec<String>,
}

impl Rules {
    /// # Errors
    /// `Error::Options` when a pattern is none, or nothing is looked for.
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut patterns = Vec::new();
        for filter in &options.content_filters {
            patterns.push(scan::Rule::expression(&filter.pattern));
            rules.push(Rule {
                label: filter.label.clone().unwrap_or_else(|| "REDACTED".to_owned()),
                action: filter.action.unwrap_or(options.action),
                scope: filter.scan_scope.unwrap_or(options.scan_scope),
                kind: None,
            });
        }
        let scanner = if patterns.is_empty() { None } else { Some(scanner(patterns)?) };
        let mut kinds = Vec::new();
        for kind in Kind::ALL {
            if let Some(rule) = rule(options, kind) {
                kinds.push(kind);
                rules.push(rule);
            }
        }
        if rules.is_empty() {
            return Err(Error::Options(
                "nothing is looked for: name kinds in `content_filter_builtins` (without it, all are \
                 looked for) or patterns in `content_filters`"
                    .into(),
            ));
        }
        let allow = options.allow.iter().map(|value| value.to_lowercase()).collect();
        Ok(Self { rules, scanner, finder: Finder::new(&kinds), allow })
    }

    /// The rule of a number.
    pub(crate) fn rule(&self, number: usize) -> Option<&Rule> {
        self.rules.get(number)
    }

    /// The number of a known kind's rule.
    pub(crate) fn number(&self, kind: Kind) -> usize {
        self.rules.iter().position(|rule| rule.kind == Some(kind)).unwrap_or(usize::MAX)
    }

    /// Whether a value is never touched.
    pub(crate) fn allows(&self, value: &str) -> bool {
        !self.allow.is_empty() && self.allow.contains(&value.to_lowercase())
    }

    /// The values in a whole text, in order. `name` says what the text is, as the name of a JSON
    /// field does; it is not searched.
    pub(crate) fn find(&self, name: &str, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        let mut from = 0;
        let matches = self.scanner.as_ref().map(|scanner| scanner.find_all(text));
        for it in matches.unwrap_or_default() {
            self.find_known(name, text, from..it.range.start, &mut found);
            from = it.range.end;
            found.push(Found { rule: it.rule, range: it.range });
        }
        self.find_known(name, text, from..text.len(), &mut found);
        found.retain(|it| !text.get(it.range.clone()).is_some_and(|value| self.allows(value)));
        found
    }

    /// The known kinds between two matches of the client's patterns.
    fn find_known(&self, name: &str, text: &str, range: Range<usize>, found: &mut Vec<Found>) {
        let part = text.get(range.clone()).unwrap_or_default();
        let prefix = if range.start == 0 { context(name) } else { String::new() };
        let whole = format!("{prefix}{part}");
        let mut from = prefix.len();
        while from < whole.len() {
            let (start, seen) = tape::first(&whole, from, true, |look| self.finder.at(look));
            let Seen::Match(end, kind) = seen else { break };
            let offset = |at: usize| range.start + at - prefix.len();
            found.push(Found { rule: self.number(kind), range: offset(start)..offset(end) });
            from = end;
        }
    }
}

/// What the name of a field says before its value. Words that mean something else there say
/// nothing: the text of a message, the id of a call.
fn context(name: &str) -> String {
    let words = name.split(|character: char| !character.is_alphanumeric());
    let telling = words.filter(|word| !word.is_empty() && !VAGUE.contains(word));
    telling.map(|word| format!("{word}: ")).collect()
}

const VAGUE: [&str; 5] = ["text", "call", "cell", "dial", "signal"];

fn scanner(patterns: Vec<scan::Rule>) -> Result<Scanner, Error> {
    Scanner::new(patterns).map_err(|error| {
        let (number, reason) = (error.rule, error.reason);
        Error::Options(format!(
            "invalid_regex_pattern: `content_filters[{number}].pattern` {reason}"
        ))
    })
}

/// What the options say of a known kind; the strongest action if they say it twice.
fn rule(options: &Options, kind: Kind) -> Option<Rule> {
    let every = Builtin { slug: kind, action: None, scan_scope: None };
    let listed = options.content_filter_builtins.as_ref();
    let entries = listed.map_or_else(
        || vec![every],
        |listed| listed.iter().filter(|entry| entry.slug == kind).cloned().collect(),
    );
    let actions = entries.iter().map(|entry| entry.action.unwrap_or(options.action));
    let scopes = entries.iter().map(|entry| entry.scan_scope.unwrap_or(options.scan_scope));
    Some(Rule {
        label: kind.label().to_owned(),
        action: actions.max()?,
        scope: scopes.max()?,
        kind: Some(kind),
    })
}
