//! Finding terms and regular expressions in a text that comes in pieces: thousands of them at
//! once, at a cost that hardly grows with their number. [`Window`](crate::Window) is for a handful
//! of words; this is for lists. (Feature `scan`.)
//!
//! ```
//! use patchbay_sdk::scan::{Piece, Rule, Scanner};
//! let rules = vec![Rule::term("Project Zebra").any_case(), Rule::expression(r"\bsk-[a-z0-9]{8}")];
//! let scanner = Scanner::new(rules)?;
//! let mut scan = scanner.scan();
//! scan.push("Ask for project ");
//! assert_eq!(scan.take(), Some(Piece::Text("Ask for ".into())));
//! assert_eq!(scan.take(), None);
//! scan.push("ZEBRA now.");
//! assert_eq!(scan.take(), Some(Piece::Match { rule: 0, text: "project ZEBRA".into() }));
//! # Ok::<(), patchbay_sdk::scan::RuleError>(())
//! ```
//!
//! # What is found
//!
//! - Matches do not overlap. The leftmost counts; of those that begin there the longest, whatever
//!   the expression prefers (`a+?` is `a+`); of those the rule that comes first.
//! - **Terms** are found also where characters that nobody sees stand inside them. Without regard
//!   to case, they are compared by simple Unicode mappings, and full-width letters are plain ones.
//! - **Expressions** are those of the crate [`regex`](https://docs.rs/regex), without look-around,
//!   back-references and `\p{…}`. `\d`, `\w`, `\s` and `\b` mean ASCII; `.` and `[^x]` mean whole
//!   characters; case is Unicode's. `^` and `$` are the ends of the whole text. One that matches
//!   the empty text is refused.
//! - An expression's match is found up to 256 bytes ([`Scanner::with_bound`] for others): of a
//!   longer one, as much as matches within them. Write `\w{3,80}` rather than `\w+`.
//! - Of two places where an expression may have begun and that it can't tell apart any more, the
//!   first stands for both.
//!
//! # What is held
//!
//! Just the text that may still become a match, or make one longer: less than the longest term,
//! or the bound. All other text goes on at once, and the outcome does not depend on the cuts.
//!
//! # What it costs
//!
//! Each character is one step of each automaton, and one more for each other place where an
//! expression may have begun: begin expressions with `\b` or with a literal text where you can, since
//! `[a-z]{1,64}@` may have begun at 64 places. Only after a match, what was read behind it is read
//! again. An expression that begins with two letters or more is built when they have come.
//!
//! Measured in WebAssembly on a shared machine: 1,000 terms are built in 1.4 ms, 1,000 expressions
//! that begin with a literal text in 8 to 12 ms, and others in 12 to 50 ms; a delta of five
//! characters costs 0.3 to 0.6 us (p50), with 100 rules or with 1,000. A plugin's instance lives for
//! one generation, so build a scanner once, and where its first text comes.

mod dialect;
mod expressions;
mod fold;
mod terms;
#[cfg(test)]
mod tests;
mod walk;

use crate::Error;
use expressions::{Expressions, Later};
use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use terms::{Meaning, Term, Terms};
use walk::{Found, Walk};

/// What to look for.
#[derive(Debug, Clone)]
pub struct Rule {
    text: String,
    is_expression: bool,
    any_case: bool,
    is_whole_word: bool,
    check: Option<fn(&str) -> bool>,
}

impl Rule {
    /// A literal text.
    pub fn term(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { text, is_expression: false, any_case: false, is_whole_word: false, check: None }
    }

    /// A regular expression.
    pub fn expression(text: impl Into<String>) -> Self {
        Self { is_expression: true, ..Self::term(text) }
    }

    /// Upper and lower case are alike.
    #[must_use]
    pub fn any_case(mut self) -> Self {
        self.any_case = true;
        self
    }

    /// Neither before nor behind it a word goes on. Words are of letters, digits and `_`, of any
    /// script.
    #[must_use]
    pub fn whole_word(mut self) -> Self {
        self.is_whole_word = true;
        self
    }

    fn as_term(&self, number: usize) -> Term {
        Term {
            meaning: Meaning::Match(number),
            text: self.text.clone(),
            is_whole_word: self.is_whole_word,
            any_case: self.any_case,
        }
    }

