//! Writes whole replies: the upstream's own bytes with our model and cost, or a body from the
//! canonical form. The dialect knows one choice, no sound and no citations; others are left out.

use serde_json::value::RawValue;

use super::write_messages::call;
use super::{NAME, OTHER_ENDING, OTHER_MESSAGE, done_reason, pictures, time};
use crate::chunk::{FinishReason, ReasoningKind, Usage};
use crate::dialect::{Cost, Head};
use crate::json::{Json, Object};
use crate::json_text::{ObjectWriter, object, write_array};
use crate::logprobs;
use crate::reply::{Choice, Reply};
use crate::source::Source;

/// Writes a body.
pub(super) fn write_reply(reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
    let source = Source::of_dialect(&reply.source, NAME);
    let patched = source.and_then(|bytes| {
        let fields = Object::parse(std::str::from_utf8(&bytes).ok()?).ok()?;
        let mut out = Vec::new();
        let mut writer = ObjectWriter::open(&mut out);
        copy(&fields, head, &mut writer);
        write_cost(&mut writer, cost);
        writer.close();
        Some(out)
    });
    patched.unwrap_or_else(|| compose(reply, head, cost))
}

/// Writes an upstream's fields under our model's name.
pub(super) fn copy(fields: &Object<'_>, head: &Head, writer: &mut ObjectWriter<'_>) {
    writer.field("model", &head.model);
    let theirs = fields.0.iter().filter(|(key, _)| key != "model" && !is_cost(key));
    theirs.for_each(|(key, value)| writer.raw(key, value.get()));
}

fn compose(reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
    let none = Choice::default();
    let choice = reply.choices.first().unwrap_or(&none);
    let is_hidden = |detail: &&(String, Option<crate::chunk::ReasoningDetail>)| {
        detail.1.as_ref().is_some_and(|detail| detail.kind == ReasoningKind::Encrypted)
    };
    let thoughts = choice.reasoning.iter().filter(|thought| !is_hidden(thought));
    let calls = (0..=u16::MAX).zip(&choice.tool_calls);
    let message = Message {
        text: [choice.text.as_str(), &choice.refusal].concat(),
        thinking: thoughts.map(|(text, _)| text.as_str()).collect(),
        images: choice.images.iter().filter_map(pictures::base64_of).collect(),
        calls: calls.map(|(index, it)| call(&it.name, &it.arguments, Some(index))).collect(),
        tokens: tokens(&choice.other),
    };
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    write_head(&mut writer, head);
    message.write(&mut writer, &choice.other);
    write_ending(&mut writer, choice.finish.as_ref(), &choice.other, &reply.usage);
    write_cost(&mut writer, cost);
    writer.close();
    out
}

/// Writes the fields that every line begins with.
pub(super) fn write_head(writer: &mut ObjectWriter<'_>, head: &Head) {
    writer.field("model", &head.model);
    writer.field("created_at", &time::iso8601(head.created));
}

/// What a line's message says.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    /// Words.
    pub(super) text: String,
    /// Thought.
    pub(super) thinking: String,
    /// Pictures in base64.
    pub(super) images: Vec<String>,
    /// Whole calls.
    pub(super) calls: Vec<Json>,
    /// Probabilities, which stand beside the message.
    pub(super) tokens: Vec<&'a RawValue>,
}

impl Message<'_> {
    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
            && self.thinking.is_empty()
            && self.images.is_empty()
            && self.calls.is_empty()
            && self.tokens.is_empty()
    }

    /// Writes `message` and what belongs to it. `other` may hold fields of an upstream's message.
    pub(super) fn write(&self, writer: &mut ObjectWriter<'_>, other: &[(String, Json)]) {
        let message = object(|writer| {
            writer.field("role", "assistant");
            writer.field("content", &self.text);
            if !self.thinking.is_empty() {
                writer.field("thinking", &self.thinking);
            }
            if !self.images.is_empty() {
                writer.field("images", &self.images);
            }
            if !self.calls.is_empty() {
                writer.field("tool_calls", &self.calls);
            }
            write_rest(writer, other, OTHER_MESSAGE);
        });
        writer.field("message", &message);
        if !self.tokens.is_empty() {
            write_array(writer.key("logprobs"), &self.tokens, |out, token| {
                out.extend_from_slice(token.get().as_bytes());
            });
        }
    }
}

/// Writes what says that the reply is done, and why.
pub(super) fn write_ending(
    writer: &mut ObjectWriter<'_>,
    finish: Option<&(FinishReason, Option<String>)>,
    other: &[(String, Json)],
    usage: &Usage,
) {
    writer.field("done", &true);
    writer.field("done_reason", done_reason(finish));
    write_rest(writer, other, OTHER_ENDING);
    writer.some("prompt_eval_count", usage.prompt.as_ref());
    writer.some("eval_count", usage.completion.as_ref());
}

/// Writes what the gateway says of money; an upstream's own word about it is not repeated.
pub(super) fn write_cost(writer: &mut ObjectWriter<'_>, cost: &Cost) {
    let is_number = serde_json::from_str::<serde_json::Number>(&cost.total).is_ok();
    writer.raw("cost", if is_number { &cost.total } else { "0" });
    writer.field("is_byok", &cost.is_byok);
}

fn write_rest(writer: &mut ObjectWriter<'_>, other: &[(String, Json)], kind: &str) {
    for (_, json) in other.iter().filter(|(known, _)| known == kind) {
        let fields = json.read::<Object<'_>>().unwrap_or_default();
        let theirs = fields.0.iter().filter(|(key, _)| !is_cost(key));
        theirs.for_each(|(key, value)| writer.raw(key, value.get()));
    }
}

fn is_cost(key: &str) -> bool {
    key == "cost" || key == "is_byok"
}

/// The probabilities among a choice's other deltas.
pub(super) fn tokens(other: &[(String, Json)]) -> Vec<&RawValue> {
    let found = other.iter().filter(|(kind, _)| kind == logprobs::KIND);
    found.flat_map(|(_, json)| logprobs::tokens(json)).collect()
}
