//! Writing OpenRouter's stream: a role first, then pieces, usage, `[DONE]`.
//!
//! Choices are written from the deltas, which hold all that the upstream's choice said; top-level
//! fields without a place are taken from the event itself while it is of this dialect.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::emit::{self, Object as Writer};
use super::reasoning::{self, OTHER_DETAIL};
use super::reply_read::{IN_MESSAGE, PREFIX};
use super::shape::Key;
use super::tool_calls::OTHER_CALL;
use super::{NAME, error, usage};
use crate::chunk::{Chunk, Delta, FinishReason, ReasoningDetail, Usage};
use crate::dialect::{Cost, Head, WriteStream};
use crate::error::Failure;
use crate::json::{Json, Object};
use crate::sse;

/// A stream so far.
#[derive(Debug)]
pub(super) struct Stream {
    /// What every event begins with, up to its first own field.
    prefix: Vec<u8>,
    /// What the last piece tells of the routing.
    metadata: Option<Json>,
    /// Makes up ids for calls whose host gave none.
    id: String,
    choices: Vec<Begun>,
}

/// A choice that was begun, and its calls.
#[derive(Debug)]
struct Begun {
    choice: u16,
    calls: Vec<u16>,
}

/// What a chunk says about one choice.
#[derive(Debug, Default)]
struct Piece<'a> {
    choice: u16,
    text: Option<Cow<'a, str>>,
    refusal: Option<Cow<'a, str>>,
    reasoning: Vec<(&'a str, Option<&'a ReasoningDetail>)>,
    /// Details, calls and fields whose form only this dialect knows.
    other: Vec<(&'a str, &'a Json)>,
    calls: Vec<&'a Delta>,
    annotations: Vec<&'a Json>,
    images: Vec<&'a Json>,
    audio: Option<&'a Json>,
    finish: Option<(FinishReason, Option<&'a str>)>,
}

