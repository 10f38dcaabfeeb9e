//! The rules of one direction, built: one scanner per action.

use crate::options::{Action, LABEL, Listed, Options, Scope};
use patchbay_sdk::Error;
use patchbay_sdk::scan::{Rule, Scanner};

/// What to look for in one direction.
#[derive(Clone)]
pub(crate) struct Filter {
    pub(crate) block: Option<Rules>,
    pub(crate) mask: Option<Rules>,
    pub(crate) flag: Option<Rules>,
}

/// The rules of one action.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) scanner: Scanner,
    /// The label of each rule.
    labels: Vec<String>,
}

/// One term or pattern of the options.
struct Line<'a> {
    rule: Rule,
    label: &'a str,
    action: Action,
    scope: Scope,
    /// Where it stands in the options.
    place: String,
}

impl Filter {
    /// The rules for the input, and those for the output. Where they are the same they are built
    /// once.
    ///
    /// # Errors
    /// `Options` when a rule looks for nothing, or a pattern can't be used; it says which.
    pub(crate) fn both(options: &Options) -> Result<(Self, Self), Error> {
        let is_idle = |it: &Listed| it.terms.is_empty() && it.patterns.is_empty();
        if let Some(idle) = options.rules.iter().position(is_idle) {
            return Err(Error::Options(format!(
                "rules[{idle}] looks for nothing: give it `terms` or `patterns`"
            )));
        }
        let lines = lines(options);
        let input = Self::new(&lines, Scope::Input)?;
        let is_same = lines.iter().all(|line| line.scope == Scope::Both);
        let output = if is_same { input.clone() } else { Self::new(&lines, Scope::Output)? };
        Ok((input, output))
    }

    fn new(lines: &[Line<'_>], direction: Scope) -> Result<Self, Error> {
        let of = |action: Action| {
            let own = lines.iter().filter(|line| {
                line.action == action && (line.scope == direction || line.scope == Scope::Both)
            });
            Rules::new(&own.collect::<Vec<_>>())
        };
        Ok(Self { block: of(Action::Block)?, mask: of(Action::Mask)?, flag: of(Action::Flag)? })
    }

    /// Whether there is nothing to look for.
    pub(crate) fn is_empty(&self) -> bool {
        self.block.is_none() && self.mask.is_none() && self.flag.is_none()
    }
}

impl Rules {
    fn new(lines: &[&Line<'_>]) -> Result<Option<Self>, Error> {
        if lines.is_empty() {
            return Ok(None);
        }
        let rules = lines.iter().map(|line| line.rule.clone()).collect();
        let scanner = Scanner::new(rules).map_err(|error| {
            let place = lines.get(error.rule).map(|line| line.place.as_str());
            Error::Options(format!("{} {}", place.unwrap_or_default(), error.reason))
        })?;
        let labels = lines.iter().map(|line| line.label.to_owned()).collect();
        Ok(Some(Self { scanner, labels }))
    }

    /// The label of a rule, by its number in the scanner.
    pub(crate) fn label(&self, rule: usize) -> &str {
        self.labels.get(rule).map_or(LABEL, String::as_str)
    }
}

fn lines(options: &Options) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for (number, listed) in options.rules.iter().enumerate() {
        let mut add = |mut rule: Rule, place: String| {
            rule = if listed.ignore_case { rule.any_case() } else { rule };
            rule = if listed.whole_word { rule.whole_word() } else { rule };
            let (label, action, scope) = (listed.label.as_str(), listed.action, listed.scope);
            lines.push(Line { rule, label, action, scope, place });
        };
        for (index, term) in listed.terms.iter().enumerate() {
            add(Rule::term(term), format!("rules[{number}].terms[{index}]"));
        }
        for (index, pattern) in listed.patterns.iter().enumerate() {
            add(Rule::expression(pattern), format!("rules[{number}].patterns[{index}]"));
        }
    }
    for (number, filter) in options.content_filters.iter().enumerate() {
        lines.push(Line {
            rule: Rule::expression(&filter.pattern),
            label: filter.label.as_deref().unwrap_or(LABEL),
            action: filter.action,
            scope: Scope::Input,
            place: format!("content_filters[{number}].pattern"),
        });
    }
    lines
}
