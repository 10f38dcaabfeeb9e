//! `message` items: words with their annotations, and refusals.

use super::{Open, Output, write_fields};
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::dialects::openai_chat::shape::list;
use crate::dialects::openai_responses::annotation::{flat, of_bytes};
use crate::json::{Json, Object};

/// A message that is open.
#[derive(Debug)]
pub(super) struct Message {
    place: usize,
    id: String,
    fields: Option<Json>,
    /// Parts that are whole.
    parts: Vec<Json>,
    part: Option<Part>,
}

/// A part that is open.
#[derive(Debug, Default)]
struct Part {
    is_refusal: bool,
    text: String,
    annotations: Vec<Json>,
    logprobs: Vec<Json>,
}

impl Output {
    /// Writes words.
    pub(super) fn say(&mut self, text: &str, logprobs: Option<&Json>, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let mut message = self.part(false, out);
        let tokens = logprobs.map(tokens).unwrap_or_default();
        let part = message.part.get_or_insert_default();
        part.text.push_str(text);
        part.logprobs.extend(tokens.iter().cloned());
        self.in_part("response.output_text.delta", &message, out, |event| {
            event.value("delta", text);
            event.value("logprobs", &tokens);
        });
        self.open = Some(Open::Message(message));
    }

    /// Writes a refusal.
    pub(super) fn refuse(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let mut message = self.part(true, out);
        message.part.get_or_insert_default().text.push_str(text);
        self.in_part("response.refusal.delta", &message, out, |event| event.value("delta", text));
        self.open = Some(Open::Message(message));
    }

    /// Writes an annotation of the words before it.
    pub(super) fn annotate(&mut self, json: &Json, out: &mut Vec<u8>) {
        let mut message = self.part(false, out);
        let annotation = flat(json);
        let part = message.part.get_or_insert_default();
        let number = part.annotations.len();
        part.annotations.push(annotation.clone());
        self.in_part("response.output_text.annotation.added", &message, out, |event| {
            event.value("annotation_index", &number);
            event.value("annotation", &annotation);
        });
        self.open = Some(Open::Message(message));
    }

    /// Keeps token probabilities that came without words.
    pub(super) fn keep_logprobs(&mut self, json: &Json) {
        if let Some(Open::Message(Message { part: Some(part), .. })) = &mut self.open {
            part.logprobs.extend(tokens(json));
        }
    }

    /// Writes a part that is neither words nor a refusal.
    pub(super) fn other_part(&mut self, json: &Json, out: &mut Vec<u8>) {
        let mut message = self.message(out);
        self.close_part(&mut message, out);
        for kind in ["response.content_part.added", "response.content_part.done"] {
            self.in_part(kind, &message, out, |event| event.value("part", json));
        }
        message.parts.push(json.clone());
        self.open = Some(Open::Message(message));
    }

    /// The message with a part of that kind open; the caller puts it back.
    fn part(&mut self, is_refusal: bool, out: &mut Vec<u8>) -> Message {
        let mut message = self.message(out);
        if message.part.as_ref().is_none_or(|part| part.is_refusal != is_refusal) {
            self.close_part(&mut message, out);
            let part = Part { is_refusal, ..Part::default() };
            let json = part.json();
            self.in_part("response.content_part.added", &message, out, |event| {
                event.value("part", &json);
            });
            message.part = Some(part);
        }
        message
    }

    /// The message that is open, or a new one; the caller puts it back.
    fn message(&mut self, out: &mut Vec<u8>) -> Message {
        if let Some(Open::Message(message)) = self.open.take_if(|open| open.is_message()) {
            return message;
        }
        self.close_open(out);
        let place = self.place();
        let fields = self.take_fields("message", None);
        let id = self.item_id("msg", place, fields.as_ref());
        let message = Message { place, id, fields, parts: Vec::new(), part: None };
        self.added(place, &message.json("in_progress"), out);
        message
    }

    fn close_part(&mut self, message: &mut Message, out: &mut Vec<u8>) {
        let Some(part) = message.part.take() else { return };
        let kind =
            if part.is_refusal { "response.refusal.done" } else { "response.output_text.done" };
        self.in_part(kind, message, out, |event| {
            if part.is_refusal {
                event.value("refusal", &part.text);
            } else {
                event.value("text", &part.text);
                event.value("logprobs", &part.logprobs);
            }
        });
        let json = part.json();
        self.in_part("response.content_part.done", message, out, |event| {
            event.value("part", &json);
        });
        message.parts.push(json);
    }

    /// Closes a message.
    pub(super) fn close_message(&mut self, mut message: Message, out: &mut Vec<u8>) {
        self.close_part(&mut message, out);
        let item = message.json(self.status());
        self.done(message.place, item, out);
    }

    fn in_part(
        &mut self,
        kind: &str,
        message: &Message,
        out: &mut Vec<u8>,
        fill: impl FnOnce(&mut Writer<'_>),
    ) {
        self.event(kind, out, |event| {
            event.value("item_id", &message.id);
            event.value("output_index", &message.place);
            event.value("content_index", &message.parts.len());
            fill(event);
        });
    }
}

impl Open {
    fn is_message(&self) -> bool {
        matches!(self, Self::Message(_))
    }
}

impl Message {
    fn json(&self, status: &str) -> Json {
        let mut out = Vec::new();
        let mut item = Writer::begin(&mut out);
        item.value("id", &self.id);
        item.raw("type", r#""message""#);
        item.value("status", status);
        item.raw("role", r#""assistant""#);
        write_fields(self.fields.as_ref(), &mut item);
        item.value("content", &self.parts);
        item.end();
        of_bytes(out)
    }
}

impl Part {
    fn json(&self) -> Json {
        let mut out = Vec::new();
        let mut part = Writer::begin(&mut out);
        if self.is_refusal {
            part.raw("type", r#""refusal""#);
            part.value("refusal", &self.text);
        } else {
            part.raw("type", r#""output_text""#);
            part.value("text", &self.text);
            part.value("annotations", &self.annotations);
            part.value("logprobs", &self.logprobs);
        }
        part.end();
        of_bytes(out)
    }
}

/// The tokens of probabilities in the chat dialect's form.
fn tokens(json: &Json) -> Vec<Json> {
    let fields = json.read::<Object<'_>>().unwrap_or_default();
    list(fields.field("content")).into_iter().map(Json::from).collect()
}
