//! Writing replies for clients of text completions: what a chat reply says, with each choice's
//! text beside its index.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::super::openai_chat::OpenaiChat;
use super::super::openai_chat::emit::Object as Writer;
use super::{NAME, logprobs};
use crate::chunk::{Chunk, Usage};
use crate::dialect::{Cost, Dialect as _, Head, WriteStream};
use crate::error::Failure;
use crate::json::Object;
use crate::reply::Reply;
use crate::source::Source;

/// Writes a whole reply.
pub(super) fn write(reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
    let chat = OpenaiChat.write_reply(reply, head, cost);
    let mut out = Vec::with_capacity(chat.len());
    Offsets::default().write(&chat, &mut out);
    out
}

/// A stream so far.
pub(super) struct Stream {
    inner: Box<dyn WriteStream>,
    offsets: Offsets,
    /// The chat events that are being copied.
    chat: Vec<u8>,
}

impl Stream {
    /// A stream that begins.
    pub(super) fn new(head: &Head) -> Self {
        let inner = OpenaiChat.write_stream(head);
        Self { inner, offsets: Offsets::default(), chat: Vec::new() }
    }

    /// Copies the events that were written. Each is one line, which begins with `data: ` unless it
    /// is a comment.
    fn copy(&mut self, out: &mut Vec<u8>) {
        let mut rest = self.chat.as_slice();
        while let Some(end) = memchr::memmem::find(rest, END) {
            let (event, after) = rest.split_at(end + END.len());
            let data = event.strip_prefix(DATA).and_then(|data| data.strip_suffix(END));
            match data.filter(|data| data.starts_with(b"{")) {
                Some(data) => {
                    out.extend_from_slice(DATA);
                    self.offsets.write(data, out);
                    out.extend_from_slice(END);
                }
                None => out.extend_from_slice(event),
            }
            rest = after;
        }
        self.chat.clear();
    }
}

impl WriteStream for Stream {
    fn chunk(&mut self, chunk: &Chunk, out: &mut Vec<u8>) {
        match &chunk.source {
            // An event's fields beside the choices have the same names in both dialects.
            Some(source) if source.dialect == NAME => {
                let source = Source { dialect: OpenaiChat.name(), bytes: source.bytes.clone() };
                let chunk = Chunk { deltas: chunk.deltas.clone(), source: Some(source) };
                self.inner.chunk(&chunk, &mut self.chat);
            }
            _ => self.inner.chunk(chunk, &mut self.chat),
        }
        self.copy(out);
    }

    fn end(&mut self, usage: &Usage, cost: &Cost, out: &mut Vec<u8>) {
        self.inner.end(usage, cost, &mut self.chat);
        self.copy(out);
    }

    fn error(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        self.inner.error(failure, &mut self.chat);
        self.copy(out);
    }

    fn keep_alive(&mut self, out: &mut Vec<u8>) {
        self.inner.keep_alive(out);
    }
}

/// How many characters of each choice were written, as far as its tokens say.
#[derive(Default)]
struct Offsets(BTreeMap<String, usize>);

impl Offsets {
    /// Writes a chat body or event as one of text completions.
    fn write(&mut self, chat: &[u8], out: &mut Vec<u8>) {
        let fields = std::str::from_utf8(chat).ok().and_then(|text| Object::parse(text).ok());
        let Some(fields) = fields else { return out.extend_from_slice(chat) };
        let mut body = Writer::begin(out);
        for (name, raw) in &fields.0 {
            match &**name {
                "object" => body.raw(name, r#""text_completion""#),
                "choices" => {
                    let choices: Vec<Object<'_>> =
                        serde_json::from_str(raw.get()).unwrap_or_default();
                    body.list(name, &choices, |choice, out| self.write_choice(choice, out));
                }
                "service_tier" if raw.get() == "null" => {}
                _ => body.raw(name, raw.get()),
            }
        }
        body.end();
    }

    fn write_choice(&mut self, choice: &Object<'_>, out: &mut Vec<u8>) {
        let message = choice.field("message").or_else(|| choice.field("delta"));
        let message = message.and_then(|raw| Object::parse(raw.get()).ok()).unwrap_or_default();
        // A refusal is what the model says.
        let said = |name| {
            let raw = message.field(name).map(RawValue::get);
            raw.filter(|raw: &&str| !matches!(*raw, "null" | r#""""#))
        };
        let text = said("content").or_else(|| said("refusal"));
        let index = choice.field("index").map_or("0", RawValue::get);
        let mut object = Writer::begin(out);
        object.raw("index", index);
        object.raw("text", text.unwrap_or(r#""""#));
        for (name, raw) in &choice.0 {
            match &**name {
                "index" | "message" | "delta" | "text" => {}
                "logprobs" => {
                    let offset = self.0.entry(index.to_owned()).or_default();
                    logprobs::write(raw, offset, object.key(name));
                }
                _ => object.raw(name, raw.get()),
            }
        }
        // Thought, and what else text completions have no place for.
        for (name, raw) in &message.0 {
            let is_placed = matches!(&**name, "role" | "content" | "text");
            let is_said = |name: &Cow<'_, str>| choice.field(name).is_some();
            if !is_placed && raw.get() != "null" && !is_said(name) {
                object.raw(name, raw.get());
            }
        }
        object.end();
    }
}

const DATA: &[u8] = b"data: ";
const END: &[u8] = b"\n\n";
