//! The reply: everything that a client reads of one choice, on its way past the rules.
//!
//! What a client joins by itself (the answer, the thoughts, the refusal, the words of the sound,
//! each call's arguments) is a text of its own. Before anything else goes on, what is held of the
//! text before it is given out, so that the order stays; it can still become a match.

use crate::arguments::Arguments;
use crate::filter::Filter;
use crate::line::{Line, Passed, joined};
use crate::seen::Seen;
use patchbay_sdk::{
    Delta, Error, Interest, JsonDelta, ReasoningDelta, ReasoningDetail, Stream, ToolCallDelta,
    Verdict,
};
use std::cell::RefCell;
use std::rc::Rc;

/// One choice.
pub(crate) struct Reply {
    choice: u16,
    filter: Filter,
    seen: Rc<RefCell<Seen>>,
    answer: Line,
    thoughts: Line,
    /// The block that the last thoughts belong to.
    detail: Option<ReasoningDetail>,
    refusal: Line,
    sound: Line,
    calls: Vec<(u16, Arguments)>,
    last: Field,
    /// Whether anything went on otherwise than it came.
    has_changed: bool,
}

/// A text that the client joins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Answer,
    Thoughts,
    Refusal,
    Call(u16),
    /// None of them.
    Other,
}

impl Reply {
    pub(crate) fn new(filter: &Filter, choice: u16) -> Self {
        let seen = Rc::new(RefCell::new(Seen::default()));
        let line = || Line::new(filter, &seen);
        Self {
            choice,
            answer: line(),
            thoughts: line(),
            detail: None,
            refusal: line(),
            sound: line(),
            calls: Vec::new(),
            last: Field::Other,
            has_changed: false,
            filter: filter.clone(),
            seen,
        }
    }

    fn take(&mut self, delta: Delta, out: &mut Vec<Delta>) {
        self.turn_to(&delta, out);
        match delta {
            Delta::Text(it) => {
                let text = self.push(Field::Answer, it.text);
                out.extend(text.map(|text| Delta::text(it.choice, text)));
            }
            Delta::Refusal(it) => {
                let text = self.push(Field::Refusal, it.text);
                out.extend(text.map(|text| Delta::refusal(it.choice, text)));
            }
            Delta::Reasoning(it) => self.take_thought(it, out),
            Delta::ToolCall(it) => self.take_call(it, out),
            Delta::Audio(it) => self.take_sound(it, out),
            Delta::Annotation(ref it) | Delta::Image(ref it) => {
                let passes = self.passes_whole(&it.json);
                out.extend(passes.then_some(delta));
            }
            Delta::Other(ref it) => {
                // Probabilities spell out the text, and what else it might have been.
                let passes = !self.shows_words(&it.kind) && self.passes_whole(&it.json);
                self.has_changed |= !passes;
                out.extend(passes.then_some(delta));
            }
            Delta::Finish(_) => {
                self.end(out);
                out.push(delta);
            }
            Delta::Role(_) | Delta::Usage(_) => out.push(delta),
        }
    }

    /// Gives out what is held of another text, which this delta must not overtake.
    fn turn_to(&mut self, delta: &Delta, out: &mut Vec<Delta>) {
        let next = match delta {
            // What is held then ends, which is for `end` to do.
            Delta::Finish(_) => return,
            Delta::Text(_) => Field::Answer,
            Delta::Reasoning(_) => Field::Thoughts,
            Delta::Refusal(_) => Field::Refusal,
            Delta::ToolCall(it) => Field::Call(it.index),
            _ => Field::Other,
        };
        let is_other_block = match delta {
            Delta::Reasoning(it) => it.detail != self.detail,
            _ => false,
        };
        if next != self.last || is_other_block {
            self.release(out);
            self.last = next;
        }
    }

    fn release(&mut self, out: &mut Vec<Delta>) {
        let last = self.last;
        if let Field::Call(index) = last {
            let call = self.calls.iter_mut().find(|(known, _)| *known == index);
            let text = call.map(|(_, call)| call.release()).unwrap_or_default();
            self.give(last, text, out);
        } else if let Some(line) = self.line(last) {
            let mut passed = Vec::new();
            line.release(&mut passed);
            self.give(last, joined(passed), out);
        }
    }

    /// Gives out text that was held.
    fn give(&mut self, field: Field, text: String, out: &mut Vec<Delta>) {
        if text.is_empty() {
            return;
        }
        self.has_changed = true;
        let choice = self.choice;
        out.push(match field {
            Field::Answer | Field::Other => Delta::text(choice, text),
            Field::Refusal => Delta::refusal(choice, text),
            Field::Thoughts => {
                let detail = self.detail.clone();
                Delta::Reasoning(ReasoningDelta { choice, text, detail })
            }
            Field::Call(index) => {
                let (id, name) = (None, None);
                Delta::ToolCall(ToolCallDelta { choice, index, id, name, arguments: text })
            }
        });
    }

    fn line(&mut self, field: Field) -> Option<&mut Line> {
        match field {
            Field::Answer => Some(&mut self.answer),
            Field::Thoughts => Some(&mut self.thoughts),
            Field::Refusal => Some(&mut self.refusal),
            Field::Call(_) | Field::Other => None,
        }
    }

