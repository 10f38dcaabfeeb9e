//! One choice of the reply: puts what was split into deltas, in order with the others.

use crate::split::{Settled, Splitter};
use patchbay_sdk::{
    Delta, Error, FinishReason, Interest, Places, ReasoningDelta, ReasoningDetail, ReasoningKind,
    Stream, TextDelta, ToolCallDelta, Verdict,
};

/// The stream of one choice.
pub(crate) struct Choice {
    choice: u16,
    /// What the ids of its calls begin with.
    own: String,
    /// No thought reaches the client.
    excludes: bool,
    splitter: Splitter,
    /// The next free block of thought, once the upstream sends blocks of its own.
    block: Option<u32>,
    /// The next free call.
    next_call: u16,
    /// Whether the text had calls.
    has_called: bool,
    call: Option<Call>,
    /// Where the answer's characters stood in the text that came.
    places: Places,
    /// What came, and what of it is answer, since nothing was held last.
    unsettled: (String, String),
}

/// A call that is being read.
struct Call {
    index: u16,
    /// What is not sent yet: less than `ARGUMENTS_CHARS`.
    arguments: String,
    has_arguments: bool,
}

impl Choice {
    /// At the beginning. `generation` is its id.
    pub(crate) fn new(choice: u16, generation: &str, excludes: bool, splitter: Splitter) -> Self {
        Self {
            choice,
            own: format!("call_{generation}_{choice}"),
            excludes,
            splitter,
            block: None,
            next_call: 0,
            has_called: false,
            call: None,
            places: Places::default(),
            unsettled: Default::default(),
        }
    }

    fn passes(&mut self, delta: &Delta) -> bool {
        if let Delta::Text(TextDelta { text, .. }) = delta {
            return self.splitter.passes(text);
        }
        let is_idle = self.splitter.is_empty() && self.call.is_none();
        let is_changed = match delta {
            // It stands beside the text, and interrupts nothing.
            Delta::Annotation(it) => return self.places.moved(&it.json).is_none(),
            Delta::Reasoning(_) => self.excludes,
            Delta::Finish(finish) => self.has_called && finish.reason == FinishReason::Stop,
            _ => false,
        };
        let passes = is_idle && !is_changed;
        if passes {
            self.note(delta);
        }
        passes
    }

    /// Remembers which numbers the upstream itself uses.
    fn note(&mut self, delta: &Delta) {
        match delta {
            Delta::Reasoning(ReasoningDelta { detail: Some(detail), .. }) => {
                let next = detail.index.unwrap_or_default().saturating_add(1);
                self.block = self.block.max(Some(next));
            }
            Delta::ToolCall(call) => {
                self.next_call = self.next_call.max(call.index.saturating_add(1))
            }
            _ => {}
        }
    }

    /// Text that went on as it came.
    fn keep(&mut self, delta: &Delta) {
        if let Delta::Text(TextDelta { text, .. }) = delta {
            self.places.add(text, text);
        }
    }

    /// Splits more text, and remembers where what went on of it stood.
    fn follow(&mut self, text: &str, is_end: bool, out: &mut Vec<Delta>) {
        let before = out.len();
        self.split(text, is_end, out);
        let (came, went) = &mut self.unsettled;
        came.push_str(text);
        for delta in out.iter().skip(before) {
            if let Delta::Text(TextDelta { text, .. }) = delta {
                went.push_str(text);
            }
        }
        if self.splitter.is_empty() {
            self.places.replace(came, went);
            came.clear();
            went.clear();
        }
    }

    fn split(&mut self, text: &str, is_end: bool, out: &mut Vec<Delta>) {
        self.splitter.push(text);
        if is_end {
            self.splitter.end();
        }
        while let Some(piece) = self.splitter.take() {
            match piece {
                Settled::Arguments(text) => self.arguments(&text, out),
                piece => {
                    self.end_call(out);
                    self.give(piece, out);
                }
            }
        }
        if is_end {
            self.end_call(out);
        }
    }

