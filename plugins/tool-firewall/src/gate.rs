//! The gate before the client: calls wait here until they are whole and judged. All else goes on
//! at once.

use crate::foreign::Foreign;
use crate::law::{Breach, Law};
use crate::options::{Action, Notice};
use crate::value::End;
use patchbay_sdk::{
    Delta, Error, FinishReason, Interest, OtherDelta, Places, Rejection, Stream, ToolCallDelta,
    Verdict, metrics, report,
};
use std::rc::Rc;

/// One choice.
pub(crate) struct Gate {
    choice: u16,
    law: Rc<Law>,
    notice: Notice,
    calls: Vec<Call>,
    /// Calls that are no functions': where they stand, and of which tool.
    foreign: Vec<(u64, String)>,
    /// The tools of those that were left out.
    refused: Vec<String>,
    /// Whether one of them has gone on.
    has_foreign: bool,
    /// How many calls have gone on: the next one's index.
    released: u16,
    /// Whether the answer has text, so that a notice begins a line of its own.
    has_text: bool,
    /// Where notices stand in the answer, which moves what annotations cite.
    places: Places,
    /// What was broken: tool, rule and action.
    breaches: Vec<(String, Breach)>,
    stop: Option<Rejection>,
    has_changed: bool,
}

/// A call, as far as it has come.
struct Call {
    index: u16,
    id: Option<String>,
    name: String,
    /// What is held of them.
    arguments: String,
    /// How long they are by now.
    length: usize,
    end: End,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Held,
    /// It has gone on whole, under this index; nothing may follow.
    Released,
    /// It needs no judging and goes on piece by piece, under this index.
    Free(u16),
    Dropped,
}

impl Gate {
    pub(crate) fn new(law: &Rc<Law>, notice: Notice, choice: u16) -> Self {
        Self {
            choice,
            law: Rc::clone(law),
            notice,
            calls: Vec::new(),
            foreign: Vec::new(),
            refused: Vec::new(),
            has_foreign: false,
            released: 0,
            has_text: false,
            places: Places::default(),
            breaches: Vec::new(),
            stop: None,
            has_changed: false,
        }
    }

    fn take(&mut self, delta: Delta, out: &mut Vec<Delta>) {
        match delta {
            Delta::ToolCall(it) => self.take_call(it, out),
            Delta::Finish(mut it) => {
                self.settle(out);
                let is_dropped = self.calls.iter().any(|call| call.state == State::Dropped)
                    || !self.refused.is_empty();
                let is_left = self.released > 0 || self.has_foreign;
                if it.reason == FinishReason::ToolCalls && !is_left && is_dropped {
                    self.has_changed = true;
                    it.reason = FinishReason::Stop;
                }
                out.push(Delta::Finish(it));
            }
            Delta::Text(it) => {
                self.has_text |= !it.text.is_empty();
                self.places.add(&it.text, &it.text);
                out.push(Delta::Text(it));
            }
            Delta::Annotation(mut it) => {
                if let Some(json) = self.places.moved(&it.json) {
                    it.json = json;
                    self.has_changed = true;
                }
                out.push(Delta::Annotation(it));
            }
            Delta::Other(it) => self.take_foreign(it, out),
            other => out.push(other),
        }
    }

    fn take_call(&mut self, it: ToolCallDelta, out: &mut Vec<Delta>) {
        let known = self.calls.iter().rposition(|call| call.index == it.index);
        // Another id under the same index is another call.
        let is_other = |call: &Call| it.id.is_some() && call.id.is_some() && call.id != it.id;
        let known = known.filter(|at| !self.calls.get(*at).is_some_and(is_other));
        if let Some(at) = known
            && self.is_renamed(at, it.name.as_deref())
        {
            let tool = self.calls.get(at).map(|call| call.name.clone()).unwrap_or_default();
            let breach = Breach { action: Action::Block, ..self.law.malformed(&tool) };
            return self.condemn(at, breach, out);
        }
        let at = known.unwrap_or_else(|| self.begin(&it));
        let Some(call) = self.calls.get_mut(at) else { return };
        call.length += it.arguments.len();
        let is_too_long = call.length > self.law.max_arguments_bytes;
        match call.state {
            State::Dropped => self.has_changed = true,
            State::Released if it.arguments.trim().is_empty() => self.has_changed = true,
            // The client may have read it already, and what it reads now is another call.
            State::Released => {
                let breach = Breach { action: Action::Block, ..self.law.malformed(&call.name) };
                self.condemn(at, breach, out);
            }
            State::Free(index) => {
                let breach = self.law.too_long(&call.name);
                if is_too_long && breach.action == Action::Flag {
                    self.note_once(at, breach);
                } else if is_too_long {
                    // It can't be left out any more.
                    return self.condemn(at, Breach { action: Action::Block, ..breach }, out);
                }
                self.has_changed |= index != it.index;
                out.push(Delta::ToolCall(ToolCallDelta { index, ..it }));
            }
            State::Held => {
                self.has_changed = true;
                call.arguments.push_str(&it.arguments);
                let breach = self.law.too_long(&call.name);
                if is_too_long && breach.action == Action::Flag {
                    self.note_once(at, breach);
                    self.release(at, State::Free(self.released), out);
                } else if is_too_long {
                    self.condemn(at, breach, out);
                } else if call.end.push(&it.arguments) {
                    self.judge(at, out);
                }
            }
        }
    }

