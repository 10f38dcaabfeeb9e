//! Writing a whole reply in OpenRouter's form. Fields without a canonical place come from the
//! reply's `other` and, while it is of this dialect, from its source.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::emit::Object as Writer;
use super::reasoning::OTHER_DETAIL;
use super::reply_read::{IN_MESSAGE, PREFIX};
use super::shape::{count, text};
use super::stream_write::{Block, is_choice_field, is_owned, made_up_id};
use super::tool_calls::OTHER_CALL;
use super::{NAME, usage};
use crate::chunk::FinishReason;
use crate::dialect::{Cost, Head};
use crate::json::{Json, Object};
use crate::reply::{Choice, Reply};
use crate::source::Source;

/// Writes a whole reply.
pub(super) fn write(reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
    let source = Source::of_dialect(&reply.source, NAME);
    let source = source.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    let fields = source.and_then(|text| Object::parse(text).ok()).unwrap_or_default();
    let mut top: Vec<(&str, &str)> = Vec::new();
    for (kind, json) in &reply.other {
        if let Some(name) = kind.strip_prefix(PREFIX) {
            push_new(&mut top, name, json.as_str());
        }
    }
    for (name, value) in &fields.0 {
        push_new(&mut top, name, value.get());
    }
    let mut out = Vec::new();
    let mut body = Writer::begin(&mut out);
    body.value("id", &head.id);
    body.raw("object", r#""chat.completion""#);
    body.value("created", &head.created);
    body.value("model", &head.model);
    body.value("provider", &head.provider);
    for always in ["system_fingerprint", "service_tier"] {
        if !top.iter().any(|(name, _)| *name == always) {
            body.raw(always, "null");
        }
    }
    for (name, json) in top {
        body.raw(name, json);
    }
    body.list("choices", (0..=u16::MAX).zip(&reply.choices), |(index, choice), out| {
        write_choice(index, choice, head, out);
    });
    usage::write(&reply.usage, cost, body.key("usage"));
    body.optional("openrouter_metadata", head.metadata.as_ref());
    body.end();
    out
}

fn push_new<'a>(top: &mut Vec<(&'a str, &'a str)>, name: &'a str, json: &'a str) {
    if !is_owned(name) && json != "null" && !top.iter().any(|(known, _)| *known == name) {
        top.push((name, json));
    }
}

fn write_choice(index: u16, choice: &Choice, head: &Head, out: &mut Vec<u8>) {
    let other = |kind: &'static str| {
        choice.other.iter().filter(move |(known, _)| known == kind).map(|(_, json)| json)
    };
    let own =
        || choice.other.iter().filter_map(|(kind, json)| Some((kind.strip_prefix(PREFIX)?, json)));
    let mut object = Writer::begin(out);
    object.value("index", &index);
    object.object("message", |message| {
        message.raw("role", r#""assistant""#);
        write_content(choice, message);
        if !choice.reasoning.is_empty() || other(OTHER_DETAIL).next().is_some() {
            let blocks =
                choice.reasoning.iter().map(|(text, detail)| Block::Known(text, detail.as_ref()));
            let blocks = blocks.chain(other(OTHER_DETAIL).map(Block::Other));
            message.list("reasoning_details", blocks, |block, out| block.write(out));
        }
        write_calls(index, choice, head, message);
        for (name, list) in [("annotations", &choice.annotations), ("images", &choice.images)] {
            if !list.is_empty() {
                message.value(name, list);
            }
        }
        if let Some(audio) = join_audio(&choice.audio) {
            message.raw("audio", audio.as_str());
        }
        for (name, json) in own() {
            if let Some(name) = name.strip_prefix(IN_MESSAGE) {
                message.raw(name, json.as_str());
            }
        }
    });
    let (reason, native) = match &choice.finish {
        Some((reason, native)) => (Some(*reason), native.as_deref()),
        None => (None, None),
    };
    let reason = reason.map(FinishReason::as_str);
    object.value("finish_reason", &reason);
    object.value("native_finish_reason", &native.or(reason));
    write_choice_fields(choice, &mut object);
    object.end();
}

