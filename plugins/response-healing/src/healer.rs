//! Heals one JSON text as it comes. What is certain goes out at once; what depends on later text is
//! held, and only that. Every decision looks at the characters alone, never at how they were cut.
//!
//! A reply that is valid goes through byte for byte. Where a text is broken in a way that has more
//! than one likely meaning, healing ends: the rest, with the spot itself, goes on as it came, so
//! that what the client gets is still broken and not wrong.
//!
//! `seek` finds where the JSON begins, `structure` walks objects and arrays, `text` strings,
//! `token` numbers and words; `look` answers what stands ahead.

mod escaped;
mod look;
mod number;
mod seek;
mod structure;
#[cfg(test)]
mod tests;
mod text;
mod token;

use escaped::Escaped;
use seek::Seek;
use std::collections::BTreeSet;
use text::Text;

/// What the JSON may be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    /// The only keys that the outermost object may have, where that is known: an object after
    /// prose that begins with another key is an example, not the answer.
    pub(crate) keys: Option<BTreeSet<String>>,
    /// Whether it must be an object, so that an array after prose is part of the prose.
    pub(crate) is_object: bool,
    /// Whether the text as a whole may be a string, so that a string that holds JSON is no mistake.
    pub(crate) is_text: bool,
    /// Whether a schema will say if a number should have been text, as `007` may.
    pub(crate) is_checked: bool,
}

/// How a text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// An object or array came out.
    Json,
    /// No JSON begins in it. It came out unchanged.
    NoJson,
    /// It is broken in a way that is not healed. From there on it came out unchanged.
    Refused,
}

/// A healer of one text.
#[derive(Debug)]
pub(crate) struct Healer {
    expected: Expected,
    /// What came and is not consumed.
    input: String,
    /// How much of `input` is consumed.
    at: usize,
    /// Nothing comes after `input`.
    is_last: bool,
    /// The model was cut off, so the last number may be half a number.
    is_cut: bool,
    /// Healed and certain.
    out: String,
    /// Healed, and not certain yet.
    held: String,
    /// `held`, as it came.
    raw: String,
    stack: Vec<Frame>,
    state: State,
    seek: Seek,
    text: Text,
    token: String,
    last: Last,
    /// A comma was put between the last value and this one; says whether a line ended there.
    joined: Option<bool>,
    escaped: Option<Escaped>,
    /// What follows the JSON.
    tail: String,
    is_changed: bool,
    /// A bracket was put in the middle, where something else may have been wrong.
    has_guess: bool,
    /// How far the first key of each open container is indented, where it begins a line.
    indents: Vec<usize>,
    /// A key stands further left than those before it: its object lacks a bracket before it.
    has_dedent: bool,
}

/// A container that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    Object,
    /// An array without a comma so far.
    Array,
    /// An array with commas.
    List,
    /// Round brackets, as Python writes a fixed list.
    Tuple,
    /// Round brackets without a comma so far: around one value they mean nothing.
    Round,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the JSON.
    Seek,
    /// In an object, before a key.
    Key,
    /// Behind a key.
    Colon,
    /// Behind a colon.
    Value,
    /// In an array, before an item.
    Item,
    /// Behind a value.
    After,
    /// In a string.
    Text,
    /// In a number.
    Number,
    /// In a bare word.
    Word,
    /// Behind the JSON.
    Tail,
    /// Nothing is healed any more.
    Over(Ending),
}

/// The value that came last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    None,
    Object,
    List,
    Text,
    Number,
    Word,
}

/// How a step went. `None` in its place: more text is needed.
type Step = Option<()>;

/// The most that may stand before the JSON, or after it, or wait for a decision.
const HELD_MAX: usize = 32 << 10;

impl Healer {
    pub(crate) fn new(expected: Expected) -> Self {
        Self {
            expected,
            input: String::new(),
            at: 0,
            is_last: false,
            is_cut: false,
            out: String::new(),
            held: String::new(),
            raw: String::new(),
            stack: Vec::new(),
            state: State::Seek,
            seek: Seek::default(),
            text: Text::default(),
            token: String::new(),
            last: Last::None,
            joined: None,
            escaped: None,
            tail: String::new(),
            is_changed: false,
            has_guess: false,
            indents: Vec::new(),
            has_dedent: false,
        }
    }

    /// A healer of what stands behind a JSON text, where brackets may be prose.
    pub(crate) fn behind(expected: Expected) -> Self {
        Self { seek: Seek::behind(), ..Self::new(expected) }
    }

    /// Takes more text. What became certain is fetched with [`take`](Self::take).
    pub(crate) fn push(&mut self, text: &str) {
        self.feed(text);
        self.run();
    }

    /// The text is over. `is_cut`: the model was stopped before it was done.
    pub(crate) fn finish(&mut self, is_cut: bool) -> Ending {
        self.is_last = true;
        self.is_cut = is_cut;
        self.run();
        self.complete();
        match self.state {
            State::Over(ending) => ending,
            _ => Ending::Json,
        }
    }

