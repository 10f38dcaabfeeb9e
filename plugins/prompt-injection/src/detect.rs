//! Finds injections in one text: as it is written, as it was meant, and in what it encodes.

use crate::disguise::Meant;
use crate::encoded::{self, Encoded};
use crate::options::Options;
use crate::patterns::{self, BASE64, COMPACT, HEX, PATTERNS};
use patchbay_sdk::Error;
use patchbay_sdk::scan::{Match, Rule, Scanner};
use std::ops::Range;

/// All that is looked for, built.
pub(crate) struct Detector {
    plain: Named,
    compact: Named,
    /// The words of which two make encoded text an injection.
    words: Scanner,
    allowed: Scanner,
    finds_base64: bool,
    finds_hex: bool,
}

/// Expressions and their names.
struct Named {
    scanner: Scanner,
    names: Vec<&'static str>,
}

/// An injection: its bytes in the text, and the pattern's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) range: Range<usize>,
    pub(crate) name: &'static str,
}

impl Detector {
    /// # Errors
    /// `Options` when a phrase of the allowlist can't be used.
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let is_asked = |name: &str| !options.except.iter().any(|except| except == name);
        let named = |list: &[(&'static str, &str)]| {
            let asked = list.iter().filter(|(name, _)| is_asked(name));
            let (names, rules): (Vec<_>, Vec<_>) = asked
                .map(|(name, short)| {
                    (*name, Rule::expression(patterns::expression(short)).any_case())
                })
                .unzip();
            Ok::<Named, Error>(Named { scanner: Scanner::new(rules)?, names })
        };
        let words = WORDS.iter().map(|word| Rule::term(*word).any_case());
        let allowed = options.allowlist.iter().map(|phrase| Rule::term(phrase).any_case());
        let allowed = Scanner::new(allowed.collect()).map_err(|error| {
            Error::Options(format!("allowlist[{}] {}", error.rule, error.reason))
        })?;
        Ok(Self {
            plain: named(PATTERNS)?,
            compact: named(COMPACT)?,
            words: Scanner::new(words.collect())?,
            allowed,
            finds_base64: is_asked(BASE64),
            finds_hex: is_asked(HEX),
        })
    }

    /// All injections in a text, in order, apart from each other.
    pub(crate) fn find(&self, text: &str) -> Vec<Found> {
        let mut found: Vec<Found> = self.plain.find(text);
        for (meant, named) in
            [(Meant::unshuffled(text), &self.plain), (Meant::collapsed(text), &self.compact)]
        {
            if meant.is_other {
                let there = named.find(&meant.text).into_iter();
                found.extend(there.map(|it| Found { range: meant.written(&it.range), ..it }));
            }
        }
        let allowed = self.allowed.find_all(text);
        let is_inside = |found: &Found, it: &Match| {
            it.range.start <= found.range.start && found.range.end <= it.range.end
        };
        found.retain(|found| !allowed.iter().any(|it| is_inside(found, it)));
        if self.finds_base64 {
            found.extend(self.encoded(encoded::base64(text), BASE64));
        }
        if self.finds_hex {
            found.extend(self.encoded(encoded::hex(text), HEX));
        }
        apart(found)
    }

    fn encoded(&self, runs: Vec<Encoded>, name: &'static str) -> Vec<Found> {
        let says = |reading: &String| {
            let mut words: Vec<usize> =
                self.words.find_all(reading).into_iter().map(|it| it.rule).collect();
            words.sort_unstable();
            words.dedup();
            words.len() >= 2 || !self.plain.scanner.find_all(reading).is_empty()
        };
        let bad = runs.into_iter().filter(|run| run.readings.iter().any(says));
        bad.map(|run| Found { range: run.range, name }).collect()
    }
}

impl Named {
    fn find(&self, text: &str) -> Vec<Found> {
        let matches = self.scanner.find_all(text).into_iter();
        matches
            .filter_map(|it| self.names.get(it.rule).map(|name| Found { range: it.range, name }))
            .collect()
    }
}

/// Without those that overlap one before them.
fn apart(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|it| (it.range.start, usize::MAX - it.range.end));
    let mut end = 0;
    found.retain(|it| {
        let is_apart = it.range.start >= end;
        end = end.max(it.range.end);
        is_apart
    });
    found
}

/// Two of them in encoded text are enough.
const WORDS: &[&str] = &["ignore", "bypass", "override", "reveal", "system", "prompt"];
