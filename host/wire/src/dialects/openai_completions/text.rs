//! The text of one choice on its way in: cut where the turn ends, and searched for tool calls.
//! A piece is held back only while it can still be the beginning of either.

use super::calls::{self, Call};
use super::family::Calls;
use super::prompt::Rules;
use crate::chunk::Delta;

/// One choice's text so far.
#[derive(Debug)]
pub(super) struct Text {
    choice: u16,
    /// What came and was not given on.
    held: String,
    has_spoken: bool,
    /// Whether the turn has ended, so that nothing more counts.
    is_cut: bool,
    /// Whether the reply has turned out to begin with words.
    is_words: bool,
    calls: u16,
}

impl Text {
    /// The text of a choice that begins.
    pub(super) fn new(choice: u16) -> Self {
        Self {
            choice,
            held: String::new(),
            has_spoken: false,
            is_cut: false,
            is_words: false,
            calls: 0,
        }
    }

    /// Whether there were calls.
    pub(super) fn has_calls(&self) -> bool {
        self.calls > 0
    }

    /// Whether a text that ends the turn was met.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &str, rules: &Rules, deltas: &mut Vec<Delta>) {
        if self.is_cut {
            return;
        }
        self.held.push_str(piece);
        if let Some(at) = rules.stops.iter().filter_map(|stop| self.held.find(stop)).min() {
            self.held.truncate(at);
            self.is_cut = true;
        }
        self.give(self.is_cut, rules, deltas);
    }

    /// Gives what is held: nothing more comes.
    pub(super) fn end(&mut self, rules: &Rules, deltas: &mut Vec<Delta>) {
        self.give(true, rules, deltas);
    }

    fn give(&mut self, is_last: bool, rules: &Rules, deltas: &mut Vec<Delta>) {
        let begins_with_words = self.has_spoken || self.is_words;
        let (marker, is_call) = match rules.calls {
            Calls::None => ("", false),
            Calls::Tagged => (OPEN, self.give_tagged(is_last, deltas)),
            Calls::Bare if begins_with_words => ("", false),
            Calls::Bare => ("", self.give_alone(PYTHON, is_last, rules, deltas)),
            Calls::Listed => (LISTED, self.give_listed(is_last, rules, deltas)),
        };
        if is_call {
            return;
        }
        let endings = rules.stops.iter().map(String::as_str).chain([marker]);
        let kept = match is_last {
            true => 0,
            false => endings.map(|end| overlap(&self.held, end)).max().unwrap_or_default(),
        };
        self.say(self.held.len() - kept, deltas);
    }

    /// Gives every `<tool_call>` that is whole, and the words before it. Returns whether one is
    /// left that is not.
    fn give_tagged(&mut self, is_last: bool, deltas: &mut Vec<Delta>) -> bool {
        while let Some(at) = self.held.find(OPEN) {
            self.say(at, deltas);
            let inner = self.held.get(OPEN.len()..).unwrap_or_default();
            let (call, after) = match inner.split_once(CLOSE) {
                None if !is_last && calls::can_begin(inner) => return true,
                closed => closed.unwrap_or((inner, "")),
            };
            match calls::read_all(call) {
                Some(calls) => {
                    self.held = after.to_owned();
                    self.call(calls, deltas);
                }
                // It only looked like one.
                None => self.say(OPEN.len(), deltas),
            }
        }
        false
    }

    /// Gives a list of calls after its marker, or without it where the host leaves out control
    /// tokens. Returns whether what is held is a call, or may still become one.
    fn give_listed(&mut self, is_last: bool, rules: &Rules, deltas: &mut Vec<Delta>) -> bool {
        match self.held.find(LISTED) {
            Some(at) => self.say(at, deltas),
            None if self.has_spoken || self.is_words => return false,
            None => {}
        }
        self.give_alone(LISTED, is_last, rules, deltas)
    }

    /// Gives calls that are all of what is held, with or without a marker before them. Returns
    /// whether what is held is a call, or may still become one.
    fn give_alone(
        &mut self,
        marker: &str,
        is_last: bool,
        rules: &Rules,
        deltas: &mut Vec<Delta>,
    ) -> bool {
        let text = self.held.trim_start();
        let inner = text.strip_prefix(marker).unwrap_or(text);
        if !is_last {
            let is_open = marker.starts_with(text) || calls::can_begin(inner);
            self.is_words = !is_open;
            return is_open;
        }
        let is_known = |call: &Call| rules.names.contains(&call.name);
        let calls = calls::read_all(inner).filter(|calls| calls.iter().all(is_known));
        let Some(calls) = calls else { return false };
        self.held.clear();
        self.call(calls, deltas);
        true
    }

    /// Gives what is held up to there.
    fn say(&mut self, end: usize, deltas: &mut Vec<Delta>) {
        let rest = self.held.split_off(end);
        let text = std::mem::replace(&mut self.held, rest);
        // Line breaks between calls are no words.
        if text.is_empty() || (self.has_calls() && text.trim().is_empty()) {
            return;
        }
        self.has_spoken = true;
        deltas.push(Delta::Text { choice: self.choice, text });
    }

    fn call(&mut self, calls: Vec<Call>, deltas: &mut Vec<Delta>) {
        let choice = self.choice;
        for Call { id, name, arguments } in calls {
            let index = self.calls;
            deltas.push(Delta::ToolCall { choice, index, id, name: Some(name), arguments });
            self.calls = self.calls.saturating_add(1);
        }
    }
}

/// How much of a text's end is the beginning of what it may become.
fn overlap(text: &str, whole: &str) -> usize {
    let ends = whole.char_indices().map(|(at, _)| at).rev();
    let mut starts = ends.filter_map(|at| whole.get(..at));
    starts.find(|start| text.ends_with(start)).map_or(0, str::len)
}

const OPEN: &str = "<tool_call>";
const CLOSE: &str = "</tool_call>";
const LISTED: &str = "[TOOL_CALLS]";
const PYTHON: &str = "<|python_tag|>";
