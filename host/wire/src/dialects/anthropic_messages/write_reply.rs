//! Writes whole replies: the upstream's own bytes with our names and costs, or a body from the
//! canonical form. The dialect knows one choice and no pictures or sound; others are left out.

use super::json_text::{ObjectWriter, input_of, object, write_array};
use super::usage::usage_with_cost;
use super::{
    NAME, OTHER_CITATION, OTHER_DELTA, OTHER_ENDING, OTHER_EVENT, OTHER_USAGE, REASONS, thinking,
};
use crate::chunk::{ReasoningDetail, ReasoningKind};
use crate::dialect::{Cost, Head};
use crate::json::{Json, Object};
use crate::packed;
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
    for (key, value) in &fields.0 {
        match key.as_ref() {
            "id" => writer.field("id", &head.id),
            "model" => writer.field("model", &head.model),
            "provider" | "usage" => {}
            key => writer.raw(key, value.get()),
        }
    }
    let upstream = fields.field("usage").map(super::json_text::keep);
    writer.field("provider", &head.provider);
    writer.field("usage", &usage_with_cost(&reply.usage, upstream.as_ref(), cost));
    writer.some("openrouter_metadata", head.metadata.as_ref());
    writer.close();
    out
}

fn compose(reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
    let none = Choice::default();
    let choice = reply.choices.first().unwrap_or(&none);
    let ending = other_of(&choice.other, OTHER_ENDING);
    let ending = ending.and_then(|json| json.read::<Object<'_>>().ok()).unwrap_or_default();
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    write_head(&mut writer, head);
    write_array(writer.key("content"), content(choice, &ending), |out, block| {
        out.extend_from_slice(block.as_str().as_bytes());
    });
    let reason = REASONS.end(choice.finish.as_ref(), !choice.tool_calls.is_empty());
    writer.field("stop_reason", reason);
    for always in ["stop_sequence", "stop_details", "container"] {
        if ending.field(always).is_none() {
            writer.raw(always, "null");
        }
    }
    ending.0.iter().for_each(|(key, value)| writer.raw(key, value.get()));
    let upstream = other_of(&reply.other, OTHER_USAGE);
    writer.field("usage", &usage_with_cost(&reply.usage, upstream, cost));
    writer.some("openrouter_metadata", head.metadata.as_ref());
    writer.close();
    out
}

/// Writes the fields that every message begins with.
pub(super) fn write_head(writer: &mut ObjectWriter<'_>, head: &Head) {
    writer.field("id", &head.id);
    writer.field("type", "message");
    writer.field("role", "assistant");
    writer.field("model", &head.model);
    writer.field("provider", &head.provider);
}

/// The blocks: thought, what only this dialect knows, words, calls. The fold does not know in
/// which order they came, and this one is the usual.
fn content(choice: &Choice, ending: &Object<'_>) -> Vec<Json> {
    let mut blocks = Vec::new();
    for (text, detail) in &choice.reasoning {
        thought(text, detail.as_ref(), &mut blocks);
    }
    blocks.extend(choice.other.iter().filter(|(kind, _)| is_block(kind)).map(|(_, it)| it.clone()));
    if !choice.text.is_empty() {
        let others = choice.other.iter().filter(|(kind, _)| kind == OTHER_CITATION);
        let mut citations: Vec<Json> = choice.annotations.iter().filter_map(citation_of).collect();
        citations.extend(others.map(|(_, json)| json.clone()));
        blocks.push(object(|writer| {
            writer.field("type", "text");
            writer.field("text", &choice.text);
            match citations.is_empty() {
                true => writer.raw("citations", "null"),
                false => writer.field("citations", &citations),
            }
        }));
    }
    // The dialect tells an explanation in `stop_details`.
    if !choice.refusal.is_empty() && ending.field("stop_details").is_none() {
        blocks.push(object(|writer| {
            writer.field("type", "text");
            writer.field("text", &choice.refusal);
            writer.raw("citations", "null");
        }));
    }
    blocks.extend(choice.tool_calls.iter().map(|call| {
        object(|writer| {
            writer.field("type", "tool_use");
            writer.field("id", &call.id);
            writer.field("name", &call.name);
            writer.raw("input", &input_of(&call.arguments));
            writer.raw("caller", DIRECT);
        })
    }));
    blocks
}

fn thought(text: &str, detail: Option<&ReasoningDetail>, blocks: &mut Vec<Json>) {
    let redacted = |data: &str| {
        object(|writer| {
            writer.field("type", "redacted_thinking");
            writer.field("data", data);
        })
    };
    let is_claudes = thinking::is_claudes(detail);
    if let Some(data) = claudes_data(detail) {
        return blocks.push(redacted(data));
    }
    let signature = detail.filter(|_| is_claudes).and_then(|it| it.signature.as_deref());
    if !text.is_empty() || signature.is_some() {
        blocks.push(object(|writer| {
            writer.field("type", "thinking");
            writer.field("thinking", text);
            writer.field("signature", signature.unwrap_or_default());
        }));
    }
    if !is_claudes {
        blocks.extend(detail.and_then(packed::pack).map(|data| redacted(&data)));
    }
}

/// The data of Claude's own encrypted block.
pub(super) fn claudes_data(detail: Option<&ReasoningDetail>) -> Option<&str> {
    let detail = detail.filter(|detail| thinking::is_claudes(Some(detail)))?;
    let is_encrypted = detail.kind == ReasoningKind::Encrypted;
    detail.data.as_deref().filter(|_| is_encrypted)
}

/// Anthropic's form of a citation of the web. Its `encrypted_index` is not known here.
pub(super) fn citation_of(annotation: &Json) -> Option<Json> {
    let fields = annotation.read::<Object<'_>>().ok()?;
    let inner = Object::parse(fields.field("url_citation")?.get()).ok()?;
    Some(object(|writer| {
        writer.field("type", "web_search_result_location");
        for (ours, theirs) in [("content", "cited_text"), ("url", "url"), ("title", "title")] {
            match inner.field(ours) {
                Some(value) => writer.raw(theirs, value.get()),
                None => writer.field(theirs, ""),
            }
        }
        writer.field("encrypted_index", "");
    }))
}

/// Whether a kind of `Delta::Other` names a block of this dialect.
pub(super) fn is_block(kind: &str) -> bool {
    let reserved = [OTHER_CITATION, OTHER_DELTA, OTHER_ENDING, OTHER_EVENT, OTHER_USAGE];
    let name = kind.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('.'));
    name.is_some() && !reserved.contains(&kind)
}

fn other_of<'a>(others: &'a [(String, Json)], kind: &str) -> Option<&'a Json> {
    others.iter().rev().find(|(known, _)| known == kind).map(|(_, json)| json)
}

/// Who called a tool: the model itself, not a program of its own.
const DIRECT: &str = r#"{"type":"direct"}"#;
