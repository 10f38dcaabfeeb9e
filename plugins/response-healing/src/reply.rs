//! One JSON text of a reply from its first character to its last: heals it as it comes, and says at
//! the end what became of it. What follows the JSON is judged here: a remark goes, a second answer
//! that differs makes the text ambiguous.

use crate::healer::{Ending, Expected, Healer};
use crate::schema::keywords::same;
use crate::schema::{Fit, Schema};
use serde_json::Value;
use std::rc::Rc;

/// What the text must be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) schema: Option<Rc<Schema>>,
    pub(crate) expected: Expected,
}

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It came as it should.
    Sound,
    Healed,
    /// It is JSON, and not what the schema wants.
    Misfit {
        path: String,
        keyword: String,
    },
    /// It can be meant in more than one way, or in none that is known.
    Refused,
    NoJson,
}

/// A text that is healed as it comes.
#[derive(Debug)]
pub(crate) struct Reply {
    wanted: Wanted,
    healer: Healer,
    /// How much came, in bytes.
    came: usize,
    sent: String,
}

impl Wanted {
    pub(crate) fn new(schema: Option<Schema>) -> Self {
        let expected = Expected {
            keys: schema.as_ref().and_then(Schema::keys),
            is_object: schema.as_ref().is_none_or(Schema::wants_object),
            is_text: schema.as_ref().is_some_and(Schema::allows_text),
            is_checked: schema.is_some(),
        };
        Self { schema: schema.map(Rc::new), expected }
    }

    /// Whether a value is what is wanted. What can't be checked passes.
    fn misfit(&self, value: &Value) -> Option<Outcome> {
        match self.schema.as_ref()?.check(value) {
            Fit::Fits | Fit::Unknown => None,
            Fit::Misfit { path, keyword } => Some(Outcome::Misfit { path, keyword }),
        }
    }
}

impl Outcome {
    /// Whether the client gets what it asked for.
    pub(crate) fn is_good(&self) -> bool {
        matches!(self, Self::Sound | Self::Healed)
    }
}

impl Reply {
    pub(crate) fn new(wanted: Wanted) -> Self {
        let healer = Healer::new(wanted.expected.clone());
        Self { wanted, healer, came: 0, sent: String::new() }
    }

    /// Takes more text and gives what is certain.
    pub(crate) fn push(&mut self, text: &str) -> String {
        self.came = self.came.saturating_add(text.len());
        self.healer.push(text);
        self.give()
    }

    /// How much came, in bytes.
    pub(crate) fn came(&self) -> usize {
        self.came
    }

    /// How much is certain, in bytes.
    pub(crate) fn sent(&self) -> usize {
        self.sent.len()
    }

    /// The text is over: what was held, and what became of it.
    pub(crate) fn end(&mut self, is_cut: bool) -> (String, Outcome) {
        let ending = self.healer.finish(is_cut);
        let mut out = self.give();
        if ending != Ending::Json {
            return (out, self.unhealed(ending));
        }
        let tail = self.healer.tail();
        let value = serde_json::from_str::<Value>(&self.sent).ok();
        let is_blank = tail.trim().is_empty();
        if is_blank || self.is_droppable(tail, value.as_ref()) {
            let is_changed = self.healer.is_changed() || !is_blank;
            if is_blank {
                out.push_str(tail);
            }
            let fine = if is_changed { Outcome::Healed } else { Outcome::Sound };
            let misfit = value.and_then(|value| self.wanted.misfit(&value));
            return (out, misfit.unwrap_or(fine));
        }
        out.push_str(tail);
        self.sent.push_str(tail);
        (out, Outcome::Refused)
    }

    /// Stops healing: what was held comes out as it came.
    pub(crate) fn release(&mut self) -> String {
        self.healer.give_up(Ending::NoJson);
        self.give()
    }

    pub(crate) fn is_before(&self) -> bool {
        self.healer.is_before()
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.healer.is_behind()
    }

    fn give(&mut self) -> String {
        let out = self.healer.take();
        self.sent.push_str(&out);
        out
    }