    /// What of a text may go on by now; `None` if nothing.
    fn push(&mut self, field: Field, text: String) -> Option<String> {
        let Some(line) = self.line(field) else { return Some(text) };
        let mut passed = Vec::new();
        if line.push(&text, &mut passed) {
            return Some(text);
        }
        self.has_changed = true;
        let text = joined(passed);
        (!text.is_empty()).then_some(text)
    }

    fn take_thought(&mut self, it: ReasoningDelta, out: &mut Vec<Delta>) {
        let ReasoningDelta { choice, text, detail } = it;
        self.detail.clone_from(&detail);
        let is_bare = text.is_empty();
        let text = self.push(Field::Thoughts, text);
        if is_bare || text.is_some() {
            let text = text.unwrap_or_default();
            out.push(Delta::Reasoning(ReasoningDelta { choice, text, detail }));
        }
    }

    /// Id and name go on at once; a name with a match in it goes on with masks.
    fn take_call(&mut self, it: ToolCallDelta, out: &mut Vec<Delta>) {
        let ToolCallDelta { choice, index, id, name, arguments } = it;
        let name = name.map(|name| self.whole(name));
        if !self.calls.iter().any(|(known, _)| *known == index) {
            let line = Line::new(&self.filter, &self.seen);
            self.calls.push((index, Arguments::new(line)));
        }
        let call = self.calls.iter_mut().find(|(known, _)| *known == index);
        let given = call.map(|(_, call)| call.push(&arguments)).unwrap_or_default();
        self.has_changed |= given != arguments;
        if id.is_some() || name.is_some() || !given.is_empty() || arguments.is_empty() {
            let arguments = given;
            out.push(Delta::ToolCall(ToolCallDelta { choice, index, id, name, arguments }));
        }
    }

    /// Sound can't be masked: a piece whose words have a match in them is left out.
    fn take_sound(&mut self, it: JsonDelta, out: &mut Vec<Delta>) {
        let sound: Option<serde_json::Value> = serde_json::from_str(&it.json).ok();
        let words = sound.as_ref().and_then(|sound| sound.get("transcript")?.as_str());
        let mut passed = Vec::new();
        let passes = words.is_none_or(|words| self.sound.push(words, &mut passed));
        let is_masked = passed.iter().any(|piece| matches!(piece, Passed::Mask(..)));
        if passes || !is_masked {
            out.push(Delta::Audio(it));
        } else {
            self.has_changed = true;
        }
    }

    fn passes_whole(&mut self, json: &str) -> bool {
        let before = json.to_owned();
        let passes = self.whole(before) == json;
        self.has_changed |= !passes;
        passes
    }

    /// A text that comes whole, masked.
    fn whole(&mut self, text: String) -> String {
        let mut line = Line::new(&self.filter, &self.seen);
        let mut passed = Vec::new();
        if line.push(&text, &mut passed) {
            line.end(&mut passed);
            return text;
        }
        line.end(&mut passed);
        let masked = joined(passed);
        self.has_changed |= masked != text;
        masked
    }

    fn shows_words(&self, kind: &str) -> bool {
        kind.ends_with("logprobs") && (self.filter.block.is_some() || self.filter.mask.is_some())
    }

    fn end(&mut self, out: &mut Vec<Delta>) {
        for field in [Field::Thoughts, Field::Answer, Field::Refusal] {
            let mut passed = Vec::new();
            if let Some(line) = self.line(field) {
                line.end(&mut passed);
            }
            self.give(field, joined(passed), out);
        }
        self.sound.end(&mut Vec::new());
        let mut texts = Vec::new();
        for (index, call) in &mut self.calls {
            texts.push((*index, call.end()));
        }
        for (index, text) in texts {
            self.give(Field::Call(index), text, out);
        }
    }

    fn holds(&self) -> bool {
        let lines = [&self.answer, &self.thoughts, &self.refusal];
        lines.iter().any(|line| !line.is_empty())
            || self.calls.iter().any(|(_, call)| !call.is_empty())
    }

    /// What becomes of a batch, now that `out` may go on.
    fn verdict(&mut self, out: Vec<Delta>) -> Verdict {
        let has_changed = std::mem::take(&mut self.has_changed);
        let mut seen = self.seen.borrow_mut();
        if !seen.blocked.is_empty() {
            seen.keep_first_block();
            let rejection = seen.refuse_reply();
            seen.report("output");
            return Verdict::Stop(rejection);
        }
        drop(seen);
        match out.is_empty() {
            true if self.holds() => Verdict::Hold,
            _ if !has_changed => Verdict::Pass,
            _ => Verdict::Emit(out),
        }
    }
}

impl Stream for Reply {
    fn interest(&self) -> Interest {
        if self.filter.is_empty() {
            return Interest::empty();
        }
        Interest::all() - (Interest::ROLE | Interest::USAGE)
    }

    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        let mut out = Vec::with_capacity(batch.len());
        let ends = batch.iter().any(|delta| matches!(delta, Delta::Finish(_)));
        for delta in batch {
            self.take(delta, &mut out);
            if !self.seen.borrow().blocked.is_empty() {
                break;
            }
        }
        let verdict = self.verdict(out);
        if ends {
            self.seen.borrow_mut().report("output");
        }
        Ok(verdict)
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        let mut out = Vec::new();
        self.end(&mut out);
        self.seen.borrow_mut().report("output");
        Ok(self.verdict(out))
    }
}
