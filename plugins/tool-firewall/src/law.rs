//! The rules, and how a whole call is judged by them.

use crate::address;
use crate::idle;
use crate::options::{Action, Listed, Options};
use crate::value::{self, Found};
use patchbay_sdk::Error;
use patchbay_sdk::scan::{Rule, Scanner};
use serde_json::Value;

/// All rules, built.
pub(crate) struct Law {
    allowed_tools: Vec<String>,
    action: Action,
    pub(crate) max_arguments_bytes: usize,
    articles: Vec<Article>,
}

/// One rule.
struct Article {
    listed: Listed,
    path: Option<Vec<String>>,
    path_prefixes: Option<Vec<String>>,
    scanner: Scanner,
}

/// What a call broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) action: Action,
    /// The rule's name, or that of the option.
    pub(crate) rule: String,
}

impl Law {
    /// # Errors
    /// `Options` when a rule could never act, or a pattern can't be used; it says which.
    pub(crate) fn new(options: Options) -> Result<Self, Error> {
        idle::check(&options).map_err(Error::Options)?;
        let Options { allowed_tools, action, max_arguments_bytes, rules, .. } = options;
        let articles = rules.into_iter().enumerate().map(|(index, rule)| Article::new(index, rule));
        let articles = articles.collect::<Result<_, _>>()?;
        Ok(Self { allowed_tools, action, max_arguments_bytes, articles })
    }

    /// Whether calls of this tool need no look at their arguments.
    pub(crate) fn is_free(&self, tool: &str) -> bool {
        is_any(&self.allowed_tools, tool) && !self.articles.iter().any(|it| it.is_for(tool))
    }

    /// What the tool's name alone breaks.
    fn judge_name(&self, tool: &str) -> Option<Breach> {
        let breach = || Breach { action: self.action, rule: "allowed_tools".into() };
        (!is_any(&self.allowed_tools, tool)).then(breach)
    }

    /// The breach of arguments that are too long for the rules to be asked.
    pub(crate) fn too_long(&self, tool: &str) -> Breach {
        self.unread(tool, "max_arguments_bytes")
    }

    /// The breach of arguments that the rules can't read, or that have been read otherwise.
    pub(crate) fn malformed(&self, tool: &str) -> Breach {
        self.unread(tool, "malformed arguments")
    }

    /// What a call breaks whose arguments the rules can't read at all.
    pub(crate) fn judge_unread(&self, tool: &str) -> Option<Breach> {
        if self.is_free(tool) {
            return None;
        }
        let breach = self.unread(tool, "arguments that are not JSON");
        Some(self.judge_name(tool).filter(|it| it.action >= breach.action).unwrap_or(breach))
    }

    /// As bad as the worst that could have been in them, or no rule would hold.
    fn unread(&self, tool: &str, rule: &str) -> Breach {
        let own = self.articles.iter().filter(|it| it.is_for(tool)).map(|it| it.listed.action);
        let action = own.fold(self.action, Action::max);
        Breach { action, rule: rule.into() }
    }

    /// The worst that a whole call breaks.
    pub(crate) fn judge(&self, tool: &str, arguments: &str) -> Option<Breach> {
        if self.is_free(tool) {
            return None;
        }
        let mut breaches: Vec<Breach> = self.judge_name(tool).into_iter().collect();
        match value::read(arguments) {
            Ok(value) => {
                let broken =
                    self.articles.iter().filter(|it| it.is_for(tool) && it.is_broken(&value));
                breaches.extend(
                    broken.map(|it| Breach {
                        action: it.listed.action,
                        rule: it.listed.name.clone(),
                    }),
                );
            }
            Err(_) => breaches.push(self.malformed(tool)),
        }
        // The first of the worst.
        breaches.into_iter().rev().max_by_key(|breach| breach.action)
    }
}

impl Article {
    fn new(index: usize, listed: Listed) -> Result<Self, Error> {
        let terms = listed.terms.iter().map(|term| Rule::term(term).any_case());
        let rules: Vec<Rule> = terms.chain(listed.patterns.iter().map(Rule::expression)).collect();
        let first_pattern = listed.terms.len();
        let scanner = Scanner::new(rules).map_err(|error| {
            let place = match error.rule.checked_sub(first_pattern) {
                Some(pattern) => format!("patterns[{pattern}]"),
                None => format!("terms[{}]", error.rule),
            };
            Error::Options(format!("rules[{index}].{place} {}", error.reason))
        })?;
        let prefixes = listed.path_prefixes.as_ref();
        let path_prefixes =
            prefixes.map(|prefixes| prefixes.iter().filter_map(|it| address::path(it)).collect());
        let path = listed.path.as_ref().map(|path| path.split('.').map(str::to_owned).collect());
        Ok(Self { listed, path, path_prefixes, scanner })
    }

    fn is_for(&self, tool: &str) -> bool {
        self.listed.tools.as_ref().is_none_or(|tools| is_any(tools, tool))
    }

    fn is_broken(&self, arguments: &Value) -> bool {
        let found = value::at(arguments, self.path.as_deref());
        (found.is_empty() && self.listed.required) || found.iter().any(|it| self.forbids(it))
    }

    fn forbids(&self, found: &Found<'_>) -> bool {
        let text = found.text();
        let is_too_long = self.listed.max_bytes.is_some_and(|max| text.len() > max);
        if is_too_long || !self.scanner.find_all(&text).is_empty() {
            return true;
        }
        // Keys are no values: what values must be says nothing about them.
        let Found::Value(value) = found else { return false };
        let values = self.listed.values.as_ref();
        let hosts = self.listed.hosts.as_ref();
        values.is_some_and(|values| !values.contains(value))
            || hosts.is_some_and(|hosts| {
                let host = address::host(&text);
                !host.is_some_and(|host| hosts.iter().any(|it| address::is_host(&host, it)))
            })
            || self.path_prefixes.as_ref().is_some_and(|prefixes| {
                let path = address::path(&text);
                !path.is_some_and(|path| prefixes.iter().any(|it| address::is_below(&path, it)))
            })
    }
}

fn is_any(globs: &[String], name: &str) -> bool {
    globs.iter().any(|glob| is_like(glob, name))
}

/// Whether a name fits, where `*` stands for any characters.
fn is_like(glob: &str, name: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = name.find(part) else { return false };
        name = name.get(at + part.len()..).unwrap_or_default();
    }
    name.len() >= last.len() && name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_star_stands_for_any_characters() {
        let fits =
            [("*", ""), ("read_*", "read_file"), ("*_file", "read_file"), ("a*b*c", "axxbyc")];
        for (glob, name) in fits {
            assert!(is_like(glob, name), "{glob} {name}");
        }
        let others = [("read", "read_file"), ("a*a", "a"), ("a*b*c", "acb"), ("*b*b", "xb")];
        for (glob, name) in others {
            assert!(!is_like(glob, name), "{glob} {name}");
        }
    }
}