    /// Only a text that `check` agrees to is a match, a checksum say. It is asked about the whole
    /// text of every match, longer and shorter ones, and must not depend on anything else.
    #[must_use]
    pub fn check(mut self, check: fn(&str) -> bool) -> Self {
        self.check = Some(check);
        self
    }
}

impl dialect::Beginning {
    /// The term that says that the expression has begun. Its case is for the expression to see.
    fn term(self, number: usize) -> Term {
        let (text, is_whole_word) = (self.text, self.is_at_word);
        Term { meaning: Meaning::Beginning(number), text, is_whole_word, any_case: true }
    }
}

/// A rule that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// Its number.
    pub rule: usize,
    /// What is wrong, to be read after the rule's name: `is not valid at byte 3: …`.
    pub reason: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {} {}", self.rule, self.reason)
    }
}

impl std::error::Error for RuleError {}

impl From<RuleError> for Error {
    fn from(error: RuleError) -> Self {
        Self::Options(error.to_string())
    }
}

/// Rules, ready to look for. Cloning is cheap: clones share what was built.
#[derive(Clone)]
pub struct Scanner {
    compiled: Rc<Compiled>,
}

struct Compiled {
    rules: Vec<Rule>,
    terms: Terms,
    /// Expressions that may begin with anything.
    expressions: Option<Expressions>,
    /// Those whose literal beginnings are among the terms.
    later: Vec<Later>,
    bytes_max: usize,
}

/// A match in a whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The rule's number.
    pub rule: usize,
    /// Its bytes in the text.
    pub range: Range<usize>,
}

impl Scanner {
    /// Keeps the order: matches name rules by number.
    ///
    /// # Errors
    /// When a term has no visible character, an expression is none, is too large, or needs more than
    /// 256 bytes to match, or all terms together have more than 400,000 bytes.
    pub fn new(rules: Vec<Rule>) -> Result<Self, RuleError> {
        Self::with_bound(rules, MATCH_BYTES_MAX)
    }

    /// The same, with another bound of what an expression may match, in bytes. What may become
    /// such a match is held, so the host's limit of held bytes must be well above it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_bound(rules: Vec<Rule>, bytes_max: usize) -> Result<Self, RuleError> {
        let (mut terms, mut later, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let mut bytes = 0;
        for (number, rule) in rules.iter().enumerate() {
            let refuse = |reason: String| RuleError { rule: number, reason };
            if !rule.is_expression && rule.text.chars().all(fold::is_invisible) {
                return Err(refuse("has no visible character".into()));
            }
            let beginning = match rule.is_expression {
                true => dialect::beginning(&rule.text, bytes_max).map_err(refuse)?,
                false => None,
            };
            let term = match beginning {
                Some(beginning) => {
                    later.push(Later::new(number));
                    beginning.term(later.len() - 1)
                }
                None if rule.is_expression => {
                    others.push(number);
                    continue;
                }
                None => rule.as_term(number),
            };
            bytes += term.text.len();
            if bytes > terms::BYTES_MAX {
                let max = terms::BYTES_MAX;
                return Err(refuse(format!("makes the terms longer than {max} bytes together")));
            }
            terms.push(term);
        }
        let has_others = !others.is_empty();
        let expressions = has_others.then(|| Expressions::new(&rules, others, bytes_max));
        let expressions = expressions.transpose()?;
        let terms = Terms::new(terms);
        let compiled = Compiled { rules, terms, expressions, later, bytes_max };
        Ok(Self { compiled: Rc::new(compiled) })
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.compiled.rules.is_empty()
    }

    /// Begins a text that comes in pieces.
    pub fn scan(&self) -> Scan {
        Scan {
            scanner: self.clone(),
            text: String::new(),
            start: 0,
            given: 0,
            before: None,
            ended: false,
            paused: false,
            settled: None,
            walk: Walk::default(),
        }
    }

    /// All matches in a whole text, in order.
    pub fn find_all(&self, text: &str) -> Vec<Match> {
        let mut walk = Walk::default();
        let next = || walk.settle(&self.compiled, text, None, true);
        let found = std::iter::from_fn(next);
        found.map(|it| Match { rule: it.rule, range: it.start..it.end }).collect()
    }
}

