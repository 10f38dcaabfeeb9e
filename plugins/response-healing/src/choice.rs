//! The hook on one choice: its text, and the arguments of its tool calls where that is wanted.

use crate::reply::{Outcome, Reply, whole};
use crate::retry::retry;
use crate::{Format, Task};
use patchbay_sdk::{Delta, Error, FinishReason, Interest, Stream, ToolCallDelta, Verdict, report};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What looks at nothing.
pub(crate) struct Idle;

impl Stream for Idle {
    fn interest(&self) -> Interest {
        Interest::empty()
    }

    fn push(&mut self, _: Vec<Delta>) -> Result<Verdict, Error> {
        Ok(Verdict::Pass)
    }
}

/// One choice.
pub(crate) struct Choice {
    choice: u16,
    task: Rc<Task>,
    text: Reply,
    /// The text as it came, for a model that is asked again, or because it is held to its end.
    came: String,
    /// How much of it went out, in bytes.
    sent: usize,
    /// The arguments of each call, by its index.
    calls: BTreeMap<u16, Reply>,
    is_over: bool,
    is_holding: bool,
}

impl Stream for Choice {
    fn interest(&self) -> Interest {
        let text = if self.task.format.is_some() { Interest::TEXT } else { Interest::empty() };
        text | Interest::TOOL_CALL | Interest::FINISH
    }

    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        let mut out = Vec::with_capacity(batch.len());
        for delta in &batch {
            match delta {
                Delta::Text(piece) => {
                    let text = self.push_text(&piece.text);
                    self.emit_text(text, &mut out);
                }
                Delta::ToolCall(piece) => {
                    let text = self.before_call();
                    self.emit_text(text, &mut out);
                    out.extend(self.push_call(piece));
                }
                Delta::Finish(finish) => {
                    self.end(Some(finish.reason), &mut out);
                    out.push(delta.clone());
                }
                other => out.push(other.clone()),
            }
        }
        Ok(self.verdict(&batch, out))
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        let mut out = Vec::new();
        self.end(None, &mut out);
        Ok(if out.is_empty() { Verdict::Pass } else { Verdict::Emit(out) })
    }
}

impl Choice {
    pub(crate) fn new(choice: u16, task: Rc<Task>) -> Self {
        let wanted = task.format.as_ref().map(|format| format.wanted.clone());
        Self {
            choice,
            task,
            text: Reply::new(wanted.unwrap_or_default()),
            came: String::new(),
            sent: 0,
            calls: BTreeMap::new(),
            is_over: false,
            is_holding: false,
        }
    }

    /// Whether the text is held to its end. A reply that is not streamed has come whole anyway.
    fn is_held(&self) -> bool {
        self.task.options.hold || !self.task.is_stream
    }

    fn push_text(&mut self, text: &str) -> String {
        if self.task.format.is_none() || self.is_over {
            return text.to_owned();
        }
        self.came.push_str(text);
        if self.is_held() { String::new() } else { self.text.push(text) }
    }

    fn emit_text(&mut self, text: String, out: &mut Vec<Delta>) {
        if !text.is_empty() {
            self.sent = self.sent.saturating_add(text.len());
            out.push(Delta::text(self.choice, text));
        }
    }

    /// Text before a tool call that has no JSON so far is what the model says about the call.
    fn before_call(&mut self) -> String {
        if self.is_over || self.came.is_empty() {
            return String::new();
        }
        if self.is_held() {
            let wanted = self.task.format.as_ref().map(|format| format.wanted.clone());
            let mut probe = Reply::new(wanted.unwrap_or_default());
            probe.push(&self.came);
            if !probe.is_before() {
                return String::new();
            }
            self.is_over = true;
            return std::mem::take(&mut self.came);
        }
        if self.text.is_before() {
            self.is_over = true;
            return self.text.release();
        }
        String::new()
    }

    /// A piece of a call, with what is certain of its arguments. A piece without anything goes.
    fn push_call(&mut self, piece: &ToolCallDelta) -> Option<Delta> {
        let mut piece = piece.clone();
        if let Some(name) = &piece.name
            && let Some(wanted) = self.task.tools.get(name)
        {
            self.calls.entry(piece.index).or_insert_with(|| Reply::new(wanted.clone()));
        }
        if let Some(call) = self.calls.get_mut(&piece.index) {
            piece.arguments = call.push(&piece.arguments);
            if piece.arguments.is_empty() && piece.id.is_none() && piece.name.is_none() {
                return None;
            }
        }
        Some(Delta::ToolCall(piece))
    }

