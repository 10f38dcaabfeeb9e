//! Writes a streamed reply. Events that came in this dialect go through with their bytes, a new
//! index at most; everything else is written from its deltas, in blocks that are opened and
//! closed as the kind of delta changes. The dialect knows one choice and no pictures or sound.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json_text::{ObjectWriter, input_of, object, text_of};
use super::usage::{usage_so_far, usage_with_cost};
use super::write_reply::{citation_of, claudes_data, is_block, write_head};
use super::{
    NAME, OTHER_CITATION, OTHER_DELTA, OTHER_ENDING, OTHER_EVENT, OTHER_USAGE, REASONS, error,
    thinking,
};
use crate::call_order::CallOrder;
use crate::chunk::{Chunk, Delta, FinishReason, ReasoningDetail, Usage};
use crate::dialect::{Cost, Head, WriteStream};
use crate::error::Failure;
use crate::json::{Json, Object};
use crate::packed;
use crate::source::Source;
use crate::sse;

/// The state of one client's stream.
#[derive(Debug)]
pub(super) struct Writer {
    head: Head,
    has_begun: bool,
    open: Option<Open>,
    /// The index of the next block.
    next: u64,
    /// The calls that were begun, with their blocks' indices.
    calls: Vec<(u16, u64)>,
    order: CallOrder,
    usage: Usage,
    finish: Option<(FinishReason, Option<String>)>,
    ending: Option<Json>,
    upstream_usage: Option<Json>,
}

/// The block that is open.
#[derive(Debug)]
struct Open {
    kind: Kind,
    index: u64,
    /// Its index in the upstream's events, when its start went through.
    upstream: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// A thought without an index belongs to whichever is open.
    Thinking(Option<u32>),
    Call(u16),
    Other,
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
        let mut order = std::mem::take(&mut self.order);
        for delta in chunk.deltas.iter().filter(|delta| delta.choice().unwrap_or(0) == 0) {
            order.pass(delta, &mut |delta| self.delta(delta, out));
        }
        self.order = order;
    }

    fn tell(&mut self, metadata: Json) {
        self.head.metadata = Some(metadata);
    }

    fn end(&mut self, usage: &Usage, cost: &Cost, out: &mut Vec<u8>) {
        self.begin(out);
        let mut order = std::mem::take(&mut self.order);
        order.rest(&mut |delta| self.delta(delta, out));
        self.close(out);
        let reason = REASONS.end(self.finish.as_ref(), !self.calls.is_empty());
        let ending = self.ending.as_ref().and_then(|json| json.read::<Object<'_>>().ok());
        let ending = ending.unwrap_or_default();
        let delta = object(|writer| {
            writer.field("stop_reason", reason);
            if ending.field("stop_sequence").is_none() {
                writer.raw("stop_sequence", "null");
            }
            let inner = ending.0.iter().filter(|(key, _)| key != OUTER_FIELD);
            inner.for_each(|(key, value)| writer.raw(key, value.get()));
        });
        let usage = usage_with_cost(usage, self.upstream_usage.as_ref(), cost);
        write_event(out, "message_delta", |writer| {
            writer.field("delta", &delta);
            if let Some(value) = ending.field(OUTER_FIELD) {
                writer.raw(OUTER_FIELD, value.get());
            }
            writer.field("usage", &usage);
        });
        write_event(out, "message_stop", |writer| {
            writer.some("openrouter_metadata", self.head.metadata.as_ref());
        });
    }

    fn error(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        sse::write_event(out, "error", &error::write_error(failure, Some(&self.head.id)));
    }

    fn keep_alive(&mut self, out: &mut Vec<u8>) {
        write_event(out, "ping", |_| ());
    }
}

impl Writer {
    /// A stream that begins with its first chunk.
    pub(super) fn new(head: &Head) -> Self {
        Self {
            head: head.clone(),
            has_begun: false,
            open: None,
            next: 0,
            calls: Vec::new(),
            order: CallOrder::default(),
            usage: Usage::default(),
            finish: None,
            ending: None,
            upstream_usage: None,
        }
    }

