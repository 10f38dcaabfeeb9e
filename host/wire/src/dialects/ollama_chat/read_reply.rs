//! Reads replies: a whole one is a stream of one line. The line that says `done` ends it.
//!
//! Calls have no names on this wire. They are named after the moment that the upstream wrote them
//! at, so that no two turns of a conversation have the same.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::read_messages::Call;
use super::{NAME, OTHER_ENDING, OTHER_MESSAGE, finish_reason, pictures, read_error};
use crate::chunk::{Chunk, Delta, Role, Usage};
use crate::dialect::ReadStream;
use crate::error::{ReadError, StreamError};
use crate::json::{Json, Object};
use crate::json_text::{object, present, read, text_of};
use crate::logprobs;
use crate::source::Source;
use crate::sse::Event;

/// Reads a body: a chunk for each change.
pub(super) fn read_reply(body: &Bytes) -> Result<Vec<Chunk>, StreamError> {
    let mut deltas = Vec::new();
    let mut reader = Reader::default();
    reader.line(body, &mut deltas)?;
    if !reader.has_message {
        return Err(ReadError::new("message", "the message (an object)", "nothing").into());
    }
    Ok(deltas.into_iter().map(|delta| Chunk::of(vec![delta])).collect())
}

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    has_begun: bool,
    has_message: bool,
    is_done: bool,
    calls: u16,
}

impl ReadStream for Reader {
    fn read(&mut self, event: &Event, chunks: &mut Vec<Chunk>) -> Result<(), StreamError> {
        if self.is_done || event.data.trim_ascii().is_empty() {
            return Ok(());
        }
        let mut deltas = Vec::new();
        self.line(&event.data, &mut deltas)?;
        let source = Source { dialect: NAME, bytes: event.data.clone() };
        chunks.push(Chunk { deltas, source: Some(source) });
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.is_done
    }
}

impl Reader {
    fn line(&mut self, bytes: &[u8], deltas: &mut Vec<Delta>) -> Result<(), StreamError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| ReadError::new("body", "a JSON object in UTF-8", "other bytes"))?;
        let fields = Object::parse(text)
            .map_err(|error| ReadError::new("body", "a JSON object", error.to_string()))?;
        if present(&fields, "error").is_some() {
            return Err(StreamError::Upstream(read_error(200, bytes)));
        }
        if !std::mem::replace(&mut self.has_begun, true) {
            deltas.push(Delta::Role { choice: 0, role: Role::Assistant });
        }
        if let Some(message) = present(&fields, "message") {
            self.has_message = true;
            let moment = text_of(&fields, "created_at");
            self.message(message, moment.as_deref(), deltas)?;
        }
        if let Some(tokens) = present(&fields, "logprobs") {
            let tokens: Vec<&RawValue> = read(tokens, "logprobs", "a list of tokens")?;
            if !tokens.is_empty() {
                deltas.push(logprobs::delta(tokens.into_iter().map(RawValue::get)));
            }
        }
        let others = rest(&fields, &FIELDS);
        deltas.extend(others.map(|json| other(OTHER_ENDING, json)));
        let count =
            |key: &str| -> Option<u64> { serde_json::from_str(present(&fields, key)?.get()).ok() };
        let (prompt, completion) = (count("prompt_eval_count"), count("eval_count"));
        if prompt.is_some() || completion.is_some() {
            deltas.push(Delta::Usage(Usage { prompt, completion, ..Usage::default() }));
        }
        if present(&fields, "done").is_some_and(|done| done.get() == "true") {
            self.is_done = true;
            let native = text_of(&fields, "done_reason").filter(|word| !word.is_empty());
            let reason = finish_reason(native.as_deref().unwrap_or_default(), self.calls > 0);
            deltas.push(Delta::Finish { choice: 0, reason, native });
        }
        Ok(())
    }

    fn message(
        &mut self,
        message: &RawValue,
        moment: Option<&str>,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        let fields: Object<'_> = read(message, "message", "an object")?;
        let text = |key: &str| match present(&fields, key) {
            Some(raw) => read::<String>(raw, &format!("message.{key}"), "a text"),
            None => Ok(String::new()),
        };
        let thinking = text("thinking")?;
        if !thinking.is_empty() {
            deltas.push(Delta::Reasoning { choice: 0, text: thinking, detail: None });
        }
        let content = text("content")?;
        if !content.is_empty() {
            deltas.push(Delta::Text { choice: 0, text: content });
        }
        if let Some(images) = present(&fields, "images") {
            let images: Vec<String> = read(images, "message.images", "a list of texts")?;
            let images = images.into_iter().map(pictures::annotated);
            deltas.extend(images.map(|json| Delta::Image { choice: 0, json }));
        }
        if let Some(calls) = present(&fields, "tool_calls") {
            let calls: Vec<&RawValue> = read(calls, "message.tool_calls", "a list of calls")?;
            for (position, item) in calls.into_iter().enumerate() {
                let call = Call::read(item, &format!("message.tool_calls[{position}]"))?;
                let index = self.calls;
                self.calls = index.checked_add(1).ok_or_else(|| {
                    ReadError::new("message.tool_calls", "at most 65535 calls", "more")
                })?;
                let made_up = moment.and_then(|moment| name_of(moment, index));
                deltas.push(Delta::ToolCall {
                    choice: 0,
                    index,
                    id: call.id.or(made_up),
                    name: Some(call.name),
                    arguments: call.arguments,
                });
            }
        }
        let others = rest(&fields, &MESSAGE_FIELDS);
        deltas.extend(others.map(|json| other(OTHER_MESSAGE, json)));
        Ok(())
    }
}

/// `call_<moment>_<n>`: the digits of the moment, down to the nanosecond as Ollama writes it.
/// Without a moment there is none, and whoever writes the call for a client makes one up.
fn name_of(moment: &str, index: u16) -> Option<String> {
    let digits: String = moment.chars().filter(char::is_ascii_digit).take(32).collect();
    (!digits.is_empty()).then(|| format!("call_{digits}_{index}"))
}

fn other(kind: &str, json: Json) -> Delta {
    Delta::Other { choice: Some(0), kind: kind.to_owned(), json }
}

fn rest(fields: &Object<'_>, known: &[&str]) -> Option<Json> {
    let is_known = |key: &str| known.contains(&key);
    let rest = fields.0.iter().filter(|(key, value)| !is_known(key) && value.get() != "null");
    let mut rest = rest.peekable();
    rest.peek()?;
    Some(object(|writer| rest.for_each(|(key, value)| writer.raw(key, value.get()))))
}

const FIELDS: [&str; 8] = [
    "model",
    "created_at",
    "message",
    "done",
    "done_reason",
    "prompt_eval_count",
    "eval_count",
    "logprobs",
];
const MESSAGE_FIELDS: [&str; 5] = ["role", "content", "thinking", "images", "tool_calls"];
