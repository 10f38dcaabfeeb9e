//! The deltas of one choice, and which text each of them goes on with.

use crate::channel::{Channel, Reply};
use crate::json;
use crate::restore::Form;
use crate::tell;
use patchbay_sdk::{
    Delta, Error, Interest, JsonDelta, OtherDelta, Places, ReasoningDelta, ReasoningDetail,
    Rejection, Stream, TextDelta, ToolCallDelta, Verdict,
};
use std::collections::BTreeMap;
use std::rc::Rc;

/// One choice.
pub(crate) struct Choice {
    choice: u16,
    reply: Rc<Reply>,
    /// What is being said.
    prose: Channel,
    kind: Prose,
    /// The calls' arguments, by index. They may come side by side.
    calls: BTreeMap<u16, Channel>,
    /// Where the answer stands while something else is said.
    places: Places,
    /// Annotations of text that is held.
    waiting: Vec<JsonDelta>,
}

/// What the held text of `prose` is.
#[derive(Clone, PartialEq)]
enum Prose {
    Text,
    Refusal,
    /// A thought, of this block.
    Reasoning(Option<ReasoningDetail>),
}

impl Prose {
    fn form(&self, reply: &Reply) -> Form {
        if *self == Self::Text && reply.is_json { Form::Json } else { Form::Plain }
    }
}

impl Choice {
    pub(crate) fn new(choice: u16, reply: Rc<Reply>) -> Self {
        let prose = Channel::new(Rc::clone(&reply), Prose::Text.form(&reply));
        let (calls, places, waiting) = Default::default();
        Self { choice, reply, prose, kind: Prose::Text, calls, places, waiting }
    }

    fn delta(&mut self, delta: Delta, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        match delta {
            Delta::Text(TextDelta { text, .. }) => self.say(Prose::Text, &text, out),
            Delta::Refusal(TextDelta { text, .. }) => self.say(Prose::Refusal, &text, out),
            Delta::Reasoning(thought) => self.think(thought, out),
            Delta::ToolCall(call) => self.call(call, out),
            Delta::Annotation(it) => {
                self.waiting.push(it);
                self.annotate(out);
                Ok(())
            }
            Delta::Other(it) => {
                let json = self.restored(it.json);
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

    /// Where another kind begins, the one before ends.
    fn turn(&mut self, kind: Prose, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        if kind != self.kind {
            self.end_prose(out)?;
            self.prose.set_form(kind.form(&self.reply));
            if kind == Prose::Text || self.kind == Prose::Text {
                std::mem::swap(&mut self.prose.places, &mut self.places);
            }
            self.kind = kind;
        }
        Ok(())
    }

    /// More of what is said.
    fn say(&mut self, kind: Prose, text: &str, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        self.turn(kind, out)?;
        let said = self.prose.push(text, false)?;
        if !said.is_empty() || text.is_empty() {
            out.push(self.spoken(said));
        }
        self.annotate(out);
        Ok(())
    }

    /// Gives out annotations, once the text that they are about has gone.
    fn annotate(&mut self, out: &mut Vec<Delta>) {
        if self.waiting.is_empty() || !self.prose.is_empty() {
            return;
        }
        for it in std::mem::take(&mut self.waiting) {
            let is_answer = self.kind == Prose::Text;
            let places = if is_answer { &self.prose.places } else { &self.places };
            let json = places.moved(&it.json).unwrap_or(it.json);
            let json = self.restored(json);
            out.push(Delta::Annotation(JsonDelta { json, ..it }));
        }
    }

    /// A thought. What closes a block, its signature say, comes after all of its text.
    fn think(&mut self, thought: ReasoningDelta, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        let ReasoningDelta { text, detail, choice } = thought;
        let closes = detail.as_ref().is_some_and(|it| it.signature.is_some() || it.data.is_some());
        let block = detail.clone().map(|it| ReasoningDetail { signature: None, data: None, ..it });
        let kind = Prose::Reasoning(block);
        if !closes {
            return self.say(kind, &text, out);
        }
        self.turn(kind, out)?;
        let text = self.prose.push(&text, true)?;
        out.push(Delta::Reasoning(ReasoningDelta { choice, text, detail }));
        Ok(())
    }

    fn call(&mut self, call: ToolCallDelta, out: &mut Vec<Delta>) -> Result<(), Rejection> {
        self.end_prose(out)?;
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
        let said = self.prose.push("", true)?;
        if !said.is_empty() {
            out.push(self.spoken(said));
        }
        self.annotate(out);
        Ok(())
    }

    fn spoken(&self, text: String) -> Delta {
        let choice = self.choice;
        match &self.kind {
            Prose::Text => Delta::text(choice, text),
            Prose::Refusal => Delta::refusal(choice, text),
            Prose::Reasoning(detail) => {
                Delta::Reasoning(ReasoningDelta { choice, text, detail: detail.clone() })
            }
        }
    }

    /// JSON that comes whole, with its values.
    fn restored(&self, text: String) -> String {
        let restore = &mut |_: &str, text: &str| {
            let restored = crate::restore::whole(&self.reply.pseudonyms, text);
            (restored != text).then_some(restored)
        };
        json::change(&text, restore).unwrap_or(text)
    }

    /// Tells what the model made. At the end of every choice, what was found since the last one.
    fn tell(&self) {
        let counts = std::mem::take(&mut *self.reply.counts.borrow_mut());
        let action = self.reply.output.name();
        tell("reply", &counts.into_iter().map(|(label, count)| ((label, action), count)).collect());
    }

    fn holds(&self) -> bool {
        !self.prose.is_empty()
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
