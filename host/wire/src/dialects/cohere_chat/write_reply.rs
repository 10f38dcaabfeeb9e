//! Writes whole replies: the upstream's own bytes with our id and cost, or a body from the
//! canonical form. The dialect knows one choice and no pictures or sound; others are left out.

use super::write_messages::{call, text_block};
use super::{
    NAME, OTHER_BLOCK, OTHER_CITATION, OTHER_ENDING, OTHER_MESSAGE, OTHER_USAGE, TOOL_PLAN,
    citations, ending, logprobs,
};
use crate::chunk::ReasoningKind;
use crate::dialect::{Cost, Head};
use crate::json::{Json, Object};
use crate::json_text::{ObjectWriter, object};
use crate::reply::{Choice, Reply};
use crate::source::Source;

/// Writes a body.
pub(super) fn write_reply(reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
    let source = Source::of_dialect(&reply.source, NAME);
    let patched = source.and_then(|bytes| {
        let fields = Object::parse(std::str::from_utf8(&bytes).ok()?).ok()?;
        Some(patch(&fields, reply, head, cost))
    });
    patched.unwrap_or_else(|| compose(reply, head, cost))
}

fn patch(fields: &Object<'_>, reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    writer.field("id", &head.id);
    let theirs = fields.0.iter().filter(|(key, _)| key != "id" && key != "usage");
    theirs.for_each(|(key, value)| writer.raw(key, value.get()));
    let upstream = fields.field("usage").map(Json::from);
    writer.field("usage", &ending::usage(&reply.usage, upstream.as_ref(), cost));
    writer.close();
    out
}

fn compose(reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
    let none = Choice::default();
    let choice = reply.choices.first().unwrap_or(&none);
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    writer.field("id", &head.id);
    writer.field("message", &object(|writer| write_message(writer, choice, head)));
    let has_calls = !choice.tool_calls.is_empty();
    writer.field("finish_reason", ending::reason(choice.finish.as_ref(), has_calls));
    let items = choice.other.iter().filter(|(kind, _)| kind == crate::logprobs::KIND);
    let items: Vec<Json> = items.flat_map(|(_, json)| logprobs::write(json)).collect();
    if !items.is_empty() {
        writer.field("logprobs", &items);
    }
    ending::write_rest(&mut writer, &choice.other, OTHER_ENDING);
    let upstream = reply.other.iter().find(|(kind, _)| kind == OTHER_USAGE).map(|(_, json)| json);
    writer.field("usage", &ending::usage(&reply.usage, upstream, cost));
    writer.close();
    out
}

fn write_message(writer: &mut ObjectWriter<'_>, choice: &Choice, head: &Head) {
    let has_calls = !choice.tool_calls.is_empty();
    let mut plan = String::new();
    let mut blocks = Vec::new();
    for (text, detail) in choice.reasoning.iter().filter(|(text, _)| !text.is_empty()) {
        let format = detail.as_ref().and_then(|detail| detail.format.as_deref());
        let is_hidden =
            detail.as_ref().is_some_and(|detail| detail.kind == ReasoningKind::Encrypted);
        match format {
            _ if is_hidden => {}
            Some(TOOL_PLAN) => plan.push_str(text),
            _ => blocks.push(text_block("thinking", text)),
        }
    }
    let other = |name: &'static str| choice.other.iter().filter(move |(kind, _)| kind == name);
    blocks.extend(other(OTHER_BLOCK).map(|(_, json)| json.clone()));
    for text in [&choice.text, &choice.refusal].into_iter().filter(|text| !text.is_empty()) {
        blocks.push(text_block("text", text));
    }
    writer.field("role", "assistant");
    if !plan.is_empty() {
        writer.field("tool_plan", &plan);
    }
    if !blocks.is_empty() || !has_calls {
        writer.field("content", &blocks);
    }
    if has_calls {
        let calls = (0..=u16::MAX).zip(&choice.tool_calls).map(|(index, it)| match &it.id {
            id if id.is_empty() => call(&made_up_id(head, index), &it.name, &it.arguments),
            id => call(id, &it.name, &it.arguments),
        });
        writer.field("tool_calls", &calls.collect::<Vec<_>>());
    }
    let mut cited: Vec<Json> = choice.annotations.iter().filter_map(citations::write).collect();
    cited.extend(other(OTHER_CITATION).map(|(_, json)| json.clone()));
    if !cited.is_empty() {
        writer.field("citations", &cited);
    }
    ending::write_rest(writer, &choice.other, OTHER_MESSAGE);
}

/// A name for a call whose host gave none: clients need one to answer it.
pub(super) fn made_up_id(head: &Head, index: u16) -> String {
    let own = head.id.strip_prefix("gen-").unwrap_or(&head.id);
    format!("call_{own}_{index}")
}
