//! Writes a streamed reply: events from deltas, in blocks that are opened and closed as the kind of
//! delta changes. Only calls and pictures have a start, as Bedrock's own streams. The dialect knows
//! one choice and no sound, no names and no costs; those are left out.

use super::thought::{Piece, pieces};
use super::write_reply::image_of;
use super::{
    OTHER_CITATION, OTHER_ENDING, OTHER_EVENT, OTHER_METADATA, REASONS, citation, error, usage,
};
use crate::call_order::CallOrder;
use crate::chunk::{Chunk, Delta, FinishReason, Usage};
use crate::dialect::{Cost, WriteStream};
use crate::error::Failure;
use crate::frames::event_stream;
use crate::json::{Json, Object};
use crate::json_text::{ObjectWriter, object};

/// The state of one client's stream.
#[derive(Debug, Default)]
pub(super) struct Writer {
    has_begun: bool,
    open: Option<Open>,
    /// The index of the next block.
    next: u64,
    /// The calls that were begun, with their blocks' indices.
    calls: Vec<(u16, u64)>,
    order: CallOrder,
    finish: Option<(FinishReason, Option<String>)>,
    ending: Option<Json>,
    metadata: Option<Json>,
}

/// The block that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    kind: Kind,
    index: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// A thought without an index belongs to whichever is open.
    Thought(Option<u32>),
    Call(u16),
    /// A block that only this dialect knows, by the upstream's index.
    Other(u64),
}

impl WriteStream for Writer {
    fn chunk(&mut self, chunk: &Chunk, out: &mut Vec<u8>) {
        let mut order = std::mem::take(&mut self.order);
        for delta in chunk.deltas.iter().filter(|delta| delta.choice().unwrap_or(0) == 0) {
            order.pass(delta, &mut |delta| self.delta(delta, out));
        }
        self.order = order;
    }

    fn end(&mut self, usage: &Usage, _cost: &Cost, out: &mut Vec<u8>) {
        self.begin(out);
        let mut order = std::mem::take(&mut self.order);
        order.rest(&mut |delta| self.delta(delta, out));
        self.close(out);
        let reason = REASONS.end(self.finish.as_ref(), !self.calls.is_empty());
        let ending = self.ending.as_ref().and_then(|json| json.read::<Object<'_>>().ok());
        write(out, "messageStop", |writer| {
            writer.field("stopReason", reason);
            let fields = ending.unwrap_or_default();
            fields.0.iter().for_each(|(key, value)| writer.raw(key, value.get()));
        });
        let metadata = self.metadata.as_ref().and_then(|json| json.read::<Object<'_>>().ok());
        let metadata = metadata.unwrap_or_default();
        write(out, "metadata", |writer| {
            // The upstream's own counts know more than the canonical ones.
            if metadata.field("usage").is_none() {
                writer.field("usage", &usage::write(usage));
            }
            metadata.0.iter().for_each(|(key, value)| writer.raw(key, value.get()));
        });
    }

    fn error(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        let (name, payload) = error::write_exception(failure);
        event_stream::write_exception(out, name, payload.as_str().as_bytes());
    }

    // The dialect has no ping, and clients do not pass over events that they don't know.
    fn keep_alive(&mut self, _out: &mut Vec<u8>) {}
}

impl Writer {
    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Role { .. } => self.begin(out),
            Delta::Text { text, .. } | Delta::Refusal { text, .. } if !text.is_empty() => {
                let index = self.block(Kind::Text, out);
                write_delta(out, index, &object(|writer| writer.field("text", text)));
            }
            Delta::Reasoning { text, detail, .. } => {
                for piece in pieces(text, detail.as_ref()) {
                    let kind = Kind::Thought(detail.as_ref().and_then(|detail| detail.index));
                    self.thought(&piece, kind, out);
                }
            }
            Delta::ToolCall { index, id, name, arguments, .. } => {
                self.call(*index, (id.as_deref(), name.as_deref()), out);
                self.arguments(*index, arguments, out);
            }
            Delta::Annotation { json, .. } => {
                if let Some(citation) = citation::write(json) {
                    self.citation(&citation, out);
                }
            }
            Delta::Image { json, .. } => self.image(json, out),
            Delta::Finish { reason, native, .. } => self.finish = Some((*reason, native.clone())),
            Delta::Other { kind, json, .. } => match kind.as_str() {
                OTHER_CITATION => self.citation(json, out),
                OTHER_EVENT => self.event(json, out),
                OTHER_ENDING => self.ending = Some(json.clone()),
                OTHER_METADATA => self.metadata = Some(json.clone()),
                _ => {}
            },
            Delta::Text { .. } | Delta::Refusal { .. } | Delta::Audio { .. } | Delta::Usage(_) => {}
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.has_begun, true) {
            write(out, "messageStart", |writer| writer.field("role", "assistant"));
        }
    }

    /// Opens a block unless one of its kind is open; returns its index.
    fn block(&mut self, kind: Kind, out: &mut Vec<u8>) -> u64 {
        self.begin(out);
        if let Some(open) = self.open.filter(|open| open.kind.continues_with(kind)) {
            return open.index;
        }
        self.close(out);
        let index = self.next;
        self.next = index.saturating_add(1);
        self.open = Some(Open { kind, index });
        index
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some(open) = self.open.take() {
            write(out, "contentBlockStop", |writer| {
                writer.field("contentBlockIndex", &open.index);
            });
        }
    }