    fn give(&mut self, piece: Settled, out: &mut Vec<Delta>) {
        match piece {
            Settled::Thought(_) if self.excludes => {}
            Settled::Thought(text) => out.push(self.thought(text)),
            Settled::Answer(text) => out.push(Delta::text(self.choice, text)),
            Settled::Call(name) => self.begin_call(name, out),
            Settled::Arguments(_) => {}
        }
    }

    /// Without a detail it is the reply's only block, on every surface. A block of the upstream's
    /// may be signed, so ours is another one then.
    fn thought(&self, text: String) -> Delta {
        let detail = self.block.map(|index| ReasoningDetail {
            kind: ReasoningKind::Text,
            id: None,
            format: Some("unknown".into()),
            index: Some(index),
            signature: None,
            data: None,
        });
        Delta::Reasoning(ReasoningDelta { choice: self.choice, text, detail })
    }

    fn begin_call(&mut self, name: String, out: &mut Vec<Delta>) {
        let index = self.next_call;
        self.next_call = index.saturating_add(1);
        self.has_called = true;
        self.call = Some(Call { index, arguments: String::new(), has_arguments: false });
        out.push(Delta::ToolCall(ToolCallDelta {
            choice: self.choice,
            index,
            id: Some(format!("{}_{index}", self.own)),
            name: Some(name),
            arguments: String::new(),
        }));
    }

    /// Sends arguments in pieces of one length, so that they don't depend on the cuts of the text.
    fn arguments(&mut self, text: &str, out: &mut Vec<Delta>) {
        let Some(call) = &mut self.call else { return };
        for letter in text.chars() {
            call.arguments.push(letter);
            if call.arguments.len() >= ARGUMENTS_BYTES {
                out.push(call.delta(self.choice));
            }
        }
    }

    fn end_call(&mut self, out: &mut Vec<Delta>) {
        let Some(mut call) = self.call.take() else { return };
        if !call.has_arguments && call.arguments.trim().is_empty() {
            call.arguments = "{}".to_owned();
        }
        if !call.arguments.is_empty() {
            out.push(call.delta(self.choice));
        }
    }
}

impl Call {
    fn delta(&mut self, choice: u16) -> Delta {
        self.has_arguments = true;
        let arguments = std::mem::take(&mut self.arguments);
        Delta::ToolCall(ToolCallDelta {
            choice,
            index: self.index,
            id: None,
            name: None,
            arguments,
        })
    }
}

impl Stream for Choice {
    fn interest(&self) -> Interest {
        // Roles and usage have no place in the text, so they go round.
        Interest::TEXT
            | Interest::ANNOTATION
            | Interest::REASONING
            | Interest::TOOL_CALL
            | Interest::REFUSAL
            | Interest::IMAGE
            | Interest::AUDIO
            | Interest::FINISH
    }

    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        if batch.iter().all(|delta| self.passes(delta)) {
            batch.iter().for_each(|delta| self.keep(delta));
            return Ok(Verdict::Pass);
        }
        let mut out = Vec::with_capacity(batch.len());
        for mut delta in batch {
            match &mut delta {
                Delta::Text(TextDelta { text, .. }) => {
                    self.follow(text, false, &mut out);
                    continue;
                }
                Delta::Annotation(it) => {
                    it.json = self.places.moved(&it.json).unwrap_or(std::mem::take(&mut it.json));
                    out.push(delta);
                    continue;
                }
                _ => self.follow("", true, &mut out),
            }
            self.note(&delta);
            match &mut delta {
                Delta::Reasoning(_) if self.excludes => continue,
                // A client runs calls only when the reply says that it ended for them.
                Delta::Finish(finish) if self.has_called && finish.reason == FinishReason::Stop => {
                    finish.reason = FinishReason::ToolCalls;
                }
                _ => {}
            }
            out.push(delta);
        }
        let holds = out.is_empty() && (!self.splitter.is_empty() || self.call.is_some());
        Ok(if holds { Verdict::Hold } else { Verdict::Emit(out) })
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        let mut out = Vec::new();
        self.follow("", true, &mut out);
        Ok(if out.is_empty() { Verdict::Pass } else { Verdict::Emit(out) })
    }
}

/// How much of a call's arguments goes out at once. A multiple-byte letter may exceed it.
const ARGUMENTS_BYTES: usize = 32;
