//! Writing whole replies: the upstream's own bytes with our names and costs, or the response that
//! a stream of the same reply would end with.

use super::response::{self, State};
use super::stream_write::Stream;
use super::{LOGPROBS, NAME, OTHER_ANNOTATION, OTHER_FIELDS, OTHER_PART, OTHER_RESPONSE, usage};
use crate::chunk::{Chunk, Delta};
use crate::dialect::{Cost, Head, WriteStream as _};
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::json::Object;
use crate::reply::Reply;
use crate::source::Source;

/// Writes a whole reply.
pub(super) fn write(reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
    let source = Source::of_dialect(&reply.source, NAME);
    let patched = source.and_then(|bytes| {
        let fields = Object::parse(std::str::from_utf8(&bytes).ok()?).ok()?;
        Some(patch(&fields, reply, head, cost))
    });
    patched.unwrap_or_else(|| compose(reply, head, cost))
}

fn patch(fields: &Object<'_>, reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
    let mut out = Vec::new();
    let mut body = Writer::begin(&mut out);
    for (name, value) in &fields.0 {
        match &**name {
            "id" => body.value("id", &response::id(head)),
            "model" => body.value("model", &head.model),
            "created_at" => body.value("created_at", &head.created),
            "provider" | "usage" | "store" | "previous_response_id" => {}
            name => body.raw(name, value.get()),
        }
    }
    let absent = response::DEFAULTS.iter().filter(|(name, _)| fields.field(name).is_none());
    absent.for_each(|(name, default)| body.raw(name, default));
    for name in ["error", "incomplete_details"] {
        if fields.field(name).is_none() {
            body.raw(name, "null");
        }
    }
    body.value("provider", &head.provider);
    response::write_memory(head, &mut body);
    usage::write(&reply.usage, cost, body.key("usage"));
    body.optional("openrouter_metadata", head.metadata.as_ref());
    body.end();
    out
}

fn compose(reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
    let mut stream = Stream::new(head);
    let mut events = Vec::new();
    let mut deltas: Vec<Delta> =
        reply.chunks().into_iter().flat_map(|chunk| chunk.deltas).collect();
    // The fold does not know in which order items came, and this one is the usual.
    deltas.sort_by_key(rank);
    let mut messages = 0;
    // Words are one item by now, so the first item's fields are its.
    deltas.retain(|delta| !is_message(delta) || std::mem::replace(&mut messages, 1) == 0);
    stream.chunk(&Chunk::of(deltas), &mut events);
    stream.close(&mut events);
    let mut out = Vec::new();
    stream.response(State::Ended(stream.reason(), &reply.usage, cost), &mut out);
    out
}

fn rank(delta: &Delta) -> u8 {
    match delta {
        Delta::Other { kind, .. } => match kind.as_str() {
            OTHER_RESPONSE | OTHER_FIELDS => 0,
            LOGPROBS => 4,
            OTHER_ANNOTATION => 5,
            OTHER_PART => 6,
            _ => 2,
        },
        Delta::Role { .. } => 0,
        Delta::Reasoning { .. } => 1,
        Delta::Text { .. } => 3,
        Delta::Annotation { .. } => 5,
        Delta::Refusal { .. } => 7,
        Delta::ToolCall { .. } => 8,
        Delta::Image { .. } | Delta::Audio { .. } => 9,
        Delta::Finish { .. } | Delta::Usage(_) => 10,
    }
}

fn is_message(delta: &Delta) -> bool {
    let Delta::Other { kind, json, .. } = delta else { return false };
    let fields = json.read::<Object<'_>>().unwrap_or_default();
    kind == OTHER_FIELDS && fields.field("type").is_some_and(|raw| raw.get() == r#""message""#)
}
