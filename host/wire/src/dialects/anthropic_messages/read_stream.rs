//! Reads a streamed reply, event by event. A block without a canonical form is put together and
//! yielded whole at its end, without a source: a hook must see all of it before a client does.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json_text::{input_of, keep, object, present, read, required, text_of};
use super::read_reply::{
    Counts, citation, finish, other_block, push_ending, push_usage, whole_block,
};
use super::usage::Meter;
use super::{NAME, OTHER_DELTA, OTHER_EVENT, error, thinking};
use crate::chunk::{Chunk, Delta, Role};
use crate::dialect::ReadStream;
use crate::error::{ErrorType, Failure, ReadError, StreamError};
use crate::json::{Json, Object};
use crate::source::Source;
use crate::sse::Event;

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    meter: Meter,
    counts: Counts,
    /// The blocks that are open, by the upstream's index. Almost always at most one.
    open: Vec<(u64, Block)>,
    has_begun: bool,
    is_done: bool,
}

impl ReadStream for Reader {
    fn read(&mut self, event: &Event, chunks: &mut Vec<Chunk>) -> Result<(), StreamError> {
        let text = std::str::from_utf8(&event.data)
            .map_err(|_| ReadError::new("event", "UTF-8", "other bytes"))?;
        if text.trim().is_empty() {
            return Ok(());
        }
        // Imitators of the dialect end as OpenAI does.
        if text.trim() == "[DONE]" {
            self.is_done = true;
            return Ok(());
        }
        let frame: Frame<'_> = serde_json::from_str(text)
            .map_err(|error| ReadError::new("event", "a JSON object", error.to_string()))?;
        let kind = frame.kind.as_deref().or(event.name.as_deref()).unwrap_or_default();
        let mut deltas = Vec::new();
        let mut keeps_source = true;
        match kind {
            "ping" => return Ok(()),
            "message_stop" => {
                self.is_done = true;
                return Ok(());
            }
            "error" => return Err(upstream_error(&frame)),
            "message_start" => self.message_start(&frame, &mut deltas)?,
            "content_block_start" => keeps_source = self.block_start(&frame, &mut deltas)?,
            "content_block_delta" => keeps_source = self.block_delta(&frame, &mut deltas)?,
            "content_block_stop" => keeps_source = self.block_stop(frame.index, &mut deltas),
            "message_delta" => self.message_delta(&frame, &mut deltas)?,
            _ => {
                let json = Json::parse(text).unwrap_or_else(|_| Json::null());
                deltas.push(Delta::Other { choice: None, kind: OTHER_EVENT.to_owned(), json });
            }
        }
        if keeps_source {
            let source = Source { dialect: NAME, bytes: event.data.clone() };
            chunks.push(Chunk { deltas, source: Some(source) });
        } else if !deltas.is_empty() {
            chunks.push(Chunk::of(deltas));
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.is_done
    }
}

impl Reader {
    fn message_start(
        &mut self,
        frame: &Frame<'_>,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        let message: Object<'_> = frame.required("message", frame.message)?;
        // Some upstreams send the event twice.
        if !self.has_begun {
            deltas.push(Delta::Role { choice: 0, role: Role::Assistant });
            if let Some(content) = present(&message, "content") {
                let items: Vec<&RawValue> = read(content, "message.content", "a list of blocks")?;
                for (position, item) in items.into_iter().enumerate() {
                    let path = format!("message.content[{position}]");
                    whole_block(item, &path, &mut self.counts, deltas)?;
                }
            }
        }
        self.has_begun = true;
        if let Some(usage) = present(&message, "usage") {
            deltas.push(Delta::Usage(self.meter.read(usage.get())));
        }
        Ok(())
    }