    fn thought(&mut self, piece: &Piece<'_>, kind: Kind, out: &mut Vec<u8>) {
        let index = self.block(kind, out);
        let mut write_piece = |key: &str, text: &str| {
            let inner = object(|writer| writer.field(key, text));
            write_delta(out, index, &object(|writer| writer.field("reasoningContent", &inner)));
        };
        match piece {
            Piece::Text(text, signature) => {
                if !text.is_empty() {
                    write_piece("text", text);
                }
                if let Some(signature) = signature {
                    write_piece("signature", signature);
                }
            }
            Piece::Redacted(data) => write_piece("redactedContent", data),
        }
    }

    /// Opens a call's block when its name comes.
    fn call(&mut self, call: u16, (id, name): (Option<&str>, Option<&str>), out: &mut Vec<u8>) {
        let Some(name) = name.filter(|_| !self.calls.iter().any(|(known, _)| *known == call))
        else {
            return;
        };
        let index = self.block(Kind::Call(call), out);
        self.calls.push((call, index));
        let start = object(|writer| {
            match id {
                Some(id) => writer.field("toolUseId", id),
                None => writer.field("toolUseId", &format!("tooluse_{call}")),
            }
            writer.field("name", name);
        });
        write_start(out, index, "toolUse", &start);
    }

    /// Writes a piece of a call's arguments; pieces of a call that never began have no place.
    fn arguments(&mut self, call: u16, piece: &str, out: &mut Vec<u8>) {
        let index = self.calls.iter().find(|(known, _)| *known == call).map(|(_, index)| *index);
        if let Some(index) = index.filter(|_| !piece.is_empty()) {
            let input = object(|writer| writer.field("input", piece));
            write_delta(out, index, &object(|writer| writer.field("toolUse", &input)));
        }
    }

    fn citation(&mut self, citation: &Json, out: &mut Vec<u8>) {
        let index = self.block(Kind::Text, out);
        write_delta(out, index, &object(|writer| writer.field("citation", citation)));
    }

    fn image(&mut self, image: &Json, out: &mut Vec<u8>) {
        let Some((format, base64)) = image_of(image) else { return };
        self.close(out);
        let index = self.block(Kind::Other(self.next), out);
        let start = object(|writer| writer.field("format", &format));
        write_start(out, index, "image", &start);
        let source = object(|writer| writer.field("bytes", &base64));
        let inner = object(|writer| writer.field("source", &source));
        write_delta(out, index, &object(|writer| writer.field("image", &inner)));
        self.close(out);
    }

    /// Writes an upstream's event under our index.
    fn event(&mut self, json: &Json, out: &mut Vec<u8>) {
        let Ok(Object(events)) = json.read::<Object<'_>>() else { return };
        for (name, payload) in &events {
            let Ok(fields) = Object::parse(payload.get()) else { continue };
            let theirs = fields.field("contentBlockIndex");
            let theirs: Option<u64> = theirs.and_then(|it| serde_json::from_str(it.get()).ok());
            let Some(theirs) = theirs else {
                self.begin(out);
                event_stream::write_event(out, name, payload.get().as_bytes());
                continue;
            };
            if name == "contentBlockStart" {
                self.close(out);
            }
            let index = self.open.filter(|_| name != "contentBlockStart").map(|open| open.index);
            let index = index.unwrap_or_else(|| self.block(Kind::Other(theirs), out));
            if name == "contentBlockStop" {
                self.close(out);
                continue;
            }
            write(out, name, |writer| {
                for (key, value) in fields.0.iter().filter(|(key, _)| key != "p") {
                    match key.as_ref() {
                        "contentBlockIndex" => writer.field(key, &index),
                        key => writer.raw(key, value.get()),
                    }
                }
            });
        }
    }
}

impl Kind {
    fn continues_with(self, next: Self) -> bool {
        match (self, next) {
            (Self::Thought(ours), Self::Thought(theirs)) => {
                ours.is_none() || theirs.is_none() || ours == theirs
            }
            (ours, theirs) => ours == theirs,
        }
    }
}

fn write_start(out: &mut Vec<u8>, index: u64, key: &str, value: &Json) {
    let start = object(|writer| writer.field(key, value));
    write(out, "contentBlockStart", |writer| {
        writer.field("contentBlockIndex", &index);
        writer.field("start", &start);
    });
}

fn write_delta(out: &mut Vec<u8>, index: u64, delta: &Json) {
    write(out, "contentBlockDelta", |writer| {
        writer.field("contentBlockIndex", &index);
        writer.field("delta", delta);
    });
}

fn write(out: &mut Vec<u8>, name: &str, fill: impl FnOnce(&mut ObjectWriter<'_>)) {
    let mut json = Vec::new();
    let mut writer = ObjectWriter::open(&mut json);
    fill(&mut writer);
    writer.close();
    event_stream::write_event(out, name, &json);
}