    /// Whether a further piece gives a call that has a name another one: clients read the first, the
    /// last, or both as one. The name of a call that had none is kept.
    fn is_renamed(&mut self, at: usize, name: Option<&str>) -> bool {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return false };
        let Some(call) = self.calls.get_mut(at).filter(|call| call.name != name) else {
            return false;
        };
        if call.name.is_empty() && call.state == State::Held {
            call.name = name.to_owned();
            return false;
        }
        let both = format!("{}{name}", call.name);
        !(matches!(call.state, State::Free(_)) && self.law.is_free(name) && self.law.is_free(&both))
    }

    /// A call that is no function's goes on if no rule is for its tool: its arguments have no form
    /// that the rules could read.
    fn take_foreign(&mut self, it: OtherDelta, out: &mut Vec<Delta>) {
        let Some(Foreign { index, name }) = Foreign::read(&it) else {
            return out.push(Delta::Other(it));
        };
        let before = self.foreign.iter().rev().find(|(known, _)| *known == index);
        let tool = name.or_else(|| Some(before?.1.clone())).unwrap_or_default();
        self.foreign.push((index, tool.clone()));
        self.foreign.dedup();
        let Some(breach) = self.law.judge_unread(&tool) else {
            self.has_foreign = true;
            return out.push(Delta::Other(it));
        };
        let is_known = self.breaches.contains(&(tool.clone(), breach.clone()));
        if breach.action == Action::Flag {
            self.has_foreign = true;
            out.push(Delta::Other(it));
            if !is_known {
                self.note(tool, breach);
            }
            return;
        }
        self.has_changed = true;
        if !self.refused.contains(&tool) {
            self.refused.push(tool.clone());
            self.refuse(tool, breach, out);
        }
    }

    /// A new call; a tool that is not allowed needs no arguments to be judged.
    fn begin(&mut self, it: &ToolCallDelta) -> usize {
        let name = it.name.clone().unwrap_or_default();
        let mut state = State::Held;
        // A name that is still to come may be any.
        if !name.is_empty() && self.law.is_free(&name) {
            state = State::Free(self.released);
            self.released += 1;
        }
        let (index, id) = (it.index, it.id.clone());
        let (arguments, length, end) = (String::new(), 0, End::default());
        self.calls.push(Call { index, id, name, arguments, length, end, state });
        self.calls.len() - 1
    }

    /// A call is whole.
    fn judge(&mut self, at: usize, out: &mut Vec<Delta>) {
        let Some(call) = self.calls.get(at) else { return };
        match self.law.judge(&call.name, &call.arguments) {
            Some(breach) if breach.action != Action::Flag => self.condemn(at, breach, out),
            Some(breach) => {
                self.note(call.name.clone(), breach);
                self.release(at, State::Released, out);
            }
            None => self.release(at, State::Released, out),
        }
    }

    fn release(&mut self, at: usize, state: State, out: &mut Vec<Delta>) {
        let (choice, index) = (self.choice, self.released);
        let Some(call) = self.calls.get_mut(at) else { return };
        call.state = state;
        self.released += 1;
        let (id, name) = (call.id.clone(), Some(call.name.clone()));
        let arguments = std::mem::take(&mut call.arguments);
        out.push(Delta::ToolCall(ToolCallDelta { choice, index, id, name, arguments }));
    }

    fn condemn(&mut self, at: usize, breach: Breach, out: &mut Vec<Delta>) {
        let Some(call) = self.calls.get_mut(at) else { return };
        call.state = State::Dropped;
        call.arguments = String::new();
        let tool = call.name.clone();
        self.refuse(tool, breach, out);
    }

    /// Tells of a call that does not go on.
    fn refuse(&mut self, tool: String, breach: Breach, out: &mut Vec<Delta>) {
        let (rule, action) = (breach.rule.clone(), breach.action);
        self.note(tool.clone(), breach);
        if action == Action::Block {
            let message = format!("Response blocked by tool firewall: {rule}");
            let rejection = Rejection::new(403, message).metadata("reasons", vec![rule]);
            self.stop = Some(rejection.metadata("tool", tool));
            return;
        }
        let notice = format!("[Tool call `{tool}` denied: {rule}]");
        match self.notice {
            Notice::Text => {
                let gap = if self.has_text { "\n\n" } else { "" };
                self.has_text = true;
                let notice = format!("{gap}{notice}");
                self.places.add("", &notice);
                out.push(Delta::text(self.choice, notice));
            }
            Notice::Refusal => out.push(Delta::refusal(self.choice, notice)),
            Notice::None => {}
        }
    }

    /// What is broken by every further piece is noted for the first.
    fn note_once(&mut self, at: usize, breach: Breach) {
        let tool = self.calls.get(at).map(|call| call.name.clone()).unwrap_or_default();
        if !self.breaches.contains(&(tool.clone(), breach.clone())) {
            self.note(tool, breach);
        }
    }

    fn note(&mut self, tool: String, breach: Breach) {
        let counter = match breach.action {
            Action::Block => "blocked",
            Action::Deny => "denied",
            Action::Flag => "flagged",
        };
        metrics::count(counter, 1, &[("rule", &breach.rule)]);
        self.breaches.push((tool, breach));
    }

    /// No more pieces come: what is held is whole.
    fn settle(&mut self, out: &mut Vec<Delta>) {
        for at in 0..self.calls.len() {
            if self.calls.get(at).is_some_and(|call| call.state == State::Held) {
                self.has_changed = true;
                self.judge(at, out);
            }
        }
        self.report();
    }

    fn report(&mut self) {
        let breaches = std::mem::take(&mut self.breaches);
        if breaches.is_empty() {
            return;
        }
        let of = |action: Action| {
            let own = breaches.iter().filter(move |(_, breach)| breach.action == action);
            own.map(|(tool, breach)| serde_json::json!({"tool": tool, "rule": breach.rule}))
                .collect::<Vec<_>>()
        };
        let (blocked, denied, flagged) = (of(Action::Block), of(Action::Deny), of(Action::Flag));
        let summary = format!(
            "{} blocked, {} denied, {} flagged",
            blocked.len(),
            denied.len(),
            flagged.len()
        );
        let mut stage = report::stage("guardrail", "tool-firewall").summary(&summary);
        for (name, calls) in [("blocked", blocked), ("denied", denied), ("flagged", flagged)] {
            if !calls.is_empty() {
                stage = stage.data(name, calls);
            }
        }
        stage.send();
    }

    fn verdict(&mut self, out: Vec<Delta>) -> Verdict {
        let has_changed = std::mem::take(&mut self.has_changed);
        if let Some(rejection) = self.stop.take() {
            self.report();
            return Verdict::Stop(rejection);
        }
        let holds = self.calls.iter().any(|call| call.state == State::Held);
        match out.is_empty() {
            _ if !has_changed => Verdict::Pass,
            true if holds => Verdict::Hold,
            _ => Verdict::Emit(out),
        }
    }
}

impl Stream for Gate {
    fn interest(&self) -> Interest {
        Interest::TEXT
            | Interest::TOOL_CALL
            | Interest::ANNOTATION
            | Interest::OTHER
            | Interest::FINISH
    }

    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        let mut out = Vec::with_capacity(batch.len());
        for delta in batch {
            self.take(delta, &mut out);
            if self.stop.is_some() {
                break;
            }
        }
        Ok(self.verdict(out))
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        let mut out = Vec::new();
        self.settle(&mut out);
        Ok(self.verdict(out))
    }
}
