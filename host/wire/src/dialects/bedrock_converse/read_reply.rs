//! Reads whole replies.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{
    OTHER_BLOCK, OTHER_ENDING, OTHER_METADATA, REASONS, citation, error, read_content, thought,
    usage,
};
use crate::chunk::{Chunk, Delta, Role};
use crate::error::{ReadError, StreamError};
use crate::json::{Json, Object};
use crate::json_text::{keep, object, present, read, required, text_of};

/// Reads a body: the role, a chunk for each block, the end.
pub(super) fn read_reply(body: &Bytes) -> Result<Vec<Chunk>, StreamError> {
    let text = std::str::from_utf8(body)
        .map_err(|_| ReadError::new("body", "a JSON object in UTF-8", "other bytes"))?;
    let fields = Object::parse(text)
        .map_err(|error| ReadError::new("body", "a JSON object", error.to_string()))?;
    if let Some(failure) = error::of_body(&fields) {
        return Err(StreamError::Upstream(failure));
    }
    let output: Object<'_> = required(&fields, "output", "body", "an object")?;
    let message: Object<'_> = required(&output, "message", "output", "a message")?;
    let content: Vec<&RawValue> =
        required(&message, "content", "output.message", "a list of blocks")?;
    let mut chunks = vec![Chunk::of(vec![Delta::Role { choice: 0, role: Role::Assistant }])];
    let mut counts = Counts::default();
    for (position, item) in content.into_iter().enumerate() {
        let mut deltas = Vec::new();
        block(item, &format!("output.message.content[{position}]"), &mut counts, &mut deltas)?;
        chunks.push(Chunk::of(deltas));
    }
    let mut deltas = Vec::new();
    let rest = |key: &str| key != "output" && key != "stopReason";
    let (ending, metadata): (Vec<_>, Vec<_>) = fields
        .0
        .iter()
        .filter(|(key, value)| rest(key) && value.get() != "null")
        .partition(|(key, _)| key == "additionalModelResponseFields");
    push_other(OTHER_ENDING, Some(0), &ending, &mut deltas);
    push_other(OTHER_METADATA, None, &metadata, &mut deltas);
    if let Some(counts) = present(&fields, "usage") {
        deltas.push(Delta::Usage(usage::read(counts.get())));
    }
    deltas.extend(text_of(&fields, "stopReason").map(finish));
    chunks.push(Chunk::of(deltas));
    Ok(chunks)
}

/// How many blocks of a kind the reply has by now.
#[derive(Debug, Default)]
pub(super) struct Counts {
    calls: u16,
    thoughts: u32,
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

fn block(
    item: &RawValue,
    path: &str,
    counts: &mut Counts,
    deltas: &mut Vec<Delta>,
) -> Result<(), ReadError> {
    let fields: Object<'_> = read(item, path, "a content block (an object)")?;
    if let Some(text) = present(&fields, "text") {
        let text = read(text, &format!("{path}.text"), "a text")?;
        deltas.push(Delta::Text { choice: 0, text });
    } else if let Some(value) = present(&fields, "reasoningContent") {
        let path = format!("{path}.reasoningContent");
        let found = thought::read_block(value, &path, counts.thought())?;
        let known =
            found.map(|(text, detail)| Delta::Reasoning { choice: 0, text, detail: Some(detail) });
        deltas.push(known.unwrap_or_else(|| other(item)));
    } else if let Some(call) = present(&fields, "toolUse") {
        let path = format!("{path}.toolUse");
        let call: Object<'_> = read(call, &path, "an object")?;
        // A call of a kind is answered by the provider.
        if present(&call, "type").is_some() {
            deltas.push(other(item));
            return Ok(());
        }
        deltas.push(Delta::ToolCall {
            choice: 0,
            index: counts.call(),
            id: Some(required(&call, "toolUseId", &path, "the call's id")?),
            name: Some(required(&call, "name", &path, "the tool's name")?),
            arguments: present(&call, "input").map_or("{}", RawValue::get).to_owned(),
        });
    } else if let Some(value) = present(&fields, "citationsContent") {
        let path = format!("{path}.citationsContent");
        let cited: Object<'_> = read(value, &path, "an object")?;
        if let Some(items) = present(&cited, "citations") {
            let items: Vec<&RawValue> = read(items, &path, "a list of citations")?;
            deltas.extend(items.into_iter().map(citation::read));
        }
        let text = read_content::cited_text(value, &path)?;
        deltas.push(Delta::Text { choice: 0, text });
    } else if let Some(json) = present(&fields, "image").and_then(|it| image(it, None)) {
        deltas.push(Delta::Image { choice: 0, json });
    } else {
        deltas.push(other(item));
    }
    Ok(())
}

/// A picture in OpenRouter's form; none for one that lies elsewhere.
pub(super) fn image(value: &RawValue, format: Option<&str>) -> Option<Json> {
    let fields = Object::parse(value.get()).ok()?;
    let source = Object::parse(present(&fields, "source")?.get()).ok()?;
    let base64 = text_of(&source, "bytes")?;
    let format = text_of(&fields, "format").or_else(|| format.map(str::to_owned));
    let format = format.unwrap_or_else(|| "png".to_owned());
    let url = format!("data:image/{format};base64,{base64}");
    let inner = object(|writer| writer.field("url", &url));
    Some(object(|writer| {
        writer.field("type", "image_url");
        writer.field("image_url", &inner);
    }))
}

fn other(item: &RawValue) -> Delta {
    Delta::Other { choice: Some(0), kind: OTHER_BLOCK.to_owned(), json: keep(item) }
}

/// Keeps fields that have no canonical place, if there are any.
pub(super) fn push_other<K: AsRef<str>>(
    kind: &str,
    choice: Option<u16>,
    fields: &[&(K, &RawValue)],
    deltas: &mut Vec<Delta>,
) {
    if fields.is_empty() {
        return;
    }
    let json = object(|writer| {
        fields.iter().for_each(|(key, value)| writer.raw(key.as_ref(), value.get()));
    });
    deltas.push(Delta::Other { choice, kind: kind.to_owned(), json });
}

/// The end of the one choice.
pub(super) fn finish(native: String) -> Delta {
    Delta::Finish { choice: 0, reason: REASONS.read(&native), native: Some(native) }
}