    /// What came of a text that was not healed to its end. It may be sound all the same: a number,
    /// or brackets too many levels deep.
    fn unhealed(&self, ending: Ending) -> Outcome {
        let nothing = if ending == Ending::NoJson { Outcome::NoJson } else { Outcome::Refused };
        match serde_json::from_str::<Value>(&self.sent) {
            Ok(value) => {
                let is_changed = self.healer.is_changed();
                let fine = if is_changed { Outcome::Healed } else { Outcome::Sound };
                self.wanted.misfit(&value).unwrap_or(fine)
            }
            Err(_) => nothing,
        }
    }

    /// Whether what follows the JSON says nothing else.
    fn is_droppable(&self, tail: &str, value: Option<&Value>) -> bool {
        let Some(others) = others(tail, &self.wanted.expected) else { return false };
        let Some(value) = value.filter(|_| !self.healer.has_guess()) else {
            return others.is_empty();
        };
        let is_empty = |other: &Value| {
            other.as_object().is_some_and(serde_json::Map::is_empty)
                || other.as_array().is_some_and(Vec::is_empty)
        };
        others.iter().all(|(_, other)| {
            same(other, value) || is_empty(other) || self.wanted.misfit(other).is_some()
        })
    }
}

/// Heals a text that has come whole. What is not healed to something that fits stays as it came.
pub(crate) fn whole(text: &str, is_cut: bool, wanted: &Wanted) -> (String, Outcome) {
    let mut reply = Reply::new(wanted.clone());
    let mut out = reply.push(text);
    let (rest, outcome) = reply.end(is_cut);
    out.push_str(&rest);
    if outcome.is_good() {
        return (out, outcome);
    }
    match only_other(&reply, &outcome) {
        Some(json) => (json, Outcome::Healed),
        None => (text.to_owned(), outcome),
    }
}

/// When the first JSON of a text is not what is wanted, the only other one that is.
fn only_other(reply: &Reply, outcome: &Outcome) -> Option<String> {
    let is_other = matches!(outcome, Outcome::Misfit { .. } | Outcome::Refused);
    if !is_other || !reply.is_behind() {
        return None;
    }
    let tail = reply.healer.tail();
    let first = reply.sent.strip_suffix(tail).unwrap_or(&reply.sent);
    reply.wanted.misfit(&serde_json::from_str(first).ok()?)?;
    let others = others(tail, &reply.wanted.expected)?;
    let mut fitting = others.into_iter().filter(|(_, other)| reply.wanted.misfit(other).is_none());
    let (json, value) = fitting.next()?;
    fitting.all(|(_, other)| same(&other, &value)).then_some(json)
}

/// Every JSON in what follows one. `None`: something follows that can't be told apart from a part
/// of it.
fn others(tail: &str, expected: &Expected) -> Option<Vec<(String, Value)>> {
    let mut found = Vec::new();
    let mut rest = tail.to_owned();
    for _ in 0..OTHERS_MAX {
        let is_loose = |c: char| c.is_whitespace() || matches!(c, '}' | ']' | ';' | ')');
        let mut text = rest.trim_start_matches(is_loose);
        if let Some(behind) = text.strip_prefix(',') {
            text = behind.trim_start();
            if !(text.is_empty() || text.starts_with("```")) {
                return None;
            }
        }
        if text.starts_with([':', '"', '\'', '“', '\\']) {
            return None;
        }
        // Right behind the JSON a bracket begins another; further on it may be prose.
        let is_next = text.starts_with(['{', '[']);
        let mut healer =
            if is_next { Healer::new(expected.clone()) } else { Healer::behind(expected.clone()) };
        healer.push(text);
        match healer.finish(false) {
            Ending::NoJson => return Some(found),
            Ending::Refused => return None,
            Ending::Json => {}
        }
        let json = healer.take();
        let value = serde_json::from_str(&json).ok()?;
        found.push((json, value));
        healer.tail().clone_into(&mut rest);
    }
    None
}

/// More answers than this are no answer.
const OTHERS_MAX: usize = 8;
