//! Reads a streamed reply, event by event. Every event is read into deltas, those of unknown blocks
//! whole; chunks have no source, because a payload alone does not tell its event.

use serde_json::value::RawValue;

use super::read_reply::{Counts, finish, image, push_other};
use super::{OTHER_ENDING, OTHER_EVENT, OTHER_METADATA, citation, error, usage};
use crate::chunk::{Chunk, Delta, Role};
use crate::dialect::ReadStream;
use crate::dialects::anthropic_messages::thinking;
use crate::error::{ReadError, StreamError};
use crate::json::Object;
use crate::json_text::{object, present, read, required, text_of};
use crate::sse::Event;

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    counts: Counts,
    /// The blocks that are open, by the upstream's index. Almost always at most one.
    open: Vec<(u64, Block)>,
    has_role: bool,
    has_stopped: bool,
    has_metadata: bool,
}

/// A block that is open.
#[derive(Debug)]
enum Block {
    Text,
    Thought(u32),
    /// Whether arguments came.
    Call(u16, bool),
    Image(Option<String>),
    Other,
}

impl ReadStream for Reader {
    fn read(&mut self, event: &Event, chunks: &mut Vec<Chunk>) -> Result<(), StreamError> {
        let text = std::str::from_utf8(&event.data)
            .map_err(|_| ReadError::new("event", "UTF-8", "other bytes"))?;
        let name = event.name.as_deref().unwrap_or_default();
        if is_failure(name) {
            return Err(StreamError::Upstream(error::read_exception(name, text)));
        }
        let fields = Object::parse(text)
            .map_err(|error| ReadError::new("event", "a JSON object", error.to_string()))?;
        let mut deltas = Vec::new();
        match name {
            "messageStart" if self.has_role => {}
            "messageStart" => self.role(&mut deltas),
            "contentBlockStart" => self.start(&fields, text, &mut deltas)?,
            "contentBlockDelta" => self.delta(&fields, text, &mut deltas)?,
            "contentBlockStop" => self.stop(&fields, text, &mut deltas),
            "messageStop" => {
                self.has_stopped = true;
                let rest = fields.0.iter();
                let rest: Vec<_> =
                    rest.filter(|(key, value)| is_told(key, "stopReason", value)).collect();
                push_other(OTHER_ENDING, Some(0), &rest, &mut deltas);
                deltas.extend(text_of(&fields, "stopReason").map(finish));
            }
            "metadata" => {
                self.has_metadata = true;
                let rest: Vec<_> =
                    fields.0.iter().filter(|(key, value)| is_told(key, "", value)).collect();
                push_other(OTHER_METADATA, None, &rest, &mut deltas);
                if let Some(counts) = present(&fields, "usage") {
                    deltas.push(Delta::Usage(usage::read(counts.get())));
                }
            }
            // The protocol's own greeting.
            "initial-response" => {}
            _ => deltas.push(other(name, text)),
        }
        if !deltas.is_empty() {
            chunks.push(Chunk::of(deltas));
        }
        Ok(())
    }

    // The metadata follow the end, though some that imitate the dialect send them before.
    fn is_done(&self) -> bool {
        self.has_stopped && self.has_metadata
    }
}

impl Reader {
    fn role(&mut self, deltas: &mut Vec<Delta>) {
        self.has_role = true;
        deltas.push(Delta::Role { choice: 0, role: Role::Assistant });
    }

