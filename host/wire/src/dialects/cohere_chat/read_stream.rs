//! Reads a streamed reply, event by event. `message-end` ends it.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ending;
use super::read_messages::plan_detail;
use super::read_reply::{Call, read_block};
use super::{NAME, OTHER_BLOCK, OTHER_EVENT, citations, logprobs, read_error};
use crate::chunk::{Chunk, Delta, Role};
use crate::dialect::ReadStream;
use crate::error::{ReadError, StreamError};
use crate::json::{Json, Object};
use crate::json_text::{keep, present, read, shorten, text_of};
use crate::source::Source;
use crate::sse::Event;

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    has_begun: bool,
    is_done: bool,
    calls: Vec<Known>,
}

/// A call that has begun.
#[derive(Debug)]
struct Known {
    /// The upstream's index, which some give to one call after the other.
    index: u64,
    id: Option<String>,
    /// Whether arguments came.
    has_arguments: bool,
}

impl ReadStream for Reader {
    fn read(&mut self, event: &Event, chunks: &mut Vec<Chunk>) -> Result<(), StreamError> {
        let data = event.data.trim_ascii();
        if data == b"[DONE]" {
            self.is_done = true;
        }
        if self.is_done || data.is_empty() {
            return Ok(());
        }
        let text = std::str::from_utf8(data)
            .map_err(|_| ReadError::new("event", "UTF-8", "other bytes"))?;
        if !text.starts_with('{') {
            return Err(ReadError::new("event", "a JSON object", shorten(text)).into());
        }
        let frame: Frame<'_> = serde_json::from_str(text)
            .map_err(|error| ReadError::new("event", "a JSON object", error.to_string()))?;
        // Errors have no type: they are the body of an error status.
        let kind = frame.kind.as_deref().or(event.name.as_deref()).unwrap_or("error");
        let mut deltas = Vec::new();
        match kind {
            "ping" => return Ok(()),
            "error" => return Err(StreamError::Upstream(read_error(200, data))),
            "message-end" => {
                let fields = frame.delta.map(|delta| read(delta, "delta", "an object"));
                let fields: Object<'_> = fields.transpose()?.unwrap_or_default();
                ending::read(&fields, &[], &mut deltas)?;
                self.is_done = true;
            }
            _ => self.piece(kind, &frame, text, &mut deltas)?,
        }
        let source = Source { dialect: NAME, bytes: event.data.clone() };
        chunks.push(Chunk { deltas, source: Some(source) });
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.is_done
    }
}

impl Reader {
    fn piece(
        &mut self,
        kind: &str,
        frame: &Frame<'_>,
        text: &str,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        let message = frame.message()?;
        let value = |key: &str| present(&message, key);
        match kind {
            "message-start" => {
                if !std::mem::replace(&mut self.has_begun, true) {
                    deltas.push(Delta::Role { choice: 0, role: Role::Assistant });
                }
            }
            "content-start" => {
                if let Some(block) = value("content") {
                    let delta = read_block(block, "delta.message.content")?;
                    deltas.extend(Some(delta).filter(is_something));
                }
            }
            "content-delta" => {
                if let Some(content) = value("content") {
                    deltas.extend(content_piece(content)?);
                }
                deltas.extend(frame.logprobs.and_then(logprobs::read));
            }
            "tool-plan-delta" => {
                if let Some(text) = text_of(&message, "tool_plan") {
                    deltas.push(Delta::Reasoning { choice: 0, text, detail: Some(plan_detail()) });
                }
            }
            "tool-call-start" | "tool-call-delta" => {
                if let Some(call) = value("tool_calls") {
                    self.call(frame.index.unwrap_or(0), call, deltas)?;
                }
            }
            "tool-call-end" => self.call_end(frame.index.unwrap_or(0), deltas),
            "citation-start" => one_or_more(value("citations"))
                .into_iter()
                .for_each(|citation| citations::read(citation, deltas)),
            "content-end" | "citation-end" => {}
            _ => {
                let json = Json::parse(text).unwrap_or_else(|_| Json::null());
                deltas.push(Delta::Other { choice: None, kind: OTHER_EVENT.to_owned(), json });
            }
        }
        Ok(())
    }

    fn call(
        &mut self,
        index: u64,
        call: &RawValue,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        for call in one_or_more(Some(call)) {
            let Call { mut id, name, arguments } = Call::read(call, "delta.message.tool_calls")?;
            let named = self.calls.iter().position(|it| id.is_some() && it.id == id);
            let is_it = |it: &Known| it.index == index && (id.is_none() || it.id.is_none());
            let known = named.or_else(|| self.calls.iter().rposition(is_it));
            let position = known.unwrap_or(self.calls.len());
            if known.is_none() {
                self.calls.push(Known { index, id: None, has_arguments: false });
            }
            if let Some(call) = self.calls.get_mut(position) {
                call.has_arguments |= !arguments.is_empty();
                // Told once.
                id = id.filter(|_| call.id.is_none());
                call.id = call.id.take().or_else(|| id.clone());
            }
            let index = u16::try_from(position).map_err(|_| {
                ReadError::new("delta.message.tool_calls", "at most 65536 calls", "more")
            })?;
            deltas.push(Delta::ToolCall { choice: 0, index, id, name, arguments });
        }
        Ok(())
    }

    /// A call without arguments has none to be streamed; other dialects want JSON all the same.
    fn call_end(&mut self, index: u64, deltas: &mut Vec<Delta>) {
        let calls = (0..=u16::MAX).zip(&mut self.calls);
        for (position, call) in calls.filter(|(_, known)| known.index == index) {
            if !std::mem::replace(&mut call.has_arguments, true) {
                let arguments = "{}".to_owned();
                deltas.push(Delta::ToolCall {
                    choice: 0,
                    index: position,
                    id: None,
                    name: None,
                    arguments,
                });
            }
        }
    }
}

/// A piece of a block: its text under the name of the block's kind.
fn content_piece(content: &RawValue) -> Result<Option<Delta>, ReadError> {
    let fields: Object<'_> = read(content, "delta.message.content", "an object")?;
    if let Some(text) = text_of(&fields, "text") {
        return Ok(Some(Delta::Text { choice: 0, text }));
    }
    if let Some(text) = text_of(&fields, "thinking") {
        return Ok(Some(Delta::Reasoning { choice: 0, text, detail: None }));
    }
    let kind = OTHER_BLOCK.to_owned();
    Ok((!fields.0.is_empty()).then(|| Delta::Other { choice: Some(0), kind, json: keep(content) }))
}

fn is_something(delta: &Delta) -> bool {
    match delta {
        Delta::Text { text, .. } | Delta::Reasoning { text, .. } => !text.is_empty(),
        _ => true,
    }
}

/// Cohere writes one where its own types name a list.
fn one_or_more(value: Option<&RawValue>) -> Vec<&RawValue> {
    match value {
        Some(list) if list.get().starts_with('[') => {
            serde_json::from_str(list.get()).unwrap_or_default()
        }
        value => value.into_iter().collect(),
    }
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    logprobs: Option<&'a RawValue>,
}

impl<'a> Frame<'a> {
    /// `delta.message`; empty where there is none.
    fn message(&self) -> Result<Object<'a>, ReadError> {
        let Some(delta) = self.delta else { return Ok(Object::default()) };
        let delta: Object<'a> = read(delta, "delta", "an object")?;
        match present(&delta, "message") {
            Some(message) => read(message, "delta.message", "an object"),
            None => Ok(Object::default()),
        }
    }
}
