//! The deltas of one choice, and which text each of them goes on with.

use crate::channel::{Channel, Reply};
use crate::json;
use crate::options::Output;
use crate::restore::Form;
use crate::tell;
use patchbay_sdk::{
    Delta, Error, Interest, JsonDelta, OtherDelta, ReasoningDelta, ReasoningDetail, Rejection,
    Stream, TextDelta, ToolCallDelta, Verdict,
};
use std::collections::BTreeMap;
use std::rc::Rc;

/// One choice.
pub(crate) struct Choice {
    choice: u16,
    reply: Rc<Reply>,
    /// What may be the beginning of a pseudonym waits here for more of the answer, whatever else
    /// comes meanwhile.
    answer: Channel,
    /// What is said beside it.
    aside: Channel,
    kind: Aside,
    /// The calls' arguments, by index. They may come side by side.
    calls: BTreeMap<u16, Channel>,
    /// Annotations of text that is held.
    waiting: Vec<JsonDelta>,
}

/// What the held text of `aside` is.
#[derive(Clone, PartialEq)]
enum Aside {
    Refusal,
    /// A thought, of this block.
    Reasoning(Option<ReasoningDetail>),
}

impl Choice {
    pub(crate) fn new(choice: u16, reply: Rc<Reply>) -> Self {
        let form = if reply.is_json { Form::Json } else { Form::Plain };
        let channel = |form: Form| Channel::new(Rc::clone(&reply), form);
        let (answer, aside) = (channel(form), channel(Form::Plain));
        let (calls, waiting) = Default::default();
        Self { choice, reply, answer, aside, kind: Aside::Refusal, calls, waiting }
    }

    fn delta(&mut self, delta: Delta, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        match delta {
            Delta::Text(TextDelta { text, .. }) => self.answer(&text, out),
            Delta::Refusal(TextDelta { text, .. }) => self.say(Aside::Refusal, &text, out),
            Delta::Reasoning(thought) => self.think(thought, out),
            Delta::ToolCall(call) => self.call(call, out),
            Delta::Annotation(it) => {
                self.waiting.push(it);
                self.annotate(out)
            }
            // Probabilities spell out the text, and so what is not to leave.
            Delta::Other(it) if self.hides_values() && it.kind.ends_with("logprobs") => Ok(()),
            Delta::Other(it) => {
                let json = self.settled(it.json)?;
                out.push(Delta::Other(OtherDelta { json, ..it }));
                Ok(())
            }
            Delta::Finish(_) => {
                self.end(out)?;
                out.push(delta);
                Ok(())
            }
            Delta::Role(_) | Delta::Image(_) | Delta::Audio(_) | Delta::Usage(_) => {
                self.end_prose(out)?;
                out.push(delta);
                Ok(())
            }
        }
    }

    /// More of the answer.
    fn answer(&mut self, text: &str, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        self.end_aside(out)?;
        let said = self.answer.push(text, false)?;
        if !said.is_empty() || text.is_empty() {
            out.push(Delta::text(self.choice, said));
        }
        self.annotate(out)
    }

    /// More of what is said beside the answer. Where another kind begins, the one before ends.
    fn say(&mut self, kind: Aside, text: &str, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        self.turn(kind, out)?;
        let said = self.aside.push(text, false)?;
        if !said.is_empty() || text.is_empty() {
            out.push(self.spoken(said));
        }
        Ok(())
    }

    fn turn(&mut self, kind: Aside, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        self.leave_answer(out)?;
        if kind != self.kind {
            self.end_aside(out)?;
            self.kind = kind;
        }
        Ok(())
    }

    /// Gives out annotations, once the text that they are about has gone.
    fn annotate(&mut self, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        if self.waiting.is_empty() || !self.answer.is_empty() {
            return Ok(());
        }
        for it in std::mem::take(&mut self.waiting) {
            let json = self.answer.places.moved(&it.json).unwrap_or(it.json);
            let json = self.settled(json)?;
            out.push(Delta::Annotation(JsonDelta { json, ..it }));
        }
        Ok(())
    }

    /// A thought. What closes a block, its signature say, comes after all of its text.
    fn think(&mut self, thought: ReasoningDelta, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        let ReasoningDelta { text, detail, choice } = thought;
        let closes = detail.as_ref().is_some_and(|it| it.signature.is_some() || it.data.is_some());
        let block = detail.clone().map(|it| ReasoningDetail { signature: None, data: None, ..it });
        let kind = Aside::Reasoning(block);
        if !closes {
            return self.say(kind, &text, out);
        }
        self.turn(kind, out)?;
        let text = self.aside.push(&text, true)?;
        out.push(Delta::Reasoning(ReasoningDelta { choice, text, detail }));
        Ok(())
    }