    fn start(
        &mut self,
        fields: &Object<'_>,
        text: &str,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        let path = "contentBlockStart.start";
        let start: Object<'_> = required(fields, "start", "contentBlockStart", "an object")?;
        let call = match present(&start, "toolUse") {
            Some(call) => {
                Some(read::<Object<'_>>(call, "contentBlockStart.start.toolUse", "an object")?)
            }
            None => None,
        };
        // A call of a kind is answered by the provider.
        let block = match call.filter(|call| present(call, "type").is_none()) {
            Some(call) => {
                let path = format!("{path}.toolUse");
                let number = self.counts.call();
                deltas.push(Delta::ToolCall {
                    choice: 0,
                    index: number,
                    id: Some(required(&call, "toolUseId", &path, "the call's id")?),
                    name: Some(required(&call, "name", &path, "the tool's name")?),
                    arguments: String::new(),
                });
                Block::Call(number, false)
            }
            None => match present(&start, "image") {
                Some(image) => Block::Image(
                    Object::parse(image.get()).ok().and_then(|image| text_of(&image, "format")),
                ),
                // Models that announce a block of text say nothing of it.
                None if start.0.is_empty() || present(&start, "text").is_some() => Block::Text,
                None => {
                    deltas.push(other("contentBlockStart", text));
                    Block::Other
                }
            },
        };
        let index = index_of(fields);
        self.open.retain(|(known, _)| *known != index);
        self.open.push((index, block));
        Ok(())
    }

    fn delta(
        &mut self,
        fields: &Object<'_>,
        text: &str,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        let delta: Object<'_> = required(fields, "delta", "contentBlockDelta", "an object")?;
        let mut index = index_of(fields);
        let is_known = |index| self.open.iter().any(|(known, _)| *known == index);
        if !is_known(index)
            && present(&delta, "toolUse").is_some()
            && let Some((call, _)) =
                self.open.iter().rfind(|(_, block)| matches!(block, Block::Call(..)))
        {
            // Arguments without a call of their own are those of the last one.
            index = *call;
        } else if !is_known(index) {
            // Only calls are announced.
            let block = match present(&delta, "reasoningContent") {
                Some(_) => Block::Thought(self.counts.thought()),
                None => Block::Text,
            };
            self.open.push((index, block));
        }
        let open = self.open.iter_mut().find(|(known, _)| *known == index);
        let Some((_, block)) = open else { return Ok(()) };
        let path = "contentBlockDelta.delta";
        match block {
            Block::Other => deltas.push(other("contentBlockDelta", text)),
            Block::Call(number, has_arguments) if present(&delta, "toolUse").is_some() => {
                let call: Object<'_> = required(&delta, "toolUse", path, "an object")?;
                let arguments = text_of(&call, "input").unwrap_or_default();
                *has_arguments |= !arguments.is_empty();
                deltas.push(Delta::ToolCall {
                    choice: 0,
                    index: *number,
                    id: None,
                    name: None,
                    arguments,
                });
            }
            Block::Image(format) if present(&delta, "image").is_some() => {
                let json = present(&delta, "image").and_then(|it| image(it, format.as_deref()));
                deltas.push(match json {
                    Some(json) => Delta::Image { choice: 0, json },
                    None => other("contentBlockDelta", text),
                });
            }
            Block::Thought(number) if present(&delta, "reasoningContent").is_some() => {
                let piece: Object<'_> = required(&delta, "reasoningContent", path, "an object")?;
                deltas.push(thought_piece(&piece, *number));
            }
            _ => match (present(&delta, "text"), present(&delta, "citation")) {
                (Some(words), _) => {
                    let text = read(words, "contentBlockDelta.delta.text", "a text")?;
                    deltas.push(Delta::Text { choice: 0, text });
                }
                (None, Some(cited)) => deltas.push(citation::read(cited)),
                (None, None) => deltas.push(other("contentBlockDelta", text)),
            },
        }
        Ok(())
    }

    fn stop(&mut self, fields: &Object<'_>, text: &str, deltas: &mut Vec<Delta>) {
        let index = index_of(fields);
        let Some(position) = self.open.iter().position(|(known, _)| *known == index) else {
            return;
        };
        match self.open.remove(position).1 {
            // Arguments are JSON in the end, also of a call without any.
            Block::Call(number, false) => deltas.push(Delta::ToolCall {
                choice: 0,
                index: number,
                id: None,
                name: None,
                arguments: "{}".to_owned(),
            }),
            Block::Other => deltas.push(other("contentBlockStop", text)),
            Block::Text | Block::Thought(_) | Block::Call(..) | Block::Image(_) => {}
        }
    }
}

fn thought_piece(piece: &Object<'_>, number: u32) -> Delta {
    if let Some(data) = text_of(piece, "redactedContent") {
        let detail = Some(thinking::redacted(data, number));
        return Delta::Reasoning { choice: 0, text: String::new(), detail };
    }
    let detail = Some(thinking::thinking(text_of(piece, "signature"), number));
    Delta::Reasoning { choice: 0, text: text_of(piece, "text").unwrap_or_default(), detail }
}

/// Whether an event is a failure: an exception by its name, or the protocol's own error.
fn is_failure(name: &str) -> bool {
    name.ends_with("Exception") || name.ends_with("Error") || name.ends_with("Failure")
}

/// Whether a field of an event is one to keep. `p` is padding, against guesses by length.
fn is_told(key: &str, known: &str, value: &RawValue) -> bool {
    key != known && key != "p" && value.get() != "null"
}

fn index_of(fields: &Object<'_>) -> u64 {
    let index = present(fields, "contentBlockIndex");
    index.and_then(|index| serde_json::from_str(index.get()).ok()).unwrap_or_default()
}

fn other(name: &str, text: &str) -> Delta {
    let json = object(|writer| writer.raw(name, text));
    Delta::Other { choice: Some(0), kind: OTHER_EVENT.to_owned(), json }
}