    /// What is certain and was not fetched before.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// What follows the JSON, as it came; no part of what is taken.
    pub(crate) fn tail(&self) -> &str {
        &self.tail
    }

    /// Whether the JSON is over, so that only what follows it is still to come.
    pub(crate) fn is_behind(&self) -> bool {
        self.state == State::Tail
    }

    /// Whether no JSON has begun.
    pub(crate) fn is_before(&self) -> bool {
        self.state == State::Seek
    }

    /// Whether a bracket in the middle was put there. Then another JSON behind may belong to it.
    pub(crate) fn has_guess(&self) -> bool {
        self.has_guess
    }

    /// Whether what came out differs from what came, what follows the JSON left aside.
    pub(crate) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Gives out everything as it came, from here on.
    pub(crate) fn give_up(&mut self, ending: Ending) {
        self.out.push_str(&self.raw);
        self.forget();
        let rest = self.input.split_off(self.at);
        self.input.clear();
        self.at = 0;
        self.out.push_str(&rest);
        self.state = State::Over(ending);
    }

    fn run(&mut self) {
        while self.step().is_some() {
            if self.raw.len() > HELD_MAX {
                self.refuse();
            }
        }
        self.input.drain(..self.at);
        self.at = 0;
    }

    fn step(&mut self) -> Step {
        match self.state {
            State::Seek => self.step_seek(),
            State::Key => self.step_key(),
            State::Colon => self.step_colon(),
            State::Value => self.step_value(),
            State::Item => self.step_item(),
            State::After => self.step_after(),
            State::Text => self.step_text(),
            State::Number => self.step_number(),
            State::Word => self.step_word(),
            State::Tail => self.step_tail(),
            State::Over(_) => self.step_over(),
        }
    }

    fn step_tail(&mut self) -> Step {
        let rest = self.rest().to_owned();
        self.at = self.input.len();
        self.tail.push_str(&rest);
        if self.tail.len() > HELD_MAX {
            self.out.push_str(&std::mem::take(&mut self.tail));
            self.state = State::Over(Ending::Refused);
        }
        None
    }

    fn step_over(&mut self) -> Step {
        let rest = self.rest().to_owned();
        self.at = self.input.len();
        self.out.push_str(&rest);
        None
    }

    /// Closes what is open at the end of the text.
    fn complete(&mut self) {
        match self.state {
            State::Seek => return self.give_up(Ending::NoJson),
            State::Tail | State::Over(_) => return,
            State::Text => self.end_text(),
            State::After => self.settle(),
            State::Key
            | State::Colon
            | State::Value
            | State::Item
            | State::Number
            | State::Word => {}
        }
        if matches!(self.state, State::Over(_)) {
            return;
        }
        if self.has_dedent && !self.stack.is_empty() {
            return self.give_up(Ending::Refused);
        }
        // What is held belongs to a member that has no value, or to a comma without a member. Where
        // the model says that it was done, a member is not left out.
        if !self.is_cut && self.held.contains(|c: char| c.is_alphanumeric() || c == '"') {
            return self.give_up(Ending::Refused);
        }
        self.is_changed = true;
        self.forget();
        while let Some(frame) = self.stack.pop() {
            self.out.push(frame.closer());
        }
        self.state = State::Tail;
    }

    /// The text that is not consumed.
    fn rest(&self) -> &str {
        self.input.get(self.at..).unwrap_or_default()
    }

    /// The next character. At the end of the text there is none, and no step ends there.
    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Consumes bytes that stay as they are.
    fn keep(&mut self, bytes: usize) {
        let end = self.at.saturating_add(bytes);
        let piece = self.input.get(self.at..end).unwrap_or_default();
        self.held.push_str(piece);
        self.raw.push_str(piece);
        self.at = end.min(self.input.len());
    }

    /// Consumes bytes that are left out.
    fn skip(&mut self, bytes: usize) {
        let end = self.at.saturating_add(bytes);
        self.raw.push_str(self.input.get(self.at..end).unwrap_or_default());
        self.at = end.min(self.input.len());
        self.is_changed |= bytes > 0;
    }

    /// Adds what did not come.
    fn put(&mut self, text: &str) {
        self.held.push_str(text);
        self.is_changed = true;
    }

    /// What is held is certain.
    fn settle(&mut self) {
        self.out.push_str(&self.held);
        self.forget();
    }

    fn forget(&mut self) {
        self.held.clear();
        self.raw.clear();
    }

    /// More than one meaning is likely: leaves the rest alone.
    fn refuse(&mut self) -> Step {
        self.give_up(Ending::Refused);
        Some(())
    }
}

impl Frame {
    fn closer(self) -> char {
        match self {
            Self::Object => '}',
            Self::Array | Self::List | Self::Tuple | Self::Round => ']',
        }
    }

    /// The same container, behind a comma.
    fn with_comma(self) -> Self {
        match self {
            Self::Object => Self::Object,
            Self::Array | Self::List => Self::List,
            Self::Round | Self::Tuple => Self::Tuple,
        }
    }

    fn is_list(self) -> bool {
        !matches!(self, Self::Object)
    }
}
