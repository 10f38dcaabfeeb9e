//! Reads whole replies and whole blocks.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::json_text::{keep, object, present, read, required, text_of};
use super::usage::Meter;
use super::{NAME, OTHER_CITATION, OTHER_ENDING, OTHER_USAGE, REASONS, error, thinking};
use crate::chunk::{Chunk, Delta, Role};
use crate::error::{ReadError, StreamError};
use crate::json::{Json, Object};

/// Reads a body: the role, a chunk for each block, the end.
pub(super) fn read_reply(body: &Bytes) -> Result<Vec<Chunk>, StreamError> {
    let text = std::str::from_utf8(body)
        .map_err(|_| ReadError::new("body", "a JSON object in UTF-8", "other bytes"))?;
    let fields = Object::parse(text)
        .map_err(|error| ReadError::new("body", "a JSON object", error.to_string()))?;
    if let Some(failure) = present(&fields, "error").and_then(|it| error::read_failure(it, None)) {
        return Err(StreamError::Upstream(failure));
    }
    let content: Vec<&RawValue> = required(&fields, "content", "body", "a list of blocks")?;
    let mut chunks = vec![Chunk::of(vec![Delta::Role { choice: 0, role: Role::Assistant }])];
    let mut counts = Counts::default();
    for (position, item) in content.into_iter().enumerate() {
        let mut deltas = Vec::new();
        whole_block(item, &format!("content[{position}]"), &mut counts, &mut deltas)?;
        chunks.push(Chunk::of(deltas));
    }
    let known = |key: &str| REPLY_FIELDS.contains(&key);
    let rest = fields.0.iter().filter(|(key, value)| !known(key) && value.get() != "null");
    let rest: Vec<_> = rest.collect();
    let mut deltas = Vec::new();
    if !rest.is_empty() {
        let json = object(|writer| {
            rest.iter().for_each(|(key, value)| writer.raw(key, value.get()));
        });
        push_ending(json, &mut deltas);
    }
    if let Some(usage) = present(&fields, "usage") {
        push_usage(usage, &mut Meter::default(), &mut deltas);
    }
    if let Some(native) = text_of(&fields, "stop_reason") {
        deltas.push(finish(native));
    }
    chunks.push(Chunk::of(deltas));
    Ok(chunks)
}

/// How many blocks of a kind the reply has by now.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Of tool calls.
    pub(super) calls: u16,
    /// Of blocks of thought.
    pub(super) thoughts: u32,
}

impl Counts {
    /// The next call's index.
    pub(super) fn call(&mut self) -> u16 {
        let index = self.calls;
        self.calls = self.calls.saturating_add(1);
        index
    }

    /// The next block of thought's index.
    pub(super) fn thought(&mut self) -> u32 {
        let index = self.thoughts;
        self.thoughts = self.thoughts.saturating_add(1);
        index
    }
}

/// Reads a block that stands there whole.
pub(super) fn whole_block(
    item: &RawValue,
    path: &str,
    counts: &mut Counts,
    deltas: &mut Vec<Delta>,
) -> Result<(), ReadError> {
    let fields: Object<'_> = read(item, path, "a content block (an object)")?;
    let kind: String = required(&fields, "type", path, "the block's type")?;
    let text = |key: &str| required::<String>(&fields, key, path, "a text");
    match kind.as_str() {
        "text" => {
            if let Some(citations) = present(&fields, "citations") {
                let path = format!("{path}.citations");
                let citations: Vec<&RawValue> = read(citations, &path, "a list of citations")?;
                deltas.extend(citations.into_iter().map(citation));
            }
            deltas.push(Delta::Text { choice: 0, text: text("text")? });
        }
        "thinking" => {
            let detail = thinking::thinking(text_of(&fields, "signature"), counts.thought());
            deltas.push(Delta::Reasoning {
                choice: 0,
                text: text("thinking")?,
                detail: Some(detail),
            });
        }
        "redacted_thinking" => {
            let detail = thinking::redacted(text("data")?, counts.thought());
            deltas.push(Delta::Reasoning { choice: 0, text: String::new(), detail: Some(detail) });
        }
        "tool_use" => deltas.push(Delta::ToolCall {
            choice: 0,
            index: counts.call(),
            id: Some(text("id")?),
            name: Some(text("name")?),
            arguments: present(&fields, "input").map_or("{}", RawValue::get).to_owned(),
        }),
        kind => deltas.push(other_block(kind, keep(item))),
    }
    Ok(())
}

/// A block that has no canonical form.
pub(super) fn other_block(kind: &str, json: Json) -> Delta {
    Delta::Other { choice: Some(0), kind: format!("{NAME}.{kind}"), json }
}

/// A citation: of the web in OpenRouter's form, any other whole.
pub(super) fn citation(value: &RawValue) -> Delta {
    let of_web = Object::parse(value.get())
        .ok()
        .filter(|fields| text_of(fields, "type").as_deref() == Some("web_search_result_location"));
    let Some(fields) = of_web else {
        return Delta::Other {
            choice: Some(0),
            kind: OTHER_CITATION.to_owned(),
            json: keep(value),
        };
    };
    let inner = object(|writer| {
        let names = [("url", "url"), ("title", "title"), ("cited_text", "content")];
        for (theirs, ours) in names {
            if let Some(value) = present(&fields, theirs) {
                writer.raw(ours, value.get());
            }
        }
    });
    let json = object(|writer| {
        writer.field("type", "url_citation");
        writer.field("url_citation", &inner);
    });
    Delta::Annotation { choice: 0, json }
}

/// Keeps the fields of an ending that have no canonical place. A refusal's explanation is also
/// what the model has to say.
pub(super) fn push_ending(json: Json, deltas: &mut Vec<Delta>) {
    let explanation = json.read::<Object<'_>>().ok().and_then(|fields| {
        let details = Object::parse(present(&fields, "stop_details")?.get()).ok()?;
        text_of(&details, "explanation").filter(|text| !text.is_empty())
    });
    deltas.push(Delta::Other { choice: Some(0), kind: OTHER_ENDING.to_owned(), json });
    deltas.extend(explanation.map(|text| Delta::Refusal { choice: 0, text }));
}

/// Counts tokens, and keeps the upstream's own object.
pub(super) fn push_usage(usage: &RawValue, meter: &mut Meter, deltas: &mut Vec<Delta>) {
    let counts = meter.read(usage.get());
    deltas.push(Delta::Other { choice: None, kind: OTHER_USAGE.to_owned(), json: keep(usage) });
    deltas.push(Delta::Usage(counts));
}

/// The end of the one choice.
pub(super) fn finish(native: String) -> Delta {
    Delta::Finish { choice: 0, reason: REASONS.read(&native), native: Some(native) }
}

const REPLY_FIELDS: [&str; 8] =
    ["id", "type", "role", "model", "content", "stop_reason", "usage", "provider"];