/// What [`Scan::take`] finds next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text without a match.
    Text(String),
    /// A match.
    Match {
        /// The rule's number.
        rule: usize,
        /// The text that matched, without what of it was given out at a [`pause`](Scan::pause).
        text: String,
    },
}

/// One text, as it comes. After each [`push`](Self::push), [`take`](Self::take) until it gives
/// `None`: what is left then may still become a match. Several texts that come side by side (the
/// answer, the thoughts, each call's arguments) need a scan each.
pub struct Scan {
    scanner: Scanner,
    text: String,
    /// What lies before it was taken.
    start: usize,
    /// What lies before it was given out, be it certain or not.
    given: usize,
    /// The character before `text`.
    before: Option<char>,
    ended: bool,
    paused: bool,
    /// The next match, once it is certain.
    settled: Option<Found>,
    walk: Walk,
}

impl Scan {
    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.start.max(self.given) == self.text.len()
    }

    /// Whether `text` goes on as it is: nothing is held, it has no match, and none may begin in
    /// it. Then it counts as read. Otherwise nothing is changed: [`push`](Self::push) it.
    /// Allocates nothing.
    pub fn passes(&mut self, text: &str) -> bool {
        if self.start < self.text.len() {
            return false;
        }
        self.forget();
        let (compiled, walk) = (&self.scanner.compiled, &mut self.walk);
        walk.restart(0);
        let found = walk.settle(compiled, text, self.before, false);
        let passes = found.is_none() && walk.held(compiled, text, self.before) == text.len();
        walk.restart(0);
        if passes {
            self.before = text.chars().next_back().or(self.before);
        }
        passes
    }

    /// More text.
    pub fn push(&mut self, text: &str) {
        self.forget();
        self.paused = false;
        self.text.push_str(text);
    }

    /// No more text follows: what may have become a match is text from now on. A later `push`
    /// begins a new text, once everything was taken.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Lets [`take`](Self::take) give out all that is held, for where it must not be overtaken:
    /// another block begins, say. What would be a match if the text ended here is one. The rest
    /// may still become one with what is pushed later, which then comes as ever: so the beginning
    /// of a match may have left, but never a whole one.
    pub fn pause(&mut self) {
        self.paused = true;
    }

    /// The next piece that no later text changes, or `None` until more comes.
    pub fn take(&mut self) -> Option<Piece> {
        let compiled = &self.scanner.compiled;
        if self.settled.is_none() {
            self.settled = self.walk.settle(compiled, &self.text, self.before, self.ended);
        }
        if self.settled.is_none() && self.paused {
            let mut walk = self.walk.clone();
            self.settled = walk.settle(compiled, &self.text, self.before, true);
            self.settled.iter().for_each(|found| self.walk.restart(found.end));
        }
        let certain = match self.settled {
            Some(found) => found.start,
            None if self.ended => self.text.len(),
            None => self.walk.held(compiled, &self.text, self.before),
        };
        let is_all = self.paused && self.settled.is_none();
        let (from, to) =
            (self.start.max(self.given), if is_all { self.text.len() } else { certain });
        self.start = self.start.max(certain);
        self.given = self.given.max(to);
        if to > from {
            return Some(Piece::Text(self.piece(from, to)));
        }
        let found = self.settled.take()?;
        let from = found.start.max(self.given);
        self.start = found.end;
        self.given = self.given.max(found.end);
        Some(Piece::Match { rule: found.rule, text: self.piece(from, found.end) })
    }

    fn piece(&self, from: usize, to: usize) -> String {
        self.text.get(from..to).unwrap_or_default().to_owned()
    }

    /// Drops what was taken.
    fn forget(&mut self) {
        if self.start == self.text.len() && self.ended {
            self.ended = false;
            self.before = None;
            self.text.clear();
            self.walk.restart(0);
        } else {
            let taken = self.text.get(..self.start).unwrap_or_default();
            self.before = taken.chars().next_back().or(self.before);
            self.text.drain(..self.start);
            self.walk.advance(self.start);
        }
        self.given = self.given.saturating_sub(self.start).min(self.text.len());
        self.start = 0;
    }
}

/// How much of a text an expression may match, in bytes.
const MATCH_BYTES_MAX: usize = 256;
