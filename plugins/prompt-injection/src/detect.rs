//! Finds injections in one text: as it is written, as it was meant, and in what it encodes.

use crate::disguise::Meant;
use crate::encoded::{self, Encoded};
use crate::options::Options;
use crate::patterns::{self, BASE64, CASED, COMPACT, HEX, PATTERNS};
use patchbay_sdk::Error;
use patchbay_sdk::scan::{Rule, Scanner};
use std::cell::{OnceCell, RefCell};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// All that is looked for. An expression is built when a text has one of its triggers, since most
/// requests have few, and a plugin lives for one request.
pub(crate) struct Detector {
    triggers: Scanner,
    /// Which patterns each trigger is for.
    meant: Vec<Vec<usize>>,
    built: RefCell<BTreeMap<usize, Scanner>>,
    /// Those whose case counts.
    cased: OnceCell<Named>,
    compact: OnceCell<Named>,
    /// The words of which two make encoded text an injection.
    words: Scanner,
    allowed: Scanner,
    except: Vec<String>,
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
    /// `Options` when a phrase of the allowlist can't be used, or every pattern is excepted.
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let names = PATTERNS.iter().map(|it| it.name);
        let listed = CASED.iter().chain(COMPACT).map(|(name, _)| *name);
        let mut names = names.chain(listed).chain([BASE64, HEX]);
        if names.all(|name| options.except.iter().any(|it| it == name)) {
            let reason = "`except` names every pattern, so nothing is looked for: leave some out";
            return Err(Error::Options(reason.into()));
        }
        let allowed = options.allowlist.iter().map(|phrase| Rule::term(phrase).any_case());
        let allowed = Scanner::new(allowed.collect()).map_err(|error| {
            Error::Options(format!("allowlist[{}] {}", error.rule, error.reason))
        })?;
        let mut triggers: Vec<&str> = PATTERNS.iter().flat_map(|it| it.triggers).copied().collect();
        triggers.sort_unstable();
        triggers.dedup();
        // A longer trigger hides a shorter one inside it, so it stands for both.
        let of = |trigger: &&str| -> Vec<usize> {
            let own = PATTERNS.iter().enumerate().filter(|(_, pattern)| {
                pattern.triggers.iter().any(|it| trigger.contains(it))
                    && !options.except.iter().any(|except| except == pattern.name)
            });
            own.map(|(index, _)| index).collect()
        };
        let words = WORDS.iter().map(|word| Rule::term(*word).any_case());
        Ok(Self {
            meant: triggers.iter().map(of).collect(),
            triggers: Scanner::new(triggers.into_iter().map(Rule::term).collect())?,
            built: RefCell::default(),
            cased: OnceCell::new(),
            compact: OnceCell::new(),
            words: Scanner::new(words.collect())?,
            allowed,
            except: options.except.clone(),
        })
    }

    /// All injections in a text, in order, apart from each other.
    ///
    /// # Errors
    /// None that is known: the expressions are ours.
    pub(crate) fn find(&self, text: &str) -> Result<Vec<Found>, Error> {
        // Lower case has the same bytes in the same places.
        let lower = text.to_ascii_lowercase();
        let mut found = self.plain(&lower)?;
        if lower.contains("dan") {
            found.extend(self.named(&self.cased, CASED)?.find(text));
        }
        let meant = Meant::unshuffled(&lower);
        if meant.is_other {
            let there = self.plain(&meant.text)?.into_iter();
            found.extend(there.map(|it| Found { range: meant.written(&it.range), ..it }));
        }
        let meant = Meant::collapsed(&lower);
        if meant.is_other {
            let there = self.named(&self.compact, COMPACT)?.find(&meant.text).into_iter();
            found.extend(there.map(|it| Found { range: meant.written(&it.range), ..it }));
        }
        let allowed = self.allowed.find_all(text);
        found.retain(|found| {
            // They are in order and apart, so just one can have the end in it.
            let first = allowed.partition_point(|it| it.range.end < found.range.end);
            allowed.get(first).is_none_or(|it| it.range.start > found.range.start)
        });
        if self.is_asked(BASE64) {
            found.extend(self.encoded(encoded::base64(text), BASE64)?);
        }
        if self.is_asked(HEX) {
            found.extend(self.encoded(encoded::hex(text), HEX)?);
        }
        Ok(apart(found))
    }

    fn is_asked(&self, name: &str) -> bool {
        !self.except.iter().any(|except| except == name)
    }

    /// What the patterns find in a text in lower case, near their triggers.
    fn plain(&self, lower: &str) -> Result<Vec<Found>, Error> {
        let mut near: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
        for it in self.triggers.find_all(lower) {
            for pattern in self.meant.get(it.rule).into_iter().flatten() {
                let windows = near.entry(*pattern).or_default();
                let window = around(lower, &it.range);
                match windows.last_mut().filter(|last| last.end >= window.start) {
                    Some(last) => last.end = window.end,
                    None => windows.push(window),
                }
            }
        }
        let mut found = Vec::new();
        for (index, windows) in near {
            let Some(pattern) = PATTERNS.get(index) else { continue };
            let mut built = self.built.borrow_mut();
            let scanner = match built.entry(index) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let rule = Rule::expression(patterns::expression(pattern.expression));
                    entry.insert(Scanner::new(vec![rule])?)
                }
            };
            for window in windows {
                let text = lower.get(window.clone()).unwrap_or_default();
                found.extend(scanner.find_all(text).into_iter().map(|it| {
                    let range = window.start + it.range.start..window.start + it.range.end;
                    Found { range, name: pattern.name }
                }));
            }
        }
        Ok(found)
    }

    fn named<'a>(
        &self,
        place: &'a OnceCell<Named>,
        list: &[(&'static str, &str)],
    ) -> Result<&'a Named, Error> {
        if let Some(named) = place.get() {
            return Ok(named);
        }
        let asked = list.iter().filter(|(name, _)| self.is_asked(name));
        let (names, rules): (Vec<_>, Vec<_>) = asked
            .map(|(name, short)| (*name, Rule::expression(patterns::expression(short))))
            .unzip();
        let named = Named { scanner: Scanner::new(rules)?, names };
        Ok(place.get_or_init(|| named))
    }

    fn encoded(&self, runs: Vec<Encoded>, name: &'static str) -> Result<Vec<Found>, Error> {
        let mut found = Vec::new();
        for run in runs {
            for reading in &run.readings {
                let words = self.words.find_all(reading).into_iter().map(|it| it.rule);
                let is_bad = words.collect::<BTreeSet<_>>().len() >= 2
                    || !self.plain(&reading.to_ascii_lowercase())?.is_empty();
                if is_bad {
                    found.push(Found { range: run.range, name });
                    break;
                }
            }
        }
        Ok(found)
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

/// The text near a trigger that a match may take, from a gap between words on.
fn around(text: &str, trigger: &Range<usize>) -> Range<usize> {
    let from = floor(text, trigger.start.saturating_sub(NEAR_BYTES));
    let far = floor(text, from.saturating_sub(NEAR_BYTES));
    let gap = text.get(far..from).unwrap_or_default().rfind(char::is_whitespace);
    let start = gap.map_or(far, |gap| far + gap);
    start..floor(text, (trigger.end + NEAR_BYTES).min(text.len()))
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
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

/// As far as a scanner's match goes.
const NEAR_BYTES: usize = 256;