    fn call(&mut self, call: ToolCallDelta, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        self.end_aside(out)?;
        self.leave_answer(out)?;
        let new = || Channel::new(Rc::clone(&self.reply), Form::Json);
        let channel = self.calls.entry(call.index).or_insert_with(new);
        let arguments = channel.push(&call.arguments, false)?;
        let says = call.id.is_some() || call.name.is_some() || call.arguments.is_empty();
        if says || !arguments.is_empty() {
            out.push(Delta::ToolCall(ToolCallDelta { arguments, ..call }));
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        self.end_prose(out)?;
        for (index, channel) in &mut self.calls {
            let arguments = channel.push("", true)?;
            if !arguments.is_empty() {
                let (choice, index) = (self.choice, *index);
                let call = ToolCallDelta { choice, index, id: None, name: None, arguments };
                out.push(Delta::ToolCall(call));
            }
        }
        Ok(())
    }

    fn end_prose(&mut self, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        self.end_aside(out)?;
        let said = self.answer.push("", true)?;
        self.write_answer(said, out)
    }

    fn end_aside(&mut self, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        let said = self.aside.push("", true)?;
        if !said.is_empty() {
            out.push(self.spoken(said));
        }
        Ok(())
    }

    /// Something else than the answer follows.
    fn leave_answer(&mut self, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        let said = self.answer.pause()?;
        self.write_answer(said, out)
    }

    fn write_answer(&mut self, said: String, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        if !said.is_empty() {
            out.push(Delta::text(self.choice, said));
        }
        self.annotate(out)
    }

    fn spoken(&self, text: String) -> Delta {
        let choice = self.choice;
        match &self.kind {
            Aside::Refusal => Delta::refusal(choice, text),
            Aside::Reasoning(detail) => {
                Delta::Reasoning(ReasoningDelta { choice, text, detail: detail.clone() })
            }
        }
    }

    /// JSON that comes whole: each of its strings is a text of its own.
    fn settled(&self, text: String) -> Result<String, Rejection> {
        let mut stop = None;
        let changed = json::change(&text, &mut |_, text| {
            let mut channel = Channel::new(Rc::clone(&self.reply), Form::Plain);
            match channel.push(text, true) {
                Ok(settled) => (settled != text).then_some(settled),
                Err(rejection) => {
                    stop = Some(rejection);
                    None
                }
            }
        });
        stop.map_or_else(|| Ok(changed.unwrap_or(text)), Err)
    }

    fn hides_values(&self) -> bool {
        matches!(self.reply.output, Output::Mask | Output::Block)
    }

    /// Tells what the model made. At the end of every choice, what was found since the last one.
    fn tell(&self) {
        let counts = std::mem::take(&mut *self.reply.counts.borrow_mut());
        let action = self.reply.output.name();
        tell("reply", &counts.into_iter().map(|(label, count)| ((label, action), count)).collect());
    }

    fn holds(&self) -> bool {
        !self.answer.is_empty()
            || !self.aside.is_empty()
            || !self.waiting.is_empty()
            || self.calls.values().any(|call| !call.is_empty())
    }
}

impl Stream for Choice {
    fn interest(&self) -> Interest {
        if !self.reply.is_watched() {
            return Interest::empty();
        }
        Interest::TEXT
            | Interest::REASONING
            | Interest::TOOL_CALL
            | Interest::REFUSAL
            | Interest::ANNOTATION
            | Interest::IMAGE
            | Interest::AUDIO
            | Interest::FINISH
            | Interest::OTHER
    }

    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        let held = self.holds();
        let mut out = Vec::with_capacity(batch.len());
        for delta in batch.iter().cloned() {
            if let Err(rejection) = self.delta(delta, &mut out) {
                self.tell();
                return Ok(Verdict::Stop(rejection));
            }
        }
        Ok(match out {
            out if !held && out == batch => Verdict::Pass,
            out if out.is_empty() => Verdict::Hold,
            out => Verdict::Emit(out),
        })
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        let mut out = Vec::new();
        let ended = self.end(&mut out);
        self.tell();
        Ok(match ended {
            Err(rejection) => Verdict::Stop(rejection),
            Ok(()) if out.is_empty() => Verdict::Pass,
            Ok(()) => Verdict::Emit(out),
        })
    }
}