impl Stream {
    /// A stream that begins.
    pub(super) fn new(head: &Head) -> Self {
        let mut prefix = b"data: ".to_vec();
        let mut object = Writer::begin(&mut prefix);
        object.value("id", &head.id);
        object.raw("object", r#""chat.completion.chunk""#);
        object.value("created", &head.created);
        object.value("model", &head.model);
        object.value("provider", &head.provider);
        let metadata = head.metadata.clone();
        Self { prefix, id: head.id.clone(), metadata, choices: Vec::new() }
    }

    /// Writes one event.
    fn event(&mut self, top: Option<&Chunk>, piece: &Piece<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.prefix);
        if let Some(chunk) = top {
            write_top(chunk, out);
        }
        out.extend_from_slice(br#","choices":["#);
        self.write_choice(piece, out);
        out.extend_from_slice(b"]}");
        end_event(start, out);
    }

    fn write_choice(&mut self, piece: &Piece<'_>, out: &mut Vec<u8>) {
        let position = self.choices.iter().position(|begun| begun.choice == piece.choice);
        let begun = position.and_then(|position| self.choices.get(position));
        let is_first = begun.is_none();
        let known: Vec<u16> = begun.map(|begun| begun.calls.clone()).unwrap_or_default();
        let mut choice = Writer::begin(out);
        choice.value("index", &piece.choice);
        choice.object("delta", |delta| {
            if is_first {
                delta.raw("role", r#""assistant""#);
            }
            if let Some(text) = piece.text.as_deref().or(is_first.then_some("")) {
                delta.value("content", text);
            }
            piece.write_rest(&known, &self.id, delta);
        });
        let (reason, native) = piece.finish.unzip();
        choice.value("finish_reason", &reason.map(FinishReason::as_str));
        let native = native.flatten().or(reason.map(FinishReason::as_str));
        choice.value("native_finish_reason", &native);
        let fields = piece.other.iter().filter(|(name, _)| is_choice_field(name));
        let logprobs = fields.clone().find(|(name, _)| *name == "logprobs");
        choice.raw("logprobs", logprobs.map_or("null", |(_, json)| json.as_str()));
        for (name, json) in fields.filter(|(name, _)| *name != "logprobs") {
            choice.raw(name, json.as_str());
        }
        choice.end();
        self.remember(piece);
    }

    fn remember(&mut self, piece: &Piece<'_>) {
        let position = self.choices.iter().position(|begun| begun.choice == piece.choice);
        let position = position.unwrap_or(self.choices.len());
        if position == self.choices.len() {
            self.choices.push(Begun { choice: piece.choice, calls: Vec::new() });
        }
        let Some(begun) = self.choices.get_mut(position) else { return };
        for call in &piece.calls {
            if let Delta::ToolCall { index, .. } = call
                && !begun.calls.contains(index)
            {
                begun.calls.push(*index);
            }
        }
    }

    fn begin_if_empty(&mut self, out: &mut Vec<u8>) {
        if self.choices.is_empty() {
            self.event(None, &Piece::default(), out);
        }
    }
}

impl WriteStream for Stream {
    fn chunk(&mut self, chunk: &Chunk, out: &mut Vec<u8>) {
        // What has no choice to stand beside would be an event that clients trip over.
        let mut top = Some(chunk);
        for piece in &Piece::split(&chunk.deltas) {
            self.event(top.take(), piece, out);
        }
    }

    fn tell(&mut self, metadata: Json) {
        self.metadata = Some(metadata);
    }

    fn end(&mut self, usage: &Usage, cost: &Cost, out: &mut Vec<u8>) {
        self.begin_if_empty(out);
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(EMPTY_CHOICE);
        out.extend_from_slice(br#","usage":"#);
        usage::write(usage, cost, out);
        if let Some(metadata) = &self.metadata {
            out.extend_from_slice(br#","openrouter_metadata":"#);
            out.extend_from_slice(metadata.as_str().as_bytes());
        }
        out.extend_from_slice(b"}\n\n");
        sse::write_data(out, b"[DONE]");
    }

    fn error(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(br#","error":"#);
        let mut error = Writer::begin(out);
        error::write_fields(failure, &mut error);
        error.end();
        out.extend_from_slice(FAILED_CHOICE);
        out.push(b'}');
        end_event(start, out);
        sse::write_data(out, b"[DONE]");
    }

    fn keep_alive(&mut self, out: &mut Vec<u8>) {
        sse::write_comment(out, "OPENROUTER PROCESSING");
    }
}

impl<'a> Piece<'a> {
    /// A chunk's deltas by choice, one event each. A second sound begins another piece, like
    /// whatever follows a finish.
    fn split(deltas: &'a [Delta]) -> Vec<Self> {
        let mut pieces: Vec<Self> = Vec::with_capacity(1);
        for delta in deltas {
            let is_writable = match delta {
                Delta::Other { kind, .. } => kind.starts_with(PREFIX),
                _ => true,
            };
            let Some(choice) = delta.choice().filter(|_| is_writable) else { continue };
            let position = pieces.iter().rposition(|piece| piece.choice == choice);
            let has_room = |position: &usize| {
                pieces.get(*position).is_some_and(|piece| piece.has_room_for(delta))
            };
            let position = position.filter(has_room).unwrap_or(pieces.len());
            if position == pieces.len() {
                pieces.push(Self { choice, ..Self::default() });
            }
            if let Some(piece) = pieces.get_mut(position) {
                piece.take(delta);
            }
        }
        pieces
    }

    fn has_room_for(&self, delta: &Delta) -> bool {
        self.finish.is_none() && !(self.audio.is_some() && matches!(delta, Delta::Audio { .. }))
    }

    fn take(&mut self, delta: &'a Delta) {
        match delta {
            Delta::Role { .. } | Delta::Usage(_) => {}
            Delta::Text { text, .. } => join(&mut self.text, text),
            Delta::Refusal { text, .. } => join(&mut self.refusal, text),
            Delta::Reasoning { text, detail, .. } => self.reasoning.push((text, detail.as_ref())),
            Delta::ToolCall { .. } => self.calls.push(delta),
            Delta::Annotation { json, .. } => self.annotations.push(json),
            Delta::Image { json, .. } => self.images.push(json),
            Delta::Audio { json, .. } => self.audio = Some(json),
            Delta::Finish { reason, native, .. } => {
                self.finish = Some((*reason, native.as_deref()))
            }
            Delta::Other { kind, json, .. } => {
                if let Some(name) = kind.strip_prefix(PREFIX) {
                    self.other.push((name, json));
                }
            }
        }
    }

    fn write_rest(&self, known: &[u16], id: &str, delta: &mut Writer<'_>) {
        let kind = |full: &'static str| full.strip_prefix(PREFIX).unwrap_or(full);
        let others = |full: &'static str| {
            self.other.iter().filter(move |(name, _)| *name == kind(full)).map(|(_, json)| *json)
        };
        if !self.reasoning.is_empty() {
            let texts: String = self.reasoning.iter().map(|(text, _)| *text).collect();
            // Written even when it is empty: some clients pass over a piece with nothing but a proof.
            delta.value("reasoning", &texts);
        }
        if !self.reasoning.is_empty() || others(OTHER_DETAIL).next().is_some() {
            let blocks = self.reasoning.iter().map(|(text, detail)| Block::Known(text, *detail));
            let blocks = blocks.chain(others(OTHER_DETAIL).map(Block::Other));
            delta.list("reasoning_details", blocks, |block, out| block.write(out));
        }
        if let Some(refusal) = &self.refusal {
            delta.value("refusal", &**refusal);
        }
        if !self.calls.is_empty() || others(OTHER_CALL).next().is_some() {
            let mut known = known.to_vec();
            let out = delta.key("tool_calls");
            let calls = self.calls.iter().map(|call| Call::Function(call));
            let calls = calls.chain(others(OTHER_CALL).map(Call::Other));
            emit::list(out, calls, |call, out| call.write(self.choice, &mut known, id, out));
        }
        for (name, list) in [("annotations", &self.annotations), ("images", &self.images)] {
            if !list.is_empty() {
                delta.value(name, list);
            }
        }
        delta.optional("audio", self.audio.as_ref());
        for (name, json) in &self.other {
            if let Some(name) = name.strip_prefix(IN_MESSAGE) {
                delta.raw(name, json.as_str());
            }
        }
    }
}

/// An element of `reasoning_details`.
pub(super) enum Block<'a> {
    /// One that the canonical form knows.
    Known(&'a str, Option<&'a ReasoningDetail>),
    /// One that it does not.
    Other(&'a Json),
}

impl Block<'_> {
    /// Appends the element.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Known(text, detail) => reasoning::write(text, detail, out),
            Self::Other(json) => out.extend_from_slice(json.as_str().as_bytes()),
        }
    }
}

enum Call<'a> {
    Function(&'a Delta),
    Other(&'a Json),
}

impl Call<'_> {
    fn write(self, choice: u16, known: &mut Vec<u16>, reply: &str, out: &mut Vec<u8>) {
        let delta = match self {
            Self::Function(delta) => delta,
            Self::Other(json) => return out.extend_from_slice(json.as_str().as_bytes()),
        };
        let Delta::ToolCall { index, id, name, arguments, .. } = delta else { return };
        let is_first = !known.contains(index);
        let mut call = Writer::begin(out);
        call.value("index", index);
        if is_first {
            known.push(*index);
            match id {
                Some(id) => call.value("id", id),
                None => call.value("id", &made_up_id(reply, choice, *index)),
            }
            call.raw("type", r#""function""#);
        }
        call.object("function", |function| {
            if is_first || name.is_some() {
                function.value("name", name.as_deref().unwrap_or_default());
            }
            function.value("arguments", arguments);
        });
        call.end();
    }
}

/// Appends the top-level fields that have no place: the event's own, then those that a delta has.
fn write_top(chunk: &Chunk, out: &mut Vec<u8>) {
    let source = chunk.source.as_ref().filter(|source| source.dialect == NAME);
    let text = source.and_then(|source| std::str::from_utf8(&source.bytes).ok());
    if let Some(text) = text {
        let start = out.len();
        let mut reader = serde_json::Deserializer::from_str(text);
        if reader.deserialize_map(CopyFields(out)).is_err() {
            out.truncate(start);
        }
    }
    for delta in &chunk.deltas {
        let Delta::Other { choice: None, kind, json } = delta else { continue };
        let Some(name) = kind.strip_prefix(PREFIX).filter(|name| !is_owned(name)) else { continue };
        let is_said =
            |text: &str| Object::parse(text).is_ok_and(|fields| fields.field(name).is_some());
        if !text.is_some_and(is_said) {
            write_field(name, json.as_str(), out);
        }
    }
}

fn write_field(name: &str, json: &str, out: &mut Vec<u8>) {
    out.push(b',');
    emit::write_key(out, name);
    out.push(b':');
    out.extend_from_slice(json.as_bytes());
}

/// Copies an event's fields that the gateway does not own.
struct CopyFields<'o>(&'o mut Vec<u8>);

impl<'de> Visitor<'de> for CopyFields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(name)) = map.next_key()? {
            if is_owned(&name) {
                map.next_value::<IgnoredAny>()?;
            } else if let Some(value) = map.next_value::<Option<&RawValue>>()? {
                write_field(&name, value.get(), self.0);
            }
        }
        Ok(())
    }
}

