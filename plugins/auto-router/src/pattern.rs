//! Model patterns: names in which `*` stands for any characters (`anthropic/*`, `*/claude-*`).

use std::collections::HashSet;

/// A list of patterns, ready to be asked about many names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patterns {
    exact: HashSet<String>,
    wild: Vec<Pattern>,
}

impl Patterns {
    pub(crate) fn new<'a>(patterns: impl IntoIterator<Item = &'a String>) -> Self {
        let mut all = Self::default();
        for pattern in patterns {
            if pattern.contains('*') {
                all.wild.push(Pattern::new(pattern));
            } else {
                all.exact.insert(pattern.to_ascii_lowercase());
            }
        }
        all
    }

    /// Whether one of them fits a name, whose letters are small.
    pub(crate) fn fit(&self, name: &str) -> bool {
        self.exact.contains(name) || self.wild.iter().any(|pattern| pattern.fits(name))
    }
}

/// One pattern. Upper and lower case are the same.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// What stands before the first star.
    head: String,
    /// What stands behind the last star; none without a star.
    tail: Option<String>,
    /// What stands between stars, in order.
    inner: Vec<String>,
    /// Bytes of all of it: no shorter name fits.
    bytes: usize,
}

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Self {
        let pattern = pattern.to_ascii_lowercase();
        let bytes = pattern.bytes().filter(|byte| *byte != b'*').count();
        let Some((head, rest)) = pattern.split_once('*') else {
            return Self { head: pattern, tail: None, inner: Vec::new(), bytes };
        };
        let (inner, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        let inner = inner.split('*').filter(|part| !part.is_empty()).map(str::to_owned);
        Self { head: head.into(), tail: Some(tail.into()), inner: inner.collect(), bytes }
    }

    /// Whether it fits a name, whose letters are small. Each piece is looked for once, from left to
    /// right, so no pattern takes long.
    pub(crate) fn fits(&self, name: &str) -> bool {
        let Some(tail) = &self.tail else { return self.head == name };
        if self.bytes > name.len() {
            return false;
        }
        let rest = name.strip_prefix(self.head.as_str());
        let Some(mut rest) = rest.and_then(|rest| rest.strip_suffix(tail.as_str())) else {
            return false;
        };
        for part in &self.inner {
            let Some((_, after)) = rest.split_once(part.as_str()) else { return false };
            rest = after;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Patterns};

    #[test]
    fn a_star_stands_for_anything_and_for_nothing() {
        let fits = |pattern: &str, name: &str| Pattern::new(pattern).fits(name);
        assert!(fits("anthropic/*", "anthropic/claude-x"));
        assert!(
            fits("openai/gpt-5*", "openai/gpt-5") && fits("openai/gpt-5*", "openai/gpt-5.1-mini")
        );
        assert!(fits("*/claude-*", "anthropic/claude-x"));
        assert!(fits("*", "a/b") && fits("**", "a/b") && fits("*a*b*", "a/b"));
        assert!(fits("Anthropic/Claude-X", "anthropic/claude-x"));
        assert!(!fits("anthropic", "anthropic/claude-x"));
        assert!(!fits("*/claude", "anthropic/claude-x"));
        assert!(!fits("ab*ba", "aba"));
        assert!(!fits("*b*a*", "a/b"));
    }

    #[test]
    fn of_many_one_must_fit() {
        let list = ["openai/*".to_owned(), "acme/one".to_owned()];
        let patterns = Patterns::new(&list);
        assert!(patterns.fit("openai/gpt-x") && patterns.fit("acme/one"));
        assert!(!patterns.fit("acme/two"));
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = Pattern::new(&"*a".repeat(500));
        assert!(!pattern.fits(&"a".repeat(499)));
        assert!(pattern.fits(&"a".repeat(500)));
        assert!(!Pattern::new(&format!("{}b", "*a".repeat(40))).fits(&"a".repeat(4000)));
    }
}
