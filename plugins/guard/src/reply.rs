//! The reply: everything that a client reads of one choice, on its way past the rules.
//!
//! What a client joins by itself (the answer, the thoughts, the refusal, the words of the sound,
//! each call's arguments) is a text of its own. Their pieces may alternate: what is held of one
//! waits for more of that one, and the others go past it.

use crate::arguments::Arguments;
use crate::filter::Filter;
use crate::line::{Line, Passed, joined};
use crate::prose::{Field, Prose};
use crate::seen::Seen;
use patchbay_sdk::{
    Delta, Error, Interest, JsonDelta, ReasoningDelta, Stream, ToolCallDelta, Verdict,
};
use std::cell::RefCell;
use std::rc::Rc;

/// One choice.
pub(crate) struct Reply {
    choice: u16,
    filter: Filter,
    seen: Rc<RefCell<Seen>>,
    answer: Prose,
    thoughts: Prose,
    refusal: Prose,
    sound: Line,
    calls: Vec<(u16, Arguments)>,
    /// Whether anything went on otherwise than it came.
    has_changed: bool,
    /// Whether nothing has gone on since something was held.
    is_waiting: bool,
}

impl Reply {
    pub(crate) fn new(filter: &Filter, choice: u16) -> Self {
        let seen = Rc::new(RefCell::new(Seen::default()));
        let prose = |field: Field| Prose::new(choice, field, Line::new(filter, &seen));
        Self {
            choice,
            answer: prose(Field::Answer),
            thoughts: prose(Field::Thoughts),
            refusal: prose(Field::Refusal),
            sound: Line::new(filter, &seen),
            calls: Vec::new(),
            has_changed: false,
            is_waiting: false,
            filter: filter.clone(),
            seen,
        }
    }

    fn take(&mut self, delta: Delta, out: &mut Vec<Delta>) {
        match delta {
            Delta::Text(ref it) => {
                let passes = self.answer.push(&it.text, None, out);
                self.has_changed |= !passes;
                out.extend(passes.then_some(delta));
            }
            Delta::Refusal(ref it) => {
                let passes = self.refusal.push(&it.text, None, out);
                self.has_changed |= !passes;
                out.extend(passes.then_some(delta));
            }
            Delta::Reasoning(it) => self.take_thought(it, out),
            Delta::ToolCall(it) => self.take_call(it, out),
            Delta::Audio(it) => self.take_sound(it, out),
            Delta::Annotation(ref it) => {
                if self.passes_whole(&it.json) {
                    self.has_changed |= !self.answer.mark(delta, out);
                }
            }
            Delta::Image(ref it) => {
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

    /// What closes a block, its signature say, comes after all of its text.
    fn take_thought(&mut self, it: ReasoningDelta, out: &mut Vec<Delta>) {
        let block = it.detail.as_ref();
        let passes = if block.is_some_and(|it| it.signature.is_some() || it.data.is_some()) {
            self.thoughts.close(it, out)
        } else if it.text.is_empty() {
            self.thoughts.mark(Delta::Reasoning(it), out)
        } else if self.thoughts.push(&it.text, block, out) {
            out.push(Delta::Reasoning(it));
            true
        } else {
            false
        };
        self.has_changed |= !passes;
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

    /// Whether JSON that comes whole has nothing in it that is masked, read for what it means.
    fn passes_whole(&mut self, json: &str) -> bool {
        let mut whole = Arguments::new(Line::new(&self.filter, &self.seen));
        let passes = whole.push(json) + &whole.end() == json;
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
        self.has_changed |= self.holds();
        for prose in [&mut self.thoughts, &mut self.answer, &mut self.refusal] {
            prose.end(out);
        }
        self.sound.end(&mut Vec::new());
        let choice = self.choice;
        for (index, call) in &mut self.calls {
            let (index, arguments) = (*index, call.end());
            if !arguments.is_empty() {
                let (id, name) = (None, None);
                out.push(Delta::ToolCall(ToolCallDelta { choice, index, id, name, arguments }));
            }
        }
    }

    fn holds(&self) -> bool {
        let said = [&self.answer, &self.thoughts, &self.refusal];
        said.iter().any(|prose| !prose.is_empty())
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
        if out.is_empty() && self.holds() {
            self.is_waiting = true;
            return Verdict::Hold;
        }
        // The host counts the time from a `Hold` until something is emitted; what goes past the
        // held text shows that the reply goes on.
        let was_waiting = std::mem::take(&mut self.is_waiting);
        if has_changed || was_waiting { Verdict::Emit(out) } else { Verdict::Pass }
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