    /// Whether the event may go through as it is.
    fn block_start(
        &mut self,
        frame: &Frame<'_>,
        deltas: &mut Vec<Delta>,
    ) -> Result<bool, ReadError> {
        let index = frame.index.unwrap_or(0);
        let path = "content_block";
        let fields: Object<'_> = frame.required(path, frame.content_block)?;
        let kind: String = required(&fields, "type", path, "the block's type")?;
        let text = |key: &str| text_of(&fields, key).filter(|text| !text.is_empty());
        let block = match kind.as_str() {
            "text" => {
                deltas.extend(text("text").map(|text| Delta::Text { choice: 0, text }));
                Block::Text
            }
            "thinking" => {
                let number = self.counts.thought();
                let (words, signature) = (text("thinking"), text("signature"));
                if words.is_some() || signature.is_some() {
                    deltas.push(thought(words.unwrap_or_default(), signature, number));
                }
                Block::Thinking(number)
            }
            "redacted_thinking" => {
                let data = required(&fields, "data", path, "a text")?;
                let detail = thinking::redacted(data, self.counts.thought());
                deltas.push(Delta::Reasoning {
                    choice: 0,
                    text: String::new(),
                    detail: Some(detail),
                });
                Block::Redacted
            }
            "tool_use" => {
                let number = self.counts.call();
                deltas.push(Delta::ToolCall {
                    choice: 0,
                    index: number,
                    id: Some(required(&fields, "id", path, "the call's id")?),
                    name: Some(required(&fields, "name", path, "the tool's name")?),
                    arguments: String::new(),
                });
                let input = present(&fields, "input").map_or("{}", RawValue::get).to_owned();
                Block::Call { number, input: Some(input) }
            }
            _ => {
                let kept = fields.0.iter().map(|(key, value)| (key.to_string(), keep(value)));
                Block::Other(Assembly { kind, fields: kept.collect(), input: String::new() })
            }
        };
        // What a hook sees later must not reach a client now.
        let keeps_source = match &block {
            Block::Other(_) => false,
            Block::Call { input, .. } => input.as_deref() == Some("{}"),
            Block::Text | Block::Thinking(_) | Block::Redacted => true,
        };
        self.open.retain(|(known, _)| *known != index);
        self.open.push((index, block));
        Ok(keeps_source)
    }

    /// Whether the event may go through as it is.
    fn block_delta(
        &mut self,
        frame: &Frame<'_>,
        deltas: &mut Vec<Delta>,
    ) -> Result<bool, ReadError> {
        let index = frame.index.unwrap_or(0);
        let value = frame.delta.ok_or_else(|| ReadError::new("delta", "an object", "nothing"))?;
        let piece: Piece<'_> = read(value, "delta", "a block's delta (an object)")?;
        let open = self.open.iter_mut().find(|(known, _)| *known == index);
        let block = open.map(|(_, block)| block);
        if let Some(Block::Other(assembly)) = block {
            assembly.add(value, piece)?;
            return Ok(false);
        }
        deltas.push(match (piece.kind.as_str(), block) {
            ("text_delta", _) => Delta::Text { choice: 0, text: piece.text.unwrap_or_default() },
            ("thinking_delta", Some(Block::Thinking(number))) => {
                thought(piece.thinking.unwrap_or_default(), None, *number)
            }
            ("signature_delta", Some(Block::Thinking(number))) => {
                thought(String::new(), piece.signature, *number)
            }
            ("input_json_delta", Some(Block::Call { number, input })) => {
                let arguments = piece.partial_json.unwrap_or_default();
                if !arguments.is_empty() {
                    *input = None;
                }
                Delta::ToolCall { choice: 0, index: *number, id: None, name: None, arguments }
            }
            ("citations_delta", _) if piece.citation.is_some() => {
                piece.citation.map(citation).unwrap_or_else(|| unknown_piece(value))
            }
            _ => unknown_piece(value),
        });
        Ok(true)
    }

    /// Whether the event may go through as it is.
    fn block_stop(&mut self, index: Option<u64>, deltas: &mut Vec<Delta>) -> bool {
        let index = index.unwrap_or(0);
        let Some(position) = self.open.iter().position(|(known, _)| *known == index) else {
            return true;
        };
        let (_, block) = self.open.remove(position);
        let keeps_source = !matches!(block, Block::Other(_));
        deltas.extend(block.close());
        keeps_source
    }