/// Ends an event that began there. Values that keep their text may hold line breaks between their
/// tokens, where a space says the same and keeps the event one line.
fn end_event(start: usize, out: &mut Vec<u8>) {
    let mut line = out.get_mut(start..).unwrap_or_default();
    while let Some(at) = memchr::memchr2(b'\n', b'\r', line) {
        let (head, tail) = line.split_at_mut(at + 1);
        head.last_mut().into_iter().for_each(|byte| *byte = b' ');
        line = tail;
    }
    out.extend_from_slice(b"\n\n");
}

/// A name for a call whose host gave none: clients need one to answer it, and it must differ
/// between turns.
pub(super) fn made_up_id(reply: &str, choice: u16, index: u16) -> String {
    let own = reply.strip_prefix("gen-").unwrap_or(reply);
    format!("call_{own}_{choice}_{index}")
}

/// Whether an `Other` of this dialect is a plain field of its choice.
pub(super) fn is_choice_field(name: &str) -> bool {
    const OURS: [&str; 6] =
        ["index", "delta", "message", "finish_reason", "native_finish_reason", "content_part"];
    !name.starts_with(IN_MESSAGE)
        && !OURS.contains(&name)
        && Some(name) != OTHER_DETAIL.strip_prefix(PREFIX)
        && Some(name) != OTHER_CALL.strip_prefix(PREFIX)
}

/// Whether a top-level field is the gateway's to write.
pub(super) fn is_owned(name: &str) -> bool {
    const OURS: [&str; 9] =
        ["id", "object", "created", "model", "provider", "choices", "usage", "error", "x_groq"];
    OURS.contains(&name)
}

fn join<'a>(ours: &mut Option<Cow<'a, str>>, text: &'a str) {
    match ours {
        Some(before) => before.to_mut().push_str(text),
        None => *ours = Some(Cow::Borrowed(text)),
    }
}

const EMPTY_CHOICE: &[u8] = br#","choices":[{"index":0,"delta":{},"finish_reason":null,"native_finish_reason":null,"logprobs":null}]"#;
const FAILED_CHOICE: &[u8] = br#","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","native_finish_reason":null,"logprobs":null}]"#;