    /// The choice is over, with the model's reason if it gave one.
    fn end(&mut self, reason: Option<FinishReason>, out: &mut Vec<Delta>) {
        let is_cut = match reason {
            Some(FinishReason::Stop | FinishReason::ToolCalls) => false,
            // Without a word about it the reply broke off.
            Some(FinishReason::Length | FinishReason::ContentFilter | FinishReason::Error)
            | None => true,
        };
        let task = Rc::clone(&self.task);
        if let Some(format) = &task.format
            && !self.is_over
            && !self.came.is_empty()
        {
            let text = self.end_text(is_cut, format);
            self.emit_text(text, out);
        }
        self.is_over = true;
        for (index, mut call) in std::mem::take(&mut self.calls) {
            if call.came() == 0 {
                continue;
            }
            let (arguments, outcome) = call.end(is_cut);
            let lengths = (call.came(), call.sent());
            report_outcome("tool_arguments", &outcome, lengths, false);
            if !arguments.is_empty() {
                let (choice, id, name) = (self.choice, None, None);
                out.push(Delta::ToolCall(ToolCallDelta { choice, index, id, name, arguments }));
            }
        }
    }

    /// What is still to go out of the text.
    fn end_text(&mut self, is_cut: bool, format: &Format) -> String {
        let (mut text, mut outcome) = if self.is_held() {
            whole(&self.came, is_cut, &format.wanted)
        } else {
            self.text.end(is_cut)
        };
        let mut is_retried = false;
        if !outcome.is_good()
            && self.sent == 0
            && let Some(model) = &self.task.options.retry_model
            && let Some(json) = retry(model, &self.came, format)
        {
            (text, outcome, is_retried) = (json, Outcome::Healed, true);
        }
        let lengths = (self.came.len(), self.sent.saturating_add(text.len()));
        report_outcome(format.mode, &outcome, lengths, is_retried);
        text
    }

    /// What goes on instead of a batch. What would go on unchanged passes, so that its own bytes
    /// do.
    fn verdict(&mut self, batch: &[Delta], out: Vec<Delta>) -> Verdict {
        let is_same = !self.is_holding && is_same(batch, &out);
        let is_nothing = out.is_empty();
        // Once JSON has gone out, what is held is a few characters, which the host would give out
        // alone if it lost patience. So it is told of nothing but whole texts.
        let is_text = batch.iter().all(|delta| matches!(delta, Delta::Text(_)));
        let is_whole = self.is_held() || self.text.is_before();
        let holds = is_nothing && is_text && is_whole && !self.is_over;
        self.is_holding = holds;
        match (is_same, holds) {
            (true, _) => Verdict::Pass,
            (false, true) => Verdict::Hold,
            (false, false) => Verdict::Emit(out),
        }
    }
}

/// Tells what became of a text, with its lengths before and after, unless it came as it should.
fn report_outcome(mode: &str, outcome: &Outcome, lengths: (usize, usize), is_retried: bool) {
    let summary = match outcome {
        Outcome::Sound => return,
        Outcome::Healed if is_retried => "The reply was repaired by a model.".to_owned(),
        Outcome::Healed => "The reply was repaired.".to_owned(),
        Outcome::Misfit { path, keyword } => {
            format!("The reply is not what the schema wants: `{keyword}` at `{path}`.")
        }
        Outcome::Refused => "The reply is broken in a way that is not repaired.".to_owned(),
        Outcome::NoJson => "The reply has no JSON.".to_owned(),
    };
    report::stage("response_healing", "response-healing")
        .summary(&summary)
        .data("mode", mode)
        .data("improved", outcome.is_good())
        .data("original_length", lengths.0)
        .data("healed_length", lengths.1)
        .send();
}

/// Whether two batches say the same, however their texts are cut.
fn is_same(came: &[Delta], goes: &[Delta]) -> bool {
    let text = |deltas: &[Delta]| -> String {
        let pieces = deltas.iter().filter_map(|delta| match delta {
            Delta::Text(piece) => Some(piece.text.as_str()),
            _ => None,
        });
        pieces.collect()
    };
    let rest = |deltas: &[Delta]| -> Vec<Delta> {
        deltas.iter().filter(|delta| !matches!(delta, Delta::Text(_))).cloned().collect()
    };
    text(came) == text(goes) && rest(came) == rest(goes)
}