    fn message_delta(
        &mut self,
        frame: &Frame<'_>,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        // A block whose end was left out still has to be told whole.
        for (_, block) in self.open.drain(..) {
            deltas.extend(block.close());
        }
        let fields = match frame.delta.filter(|delta| delta.get() != "null") {
            Some(delta) => read(delta, "delta", "an object")?,
            None => Object::default(),
        };
        let rest = fields.0.iter().map(|(key, value)| (key.as_ref(), *value));
        let rest = rest.chain(frame.context_management.map(|it| ("context_management", it)));
        let mut rest =
            rest.filter(|(key, value)| *key != "stop_reason" && value.get() != "null").peekable();
        if rest.peek().is_some() {
            let json = object(|writer| rest.for_each(|(key, value)| writer.raw(key, value.get())));
            push_ending(json, deltas);
        }
        if let Some(usage) = frame.usage.filter(|usage| usage.get() != "null") {
            push_usage(usage, &mut self.meter, deltas);
        }
        deltas.extend(text_of(&fields, "stop_reason").map(finish));
        Ok(())
    }
}

/// A block that is open.
#[derive(Debug)]
enum Block {
    Text,
    Thinking(u32),
    Redacted,
    /// `input` is what stood at the start, until a piece takes its place.
    Call {
        number: u16,
        input: Option<String>,
    },
    Other(Assembly),
}

impl Block {
    /// What is still to be said when the block ends.
    fn close(self) -> Option<Delta> {
        match self {
            Self::Text | Self::Thinking(_) | Self::Redacted | Self::Call { input: None, .. } => {
                None
            }
            // Arguments are JSON in the end, also of a call without any.
            Self::Call { number, input: Some(arguments) } => {
                Some(Delta::ToolCall { choice: 0, index: number, id: None, name: None, arguments })
            }
            Self::Other(assembly) => Some(assembly.close()),
        }
    }
}

/// A block without canonical form, as far as it came.
#[derive(Debug)]
struct Assembly {
    kind: String,
    fields: Vec<(String, Json)>,
    input: String,
}

impl Assembly {
    /// Adds a piece: the input's JSON, a citation, or texts that continue the fields of their
    /// name.
    fn add(&mut self, value: &RawValue, piece: Piece<'_>) -> Result<(), ReadError> {
        if let Some(partial) = piece.partial_json {
            self.input.push_str(&partial);
            return Ok(());
        }
        let fields: Object<'_> = read(value, "delta", "an object")?;
        for (key, value) in fields.0.iter().filter(|(key, _)| key != "type") {
            match key.as_ref() {
                "citation" => self.append("citations", value),
                key => self.extend(key, value),
            }
        }
        Ok(())
    }

    fn append(&mut self, key: &str, item: &RawValue) {
        let items = self.fields.iter().find(|(known, _)| known == key);
        let mut items: Vec<Json> =
            items.and_then(|(_, items)| items.read().ok()).unwrap_or_default();
        items.push(keep(item));
        self.set(key, Json::of(&items));
    }

    fn extend(&mut self, key: &str, value: &RawValue) {
        let before = self.fields.iter().find(|(known, _)| known == key);
        let before = before.and_then(|(_, before)| before.read::<String>().ok());
        let more = serde_json::from_str::<String>(value.get()).ok();
        match (before, more) {
            (Some(before), Some(more)) => self.set(key, Json::of(&(before + &more))),
            // `null` says nothing new.
            _ if value.get() == "null" => {}
            _ => self.set(key, keep(value)),
        }
    }

    fn set(&mut self, key: &str, value: Json) {
        match self.fields.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = value,
            None => self.fields.push((key.to_owned(), value)),
        }
    }

    fn close(mut self) -> Delta {
        if !self.input.trim().is_empty() {
            let input = Json::parse(input_of(&self.input)).unwrap_or_else(|_| Json::null());
            self.set("input", input);
        }
        let json = object(|writer| {
            self.fields.iter().for_each(|(key, value)| writer.raw(key, value.as_str()));
        });
        other_block(&self.kind, json)
    }
}

fn thought(text: String, signature: Option<String>, number: u32) -> Delta {
    Delta::Reasoning { choice: 0, text, detail: Some(thinking::thinking(signature, number)) }
}

fn unknown_piece(value: &RawValue) -> Delta {
    Delta::Other { choice: Some(0), kind: OTHER_DELTA.to_owned(), json: keep(value) }
}

fn upstream_error(frame: &Frame<'_>) -> StreamError {
    let failure = frame.error.and_then(|error| error::read_failure(error, None));
    StreamError::Upstream(failure.unwrap_or_else(|| {
        Failure::new(ErrorType::ProviderUnavailable, "the provider failed without saying why")
    }))
}

/// The outer fields of every event.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    index: Option<u64>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    content_block: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    context_management: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl<'a> Frame<'a> {
    fn required(&self, path: &str, value: Option<&'a RawValue>) -> Result<Object<'a>, ReadError> {
        let value = value.ok_or_else(|| ReadError::new(path, "an object", "nothing"))?;
        read(value, path, "an object")
    }
}

/// A block's delta, of every known kind.
#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(rename = "type", default)]
    kind: String,
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    partial_json: Option<String>,
    #[serde(borrow)]
    citation: Option<&'a RawValue>,
}
