//! Writes a streamed reply. Events that came in this dialect go through with their bytes; all
//! else is written from its deltas, in blocks that are opened and closed as their kind changes.
//! One call is open at a time, as at Cohere: pieces of another wait until the end.

use serde::Deserialize;

use super::write_messages::text_block;
use super::write_reply::made_up_id;
use super::{
    NAME, OTHER_BLOCK, OTHER_CITATION, OTHER_ENDING, OTHER_EVENT, OTHER_USAGE, TOOL_PLAN,
    citations, ending, error, logprobs,
};
use crate::chunk::{Chunk, Delta, FinishReason, ReasoningDetail, ReasoningKind, Usage};
use crate::dialect::{Cost, Head, WriteStream};
use crate::error::Failure;
use crate::json::{Json, Object};
use crate::json_text::{ObjectWriter, object, text_of};
use crate::source::Source;
use crate::sse;

/// The state of one client's stream.
#[derive(Debug)]
pub(super) struct Writer {
    head: Head,
    has_begun: bool,
    /// The block that is open, and its index.
    open: Option<(&'static str, u64)>,
    next_block: u64,
    next_citation: u64,
    calls: Vec<Call>,
    finish: Option<(FinishReason, Option<String>)>,
    ending: Vec<(String, Json)>,
    upstream_usage: Option<Json>,
}

/// A call so far.
#[derive(Debug)]
struct Call {
    /// Its canonical index.
    index: u16,
    state: State,
    id: Option<String>,
    name: Option<String>,
    /// What waits to be written.
    arguments: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// Its pieces are written as they come.
    Open,
    Ended,
}

impl WriteStream for Writer {
    fn chunk(&mut self, chunk: &Chunk, out: &mut Vec<u8>) {
        for delta in &chunk.deltas {
            self.remember(delta);
        }
        if let Some(bytes) = Source::of_dialect(&chunk.source, NAME)
            && self.pass(&bytes, &chunk.deltas, out)
        {
            return;
        }
        for delta in chunk.deltas.iter().filter(|delta| delta.choice().unwrap_or(0) == 0) {
            self.delta(delta, out);
        }
    }

    fn end(&mut self, usage: &Usage, cost: &Cost, out: &mut Vec<u8>) {
        self.begin(out);
        self.close(out);
        self.end_calls(out);
        let usage = ending::usage(usage, self.upstream_usage.as_ref(), cost);
        let delta = object(|writer| {
            let reason = ending::reason(self.finish.as_ref(), !self.calls.is_empty());
            writer.field("finish_reason", reason);
            ending::write_rest(writer, &self.ending, OTHER_ENDING);
            writer.field("usage", &usage);
        });
        write_event(out, "message-end", |writer| {
            writer.field("id", &self.head.id);
            writer.field("delta", &delta);
        });
    }

    fn error(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        write_event(out, "message-end", |writer| {
            writer.field("id", &self.head.id);
            writer.field("delta", &error::ending(failure));
        });
    }

    fn keep_alive(&mut self, out: &mut Vec<u8>) {
        sse::write_comment(out, "keep-alive");
    }
}

impl Writer {
    /// A stream that begins with its first chunk.
    pub(super) fn new(head: &Head) -> Self {
        Self {
            head: head.clone(),
            has_begun: false,
            open: None,
            next_block: 0,
            next_citation: 0,
            calls: Vec::new(),
            finish: None,
            ending: Vec::new(),
            upstream_usage: None,
        }
    }

    /// Keeps what the last event tells.
    fn remember(&mut self, delta: &Delta) {
        match delta {
            Delta::Finish { choice: 0, reason, native } => {
                self.finish = Some((*reason, native.clone()));
            }
            Delta::Other { kind, json, .. } if kind == OTHER_ENDING => {
                self.ending.push((kind.clone(), json.clone()));
            }
            Delta::Other { kind, json, .. } if kind == OTHER_USAGE => {
                self.upstream_usage = Some(json.clone());
            }
            _ => {}
        }
    }

