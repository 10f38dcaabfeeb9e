//! Reads whole replies.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::ending::{self, rest};
use super::read_messages::plan_detail;
use super::{OTHER_BLOCK, OTHER_MESSAGE, citations, logprobs, read_error};
use crate::chunk::{Chunk, Delta, Role};
use crate::error::{ReadError, StreamError};
use crate::json::Object;
use crate::json_text::{keep, present, read, required, text_of};

/// Reads a body: the role, a chunk for each piece, the end.
pub(super) fn read_reply(body: &Bytes) -> Result<Vec<Chunk>, StreamError> {
    let text = std::str::from_utf8(body)
        .map_err(|_| ReadError::new("body", "a JSON object in UTF-8", "other bytes"))?;
    let fields = Object::parse(text)
        .map_err(|error| ReadError::new("body", "a JSON object", error.to_string()))?;
    let Some(message) = present(&fields, "message").filter(|it| it.get().starts_with('{')) else {
        // An error is the same object with a text instead of the message.
        let is_error = ["message", "error"].iter().any(|key| present(&fields, key).is_some());
        return Err(match is_error {
            true => StreamError::Upstream(read_error(200, body)),
            false => ReadError::new("message", "the message (an object)", "nothing").into(),
        });
    };
    let mut deltas = vec![Delta::Role { choice: 0, role: Role::Assistant }];
    read_message(message, &mut deltas)?;
    deltas.extend(present(&fields, "logprobs").and_then(logprobs::read));
    ending::read(&fields, &["id", "message", "logprobs"], &mut deltas)?;
    Ok(deltas.into_iter().map(|delta| Chunk::of(vec![delta])).collect())
}

fn read_message(message: &RawValue, deltas: &mut Vec<Delta>) -> Result<(), ReadError> {
    let fields: Object<'_> = read(message, "message", "an object")?;
    if let Some(text) = text_of(&fields, "tool_plan").filter(|text| !text.is_empty()) {
        deltas.push(Delta::Reasoning { choice: 0, text, detail: Some(plan_detail()) });
    }
    match present(&fields, "content") {
        Some(content) if content.get().starts_with('"') => {
            let text = read(content, "message.content", "a text")?;
            deltas.push(Delta::Text { choice: 0, text });
        }
        Some(content) => {
            let blocks: Vec<&RawValue> = read(content, "message.content", "a list of blocks")?;
            for (position, block) in blocks.into_iter().enumerate() {
                deltas.push(read_block(block, &format!("message.content[{position}]"))?);
            }
        }
        None => {}
    }
    if let Some(calls) = present(&fields, "tool_calls") {
        let calls: Vec<&RawValue> = read(calls, "message.tool_calls", "a list of calls")?;
        for (index, call) in (0..=u16::MAX).zip(calls) {
            let path = format!("message.tool_calls[{index}]");
            let Call { id, name, arguments } = Call::read(call, &path)?;
            let arguments = if arguments.is_empty() { "{}".to_owned() } else { arguments };
            deltas.push(Delta::ToolCall { choice: 0, index, id, name, arguments });
        }
    }
    if let Some(list) = present(&fields, "citations") {
        let list: Vec<&RawValue> = read(list, "message.citations", "a list of citations")?;
        list.into_iter().for_each(|citation| citations::read(citation, deltas));
    }
    let known = ["role", "content", "tool_plan", "tool_calls", "citations"];
    if let Some(json) = rest(&fields, |key| known.contains(&key)) {
        deltas.push(Delta::Other { choice: Some(0), kind: OTHER_MESSAGE.to_owned(), json });
    }
    Ok(())
}

/// Reads a block that stands there whole.
pub(super) fn read_block(item: &RawValue, path: &str) -> Result<Delta, ReadError> {
    let fields: Object<'_> = read(item, path, "a content block (an object)")?;
    Ok(match text_of(&fields, "type").as_deref() {
        Some("text") => Delta::Text { choice: 0, text: required(&fields, "text", path, "a text")? },
        Some("thinking") => Delta::Reasoning {
            choice: 0,
            text: required(&fields, "thinking", path, "a text")?,
            detail: None,
        },
        _ => Delta::Other { choice: Some(0), kind: OTHER_BLOCK.to_owned(), json: keep(item) },
    })
}

/// A call, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Call {
    /// In the first piece.
    pub(super) id: Option<String>,
    /// In the first piece.
    pub(super) name: Option<String>,
    /// The next piece of them.
    pub(super) arguments: String,
}

impl Call {
    /// Reads a call.
    pub(super) fn read(item: &RawValue, path: &str) -> Result<Self, ReadError> {
        let fields: Object<'_> = read(item, path, "a tool call (an object)")?;
        let function: Object<'_> = required(&fields, "function", path, "the function")?;
        let arguments = match present(&function, "arguments") {
            Some(raw) if raw.get().starts_with('"') => read(raw, path, "JSON as text")?,
            Some(raw) => raw.get().to_owned(),
            None => String::new(),
        };
        let word =
            |fields: &Object<'_>, key: &str| text_of(fields, key).filter(|it| !it.is_empty());
        Ok(Self { id: word(&fields, "id"), name: word(&function, "name"), arguments })
    }
}