    /// Keeps what the last events tell.
    fn remember(&mut self, delta: &Delta) {
        match delta {
            Delta::Usage(usage) => self.usage.update(usage),
            Delta::Finish { choice: 0, reason, native } => {
                self.finish = Some((*reason, native.clone()));
            }
            Delta::Other { kind, json, .. } if kind == OTHER_ENDING => {
                self.ending = Some(json.clone());
            }
            Delta::Other { kind, json, .. } if kind == OTHER_USAGE => {
                self.upstream_usage = Some(json.clone());
            }
            _ => {}
        }
    }

    /// Lets an event of this dialect through. `false` when its deltas must be written instead.
    fn pass(&mut self, bytes: &[u8], deltas: &[Delta], out: &mut Vec<u8>) -> bool {
        let Ok(frame) = serde_json::from_slice::<Frame<'_>>(bytes) else { return false };
        match (frame.kind.as_str(), frame.index) {
            ("message_start", _) => {
                if !self.has_begun {
                    let message = frame.message.and_then(|it| Object::parse(it.get()).ok());
                    self.begin_as(&message.unwrap_or_default(), out);
                }
                // Blocks that stood in the message are written as blocks.
                return false;
            }
            ("content_block_start", Some(index)) => {
                self.begin(out);
                self.close(out);
                let Some(kind) = kind_of(frame.content_block, deltas) else { return false };
                self.open = Some(Open { kind, index: self.next, upstream: Some(index) });
                if let Kind::Call(call) = kind {
                    self.calls.push((call, self.next));
                }
                write_indexed(out, &frame, bytes, index, self.next);
                self.next = self.next.saturating_add(1);
            }
            ("content_block_delta" | "content_block_stop", Some(index)) => {
                let ours = self.open.as_ref().filter(|open| open.upstream == Some(index));
                let Some(ours) = ours.map(|open| open.index) else { return false };
                write_indexed(out, &frame, bytes, index, ours);
                // Deltas at a block's end (the arguments of a call without any) are no news to a
                // client of this dialect, who saw them at its start.
                if frame.kind == "content_block_stop" {
                    self.open = None;
                }
            }
            _ => return false,
        }
        true
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Role { .. } => self.begin(out),
            Delta::Text { text, .. } if !text.is_empty() => self.text(text, out),
            Delta::Refusal { text, .. } if !text.is_empty() && !self.explains() => {
                self.text(text, out);
            }
            Delta::Reasoning { text, detail, .. } => self.thought(text, detail.as_ref(), out),
            Delta::ToolCall { index, id, name, arguments, .. } => {
                self.call(*index, (id.as_deref(), name.as_deref()), out);
                self.arguments(*index, arguments, out);
            }
            Delta::Annotation { json, .. } => {
                if let Some(citation) = citation_of(json) {
                    self.citation(&citation, out);
                }
            }
            Delta::Other { kind, json, .. } if kind == OTHER_CITATION => self.citation(json, out),
            Delta::Other { kind, json, .. } if kind == OTHER_DELTA => {
                if let Some(open) = &self.open {
                    write_delta(out, open.index, json);
                }
            }
            Delta::Other { kind, json, .. } if kind == OTHER_EVENT => {
                let fields = json.read::<Object<'_>>().ok();
                if let Some(name) = fields.and_then(|fields| text_of(&fields, "type")) {
                    self.begin(out);
                    sse::write_event(out, &name, json.as_str().as_bytes());
                }
            }
            Delta::Other { kind, json, .. } if is_block(kind) => self.other(json, out),
            _ => {}
        }
    }

    /// Whether the ending tells why the model declined.
    fn explains(&self) -> bool {
        let ending = self.ending.as_ref().and_then(|json| json.read::<Object<'_>>().ok());
        ending.is_some_and(|fields| fields.field("stop_details").is_some())
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !self.has_begun {
            self.begin_as(&Object::default(), out);
        }
    }

    /// Writes `message_start`: what the upstream said of the message, under our names.
    fn begin_as(&mut self, upstream: &Object<'_>, out: &mut Vec<u8>) {
        self.has_begun = true;
        let message = object(|writer| {
            write_head(writer, &self.head);
            let theirs = upstream.0.iter().filter(|(key, _)| !HEAD_FIELDS.contains(&key.as_ref()));
            theirs.for_each(|(key, value)| writer.raw(key, value.get()));
            writer.raw("content", "[]");
            for key in ["stop_reason", "stop_sequence"] {
                if upstream.field(key).is_none() {
                    writer.raw(key, "null");
                }
            }
            if upstream.field("usage").is_none() {
                writer.field("usage", &usage_so_far(&self.usage));
            }
        });
        write_event(out, "message_start", |writer| writer.field("message", &message));
    }

    /// Opens a block unless one of its kind is open; returns its index.
    fn block(&mut self, kind: Kind, start: impl FnOnce() -> Json, out: &mut Vec<u8>) -> u64 {
        self.begin(out);
        if let Some(open) = self.open.as_ref().filter(|open| open.kind.continues_with(kind)) {
            return open.index;
        }
        self.close(out);
        let index = self.next;
        self.next = index.saturating_add(1);
        self.open = Some(Open { kind, index, upstream: None });
        write_event(out, "content_block_start", |writer| {
            writer.field("index", &index);
            writer.field("content_block", &start());
        });
        index
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some(open) = self.open.take() {
            write_event(out, "content_block_stop", |writer| writer.field("index", &open.index));
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        let index = self.block(Kind::Text, empty_text, out);
        write_piece(out, index, "text_delta", "text", text);
    }

    fn citation(&mut self, citation: &Json, out: &mut Vec<u8>) {
        let index = self.block(Kind::Text, empty_text, out);
        write_delta(
            out,
            index,
            &object(|writer| {
                writer.field("type", "citations_delta");
                writer.field("citation", citation);
            }),
        );
    }

    fn thought(&mut self, text: &str, detail: Option<&ReasoningDetail>, out: &mut Vec<u8>) {
        if let Some(data) = claudes_data(detail) {
            return self.redacted(data, out);
        }
        let is_claudes = thinking::is_claudes(detail);
        let signature = detail.filter(|_| is_claudes).and_then(|it| it.signature.as_deref());
        if !text.is_empty() || signature.is_some() {
            let kind = Kind::Thinking(detail.and_then(|detail| detail.index));
            let index = self.block(kind, empty_thought, out);
            if !text.is_empty() {
                write_piece(out, index, "thinking_delta", "thinking", text);
            }
            if let Some(signature) = signature {
                write_piece(out, index, "signature_delta", "signature", signature);
            }
        }
        if !is_claudes && let Some(data) = detail.and_then(packed::pack) {
            self.redacted(&data, out);
        }
    }

    fn redacted(&mut self, data: &str, out: &mut Vec<u8>) {
        let start = || {
            object(|writer| {
                writer.field("type", "redacted_thinking");
                writer.field("data", data);
            })
        };
        self.block(Kind::Other, start, out);
        self.close(out);
    }

    /// Opens a call's block when its name comes.
    fn call(&mut self, call: u16, (id, name): (Option<&str>, Option<&str>), out: &mut Vec<u8>) {
        let Some(name) = name.filter(|_| !self.calls.iter().any(|(known, _)| *known == call))
        else {
            return;
        };
        let start = || {
            object(|writer| {
                writer.field("type", "tool_use");
                match id {
                    Some(id) => writer.field("id", id),
                    None => writer.field("id", &format!("toolu_{call}")),
                }
                writer.field("name", name);
                writer.raw("input", "{}");
            })
        };
        let index = self.block(Kind::Call(call), start, out);
        self.calls.push((call, index));
    }

    /// Writes a piece of a call's arguments; pieces of a call that never began have no place.
    fn arguments(&mut self, call: u16, piece: &str, out: &mut Vec<u8>) {
        let index = self.calls.iter().find(|(known, _)| *known == call).map(|(_, index)| *index);
        if let Some(index) = index.filter(|_| !piece.is_empty()) {
            write_piece(out, index, "input_json_delta", "partial_json", piece);
        }
    }

    /// Writes a whole block; the input of a server's tool follows as a piece, as Anthropic does.
    fn other(&mut self, block: &Json, out: &mut Vec<u8>) {
        let fields = block.read::<Object<'_>>().unwrap_or_default();
        let is_use = text_of(&fields, "type").is_some_and(|kind| kind.ends_with("_use"));
        let input = fields.field("input").filter(|input| is_use && input.get() != "{}");
        let start = || match input {
            None => block.clone(),
            Some(_) => object(|writer| {
                for (key, value) in &fields.0 {
                    writer.raw(key, if key == "input" { "{}" } else { value.get() });
                }
            }),
        };
        self.close(out);
        let index = self.block(Kind::Other, start, out);
        if let Some(input) = input {
            write_piece(out, index, "input_json_delta", "partial_json", &input_of(input.get()));
        }
        self.close(out);
    }
}

impl Kind {
    fn continues_with(self, next: Self) -> bool {
        match (self, next) {
            (Self::Thinking(ours), Self::Thinking(theirs)) => {
                ours.is_none() || theirs.is_none() || ours == theirs
            }
            (Self::Other, Self::Other) => false,
            (ours, theirs) => ours == theirs,
        }
    }
}

/// The kind of a block whose start goes through; `None` for a call that a hook took away.
fn kind_of(block: Option<&RawValue>, deltas: &[Delta]) -> Option<Kind> {
    let fields = Object::parse(block?.get()).ok()?;
    match text_of(&fields, "type")?.as_str() {
        "text" => Some(Kind::Text),
        "thinking" => Some(Kind::Thinking(None)),
        "tool_use" => deltas.iter().find_map(|delta| match delta {
            Delta::ToolCall { index, .. } => Some(Kind::Call(*index)),
            _ => None,
        }),
        _ => Some(Kind::Other),
    }
}

fn empty_text() -> Json {
    object(|writer| {
        writer.field("type", "text");
        writer.field("text", "");
    })
}

fn empty_thought() -> Json {
    object(|writer| {
        writer.field("type", "thinking");
        writer.field("thinking", "");
        writer.field("signature", "");
    })
}

fn write_piece(out: &mut Vec<u8>, index: u64, kind: &str, key: &str, piece: &str) {
    let delta = object(|writer| {
        writer.field("type", kind);
        writer.field(key, piece);
    });
    write_delta(out, index, &delta);
}

fn write_delta(out: &mut Vec<u8>, index: u64, delta: &Json) {
    write_event(out, "content_block_delta", |writer| {
        writer.field("index", &index);
        writer.field("delta", delta);
    });
}

fn write_event(out: &mut Vec<u8>, name: &str, fill: impl FnOnce(&mut ObjectWriter<'_>)) {
    let mut json = Vec::new();
    let mut writer = ObjectWriter::open(&mut json);
    writer.field("type", name);
    fill(&mut writer);
    writer.close();
    sse::write_event(out, name, &json);
}

/// Writes an upstream's event under our index.
fn write_indexed(out: &mut Vec<u8>, frame: &Frame<'_>, bytes: &[u8], theirs: u64, ours: u64) {
    if theirs == ours {
        return sse::write_event(out, &frame.kind, bytes);
    }
    let fields = std::str::from_utf8(bytes).ok().and_then(|text| Object::parse(text).ok());
    let json = object(|writer| {
        for (key, value) in &fields.unwrap_or_default().0 {
            match key.as_ref() {
                "index" => writer.field("index", &ours),
                key => writer.raw(key, value.get()),
            }
        }
    });
    sse::write_event(out, &frame.kind, json.as_str().as_bytes());
}

/// What is looked at in an event that goes through.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: String,
    index: Option<u64>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    content_block: Option<&'a RawValue>,
}

/// What is said of a message here, whatever the upstream says.
const HEAD_FIELDS: [&str; 6] = ["id", "type", "role", "model", "provider", "content"];

/// The field of an ending that stands beside `delta`, not in it.
const OUTER_FIELD: &str = "context_management";