    /// Lets an event of this dialect through. `false` when its deltas must be written instead.
    fn pass(&mut self, bytes: &[u8], deltas: &[Delta], out: &mut Vec<u8>) -> bool {
        let Ok(frame) = serde_json::from_slice::<Frame>(bytes) else { return false };
        let call = deltas.iter().find_map(|delta| match delta {
            Delta::ToolCall { index, .. } => Some(*index),
            _ => None,
        });
        match frame.kind.as_str() {
            "message-start" => return self.begin_as(bytes, out),
            "message-end" => return false,
            "content-start" => {
                let Some(index) = frame.index else { return false };
                let thinks = deltas.iter().any(|delta| matches!(delta, Delta::Reasoning { .. }));
                let is_thought = thinks || frame.is_thought();
                self.open = Some((if is_thought { "thinking" } else { "text" }, index));
                self.next_block = self.next_block.max(index.saturating_add(1));
            }
            "content-delta" if self.open.map(|(_, index)| index) != frame.index => return false,
            "content-end" => match self.open.take_if(|(_, index)| Some(*index) == frame.index) {
                Some(_) => {}
                None => return false,
            },
            "citation-start" => {
                let next = frame.index.unwrap_or(self.next_citation).saturating_add(1);
                self.next_citation = self.next_citation.max(next);
            }
            "tool-call-start" => {
                let Some(index) = call.filter(|it| Some(u64::from(*it)) == frame.index) else {
                    return false;
                };
                self.calls.push(Call::new(index, State::Open));
            }
            "tool-call-delta" | "tool-call-end" => {
                let is_end = frame.kind == "tool-call-end";
                let open = self.calls.iter_mut().find(|call| {
                    call.state == State::Open && Some(u64::from(call.index)) == frame.index
                });
                let Some(open) = open else { return false };
                if is_end {
                    open.state = State::Ended;
                }
            }
            _ => {}
        }
        self.begin(out);
        sse::write_event(out, &frame.kind, bytes);
        true
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Role { .. } => self.begin(out),
            Delta::Text { text, .. } | Delta::Refusal { text, .. } if !text.is_empty() => {
                self.content("text", text, out);
            }
            Delta::Reasoning { text, detail, .. } if !text.is_empty() => {
                self.thought(text, detail.as_ref(), out);
            }
            Delta::ToolCall { index, id, name, arguments, .. } => {
                self.call(*index, (id.as_deref(), name.as_deref()), arguments, out);
            }
            Delta::Annotation { json, .. } => {
                if let Some(citation) = citations::write(json) {
                    self.citation(&citation, out);
                }
            }
            Delta::Other { kind, json, .. } if kind == OTHER_CITATION => self.citation(json, out),
            Delta::Other { kind, json, .. } if kind == OTHER_BLOCK => self.block(json, out),
            Delta::Other { kind, json, .. } if kind == crate::logprobs::KIND => {
                for item in logprobs::write(json) {
                    self.piece("text", "", Some(&item), out);
                }
            }
            Delta::Other { kind, json, .. } if kind == OTHER_EVENT => {
                let fields = json.read::<Object<'_>>().ok();
                if let Some(name) = fields.and_then(|fields| text_of(&fields, "type")) {
                    self.begin(out);
                    sse::write_event(out, &one_line(&name), json.as_str().as_bytes());
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        let message = object(|writer| {
            writer.field("role", "assistant");
            writer.raw("content", "[]");
            writer.field("tool_plan", "");
            writer.raw("tool_calls", "[]");
            writer.raw("citations", "[]");
        });
        write_event(out, "message-start", |writer| {
            writer.field("id", &self.head.id);
            write_message(writer, &message);
        });
    }

    /// Lets the upstream's first event through under our id; `false` when it is not the first.
    fn begin_as(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        let fields = std::str::from_utf8(bytes).ok().and_then(|text| Object::parse(text).ok());
        let Some(fields) = fields.filter(|_| !self.has_begun) else { return false };
        self.has_begun = true;
        let event = object(|writer| {
            writer.field("id", &self.head.id);
            let theirs = fields.0.iter().filter(|(key, _)| key != "id");
            theirs.for_each(|(key, value)| writer.raw(key, value.get()));
        });
        sse::write_event(out, "message-start", event.as_str().as_bytes());
        true
    }

    fn thought(&mut self, text: &str, detail: Option<&ReasoningDetail>, out: &mut Vec<u8>) {
        let Some(detail) = detail else { return self.content("thinking", text, out) };
        if detail.kind == ReasoningKind::Encrypted {
            return;
        }
        if detail.format.as_deref() != Some(TOOL_PLAN) {
            return self.content("thinking", text, out);
        }
        self.begin(out);
        let message = object(|writer| writer.field("tool_plan", text));
        write_event(out, "tool-plan-delta", |writer| write_message(writer, &message));
    }

    fn content(&mut self, kind: &'static str, text: &str, out: &mut Vec<u8>) {
        self.piece(kind, text, None, out);
    }

    fn piece(
        &mut self,
        kind: &'static str,
        text: &str,
        logprobs: Option<&Json>,
        out: &mut Vec<u8>,
    ) {
        let index = match self.open {
            Some((open, index)) if open == kind => index,
            _ => self.open_block(kind, &text_block(kind, ""), out),
        };
        let content = object(|writer| writer.field(kind, text));
        let message = object(|writer| writer.field("content", &content));
        write_event(out, "content-delta", |writer| {
            writer.field("index", &index);
            write_message(writer, &message);
            writer.some("logprobs", logprobs);
        });
    }

    fn open_block(&mut self, kind: &'static str, block: &Json, out: &mut Vec<u8>) -> u64 {
        self.begin(out);
        self.close(out);
        let index = self.next_block;
        self.next_block = index.saturating_add(1);
        self.open = Some((kind, index));
        let message = object(|writer| writer.field("content", block));
        write_event(out, "content-start", |writer| {
            writer.field("index", &index);
            write_message(writer, &message);
        });
        index
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some((_, index)) = self.open.take() {
            write_event(out, "content-end", |writer| writer.field("index", &index));
        }
    }

    /// A whole block of another kind.
    fn block(&mut self, block: &Json, out: &mut Vec<u8>) {
        self.open_block("", block, out);
        self.close(out);
    }

    fn citation(&mut self, citation: &Json, out: &mut Vec<u8>) {
        self.begin(out);
        let index = self.next_citation;
        self.next_citation = index.saturating_add(1);
        let message = object(|writer| writer.field("citations", citation));
        write_event(out, "citation-start", |writer| {
            writer.field("index", &index);
            write_message(writer, &message);
        });
        write_event(out, "citation-end", |writer| writer.field("index", &index));
    }

    fn call(
        &mut self,
        index: u16,
        (id, name): (Option<&str>, Option<&str>),
        arguments: &str,
        out: &mut Vec<u8>,
    ) {
        let is_free = self.calls.iter().all(|call| call.state == State::Ended);
        let position = self.calls.iter().position(|call| call.index == index);
        let position = position.unwrap_or(self.calls.len());
        if position == self.calls.len() {
            self.calls.push(Call::new(index, State::Waiting));
        }
        let Some(call) = self.calls.get_mut(position) else { return };
        call.id = call.id.take().or_else(|| id.map(str::to_owned));
        call.name = call.name.take().or_else(|| name.map(str::to_owned));
        call.arguments.push_str(arguments);
        let is_first = is_free && call.state == State::Waiting;
        if call.state == State::Open || (is_first && call.name.is_some()) {
            self.begin(out);
            self.close(out);
            self.flush(position, out);
        }
    }

    /// Writes what waits of a call, and opens it.
    fn flush(&mut self, position: usize, out: &mut Vec<u8>) {
        let Some(call) = self.calls.get_mut(position) else { return };
        let index = position;
        if call.state == State::Waiting {
            call.state = State::Open;
            let made_up = made_up_id(&self.head, call.index);
            let start = super::write_messages::call_start(
                call.id.as_deref().unwrap_or(&made_up),
                call.name.as_deref().unwrap_or_default(),
            );
            let message = object(|writer| writer.field("tool_calls", &start));
            write_event(out, "tool-call-start", |writer| {
                writer.field("index", &index);
                write_message(writer, &message);
            });
        }
        if !call.arguments.is_empty() {
            let arguments = std::mem::take(&mut call.arguments);
            let function = object(|writer| writer.field("arguments", &arguments));
            let piece = object(|writer| writer.field("function", &function));
            let message = object(|writer| writer.field("tool_calls", &piece));
            write_event(out, "tool-call-delta", |writer| {
                writer.field("index", &index);
                write_message(writer, &message);
            });
        }
    }

    fn end_calls(&mut self, out: &mut Vec<u8>) {
        // The one that is open comes first.
        for wanted in [State::Open, State::Waiting] {
            for position in 0..self.calls.len() {
                if self.calls.get(position).is_none_or(|call| call.state != wanted) {
                    continue;
                }
                self.flush(position, out);
                if let Some(call) = self.calls.get_mut(position) {
                    call.state = State::Ended;
                }
                write_event(out, "tool-call-end", |writer| writer.field("index", &position));
            }
        }
    }
}

impl Call {
    fn new(index: u16, state: State) -> Self {
        Self { index, state, id: None, name: None, arguments: String::new() }
    }
}

/// What is looked at in an event that goes through.
#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    index: Option<u64>,
    delta: Option<FrameDelta>,
}

#[derive(Deserialize)]
struct FrameDelta {
    message: Option<FrameMessage>,
}

#[derive(Deserialize)]
struct FrameMessage {
    content: Option<serde_json::Value>,
}

impl Frame {
    /// Whether it opens a block of thought.
    fn is_thought(&self) -> bool {
        let message = self.delta.as_ref().and_then(|delta| delta.message.as_ref());
        let content = message.and_then(|message| message.content.as_ref());
        content.and_then(|content| content.get("type")).is_some_and(|kind| kind == "thinking")
    }
}

/// The name of an event has no line breaks.
fn one_line(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}

fn write_message(writer: &mut ObjectWriter<'_>, message: &Json) {
    let delta = object(|writer| writer.field("message", message));
    writer.field("delta", &delta);
}

fn write_event(out: &mut Vec<u8>, name: &str, fill: impl FnOnce(&mut ObjectWriter<'_>)) {
    let mut json = Vec::new();
    let mut writer = ObjectWriter::open(&mut json);
    writer.field("type", name);
    fill(&mut writer);
    writer.close();
    sse::write_event(out, name, &json);
}