fn write_content(choice: &Choice, message: &mut Writer<'_>) {
    let says_otherwise = !choice.tool_calls.is_empty()
        || !choice.refusal.is_empty()
        || !choice.images.is_empty()
        || !choice.audio.is_empty();
    let content = Some(&choice.text).filter(|text| !(text.is_empty() && says_otherwise));
    let thought: String = choice.reasoning.iter().map(|(text, _)| text.as_str()).collect();
    message.value("content", &content);
    message.value("refusal", &Some(&choice.refusal).filter(|text| !text.is_empty()));
    message.value("reasoning", &Some(&thought).filter(|text| !text.is_empty()));
}

fn write_calls(choice_index: u16, choice: &Choice, head: &Head, message: &mut Writer<'_>) {
    let others: Vec<&Json> =
        choice.other.iter().filter(|(kind, _)| kind == OTHER_CALL).map(|(_, json)| json).collect();
    if choice.tool_calls.is_empty() && others.is_empty() {
        return;
    }
    let calls = (0..=u16::MAX).zip(&choice.tool_calls).map(Ok).chain(others.into_iter().map(Err));
    message.list("tool_calls", calls, |call, out| match call {
        Err(json) => out.extend_from_slice(json.as_str().as_bytes()),
        Ok((index, call)) => {
            let mut object = Writer::begin(out);
            object.value("index", &index);
            if call.id.is_empty() {
                object.value("id", &made_up_id(&head.id, choice_index, index));
            } else {
                object.value("id", &call.id);
            }
            object.raw("type", r#""function""#);
            object.object("function", |function| {
                function.value("name", &call.name);
                function.value("arguments", &call.arguments);
            });
            object.end();
        }
    });
}

/// `logprobs` always; a stream's pieces of them are joined.
fn write_choice_fields(choice: &Choice, object: &mut Writer<'_>) {
    let mut fields: Vec<(&str, &Json)> = Vec::new();
    let mut logprobs: Vec<&Json> = Vec::new();
    for (kind, json) in &choice.other {
        match kind.strip_prefix(PREFIX) {
            Some("logprobs") => logprobs.push(json),
            Some(name) if is_choice_field(name) => {
                match fields.iter_mut().find(|(n, _)| *n == name) {
                    Some(known) => known.1 = json,
                    None => fields.push((name, json)),
                }
            }
            _ => {}
        }
    }
    match logprobs.as_slice() {
        [] => object.raw("logprobs", "null"),
        [one] => object.raw("logprobs", one.as_str()),
        many => object.object("logprobs", |joined| {
            for name in ["content", "refusal"] {
                let lists =
                    many.iter().filter_map(|json| Object::parse(json.as_str()).ok()?.field(name));
                let tokens: Vec<_> = lists.flat_map(|raw| super::shape::list(Some(raw))).collect();
                joined.value(name, &Some(&tokens).filter(|tokens| !tokens.is_empty()));
            }
        }),
    }
    for (name, json) in fields {
        object.raw(name, json.as_str());
    }
}

/// One sound of a stream's pieces: each piece is base64 of its own.
fn join_audio(pieces: &[Json]) -> Option<Json> {
    if let [one] = pieces {
        return Some(one.clone());
    }
    let (mut id, mut transcript, mut expires_at) = (None, String::new(), None);
    let mut data = Vec::new();
    for piece in pieces {
        let fields = Object::parse(piece.as_str()).ok()?;
        id = text(fields.field("id")).or(id);
        expires_at = count(fields.field("expires_at")).or(expires_at);
        transcript.push_str(&text(fields.field("transcript")).unwrap_or_default());
        if let Some(piece) = text(fields.field("data")) {
            data.extend(STANDARD.decode(piece).ok()?);
        }
    }
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    object.optional("id", id.as_ref());
    object.optional("expires_at", expires_at.as_ref());
    object.value("data", &STANDARD.encode(data));
    object.value("transcript", &transcript);
    object.end();
    (!pieces.is_empty())
        .then(|| String::from_utf8(out).ok().and_then(|text| Json::parse(text).ok()))?
}
