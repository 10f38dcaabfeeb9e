//! Writes conversations. Thought goes back as a block of content to a model that thinks, and as
//! the plan of its calls to one that does not.

use super::{NAME, TOOL_PLAN};
use crate::chunk::{ReasoningDetail, ReasoningKind, Role};
use crate::error::WriteError;
use crate::json::Json;
use crate::json_text::{ObjectWriter, object, write_value};
use crate::media_url;
use crate::request::{Content, Media, MediaKind, Message, Part};

/// The messages, each as JSON. `thinks` says whether the model takes blocks of thought.
pub(super) fn messages(messages: &[Message], thinks: bool) -> Result<Vec<Json>, WriteError> {
    let mut out = Vec::with_capacity(messages.len());
    for (position, message) in messages.iter().enumerate() {
        Place { message, position, thinks }.write(&mut out)?;
    }
    Ok(out)
}

/// A message, where it stands, and what its reader takes.
struct Place<'a> {
    message: &'a Message,
    position: usize,
    thinks: bool,
}

/// A block of content.
enum Block {
    Text(String),
    Thinking(String),
    Raw(Json),
}

impl Place<'_> {
    fn write(&self, out: &mut Vec<Json>) -> Result<(), WriteError> {
        if self.message.role == Role::Assistant {
            return self.assistant(out);
        }
        let mut blocks = Vec::new();
        let mut has_result = false;
        for part in &self.message.parts {
            let Content::ToolResult { call_id, parts, .. } = &part.content else {
                blocks.extend(self.block(part)?);
                continue;
            };
            has_result = true;
            self.flush(&mut blocks, out);
            let answer = self.answer(parts)?;
            out.push(object(|writer| {
                writer.field("role", "tool");
                writer.field("tool_call_id", call_id);
                write_content(writer.key("content"), &answer);
                self.write_extra(writer);
            }));
        }
        if !has_result && blocks.is_empty() {
            blocks.push(Block::Text(String::new()));
        }
        self.flush(&mut blocks, out);
        Ok(())
    }

    fn flush(&self, blocks: &mut Vec<Block>, out: &mut Vec<Json>) {
        if blocks.is_empty() {
            return;
        }
        let role = match self.message.role {
            Role::System | Role::Developer => "system",
            Role::User | Role::Assistant | Role::Tool => "user",
        };
        // OpenRouter's rule for models that know no names.
        let name = self.message.name.as_deref().filter(|_| role == "user");
        if let (Some(name), Some(Block::Text(text))) = (name, blocks.first_mut()) {
            *text = format!("{name}: {text}");
        }
        out.push(object(|writer| {
            writer.field("role", role);
            write_content(writer.key("content"), blocks);
            self.write_extra(writer);
        }));
        blocks.clear();
    }

    fn block(&self, part: &Part) -> Result<Option<Block>, WriteError> {
        Ok(match &part.content {
            Content::Text(text) | Content::Refusal(text) if text.is_empty() => None,
            Content::Text(text) | Content::Refusal(text) => Some(Block::Text(text.clone())),
            Content::Media(media) => Some(Block::Raw(self.image(media)?)),
            Content::Other(other) if other.dialect == NAME => Some(Block::Raw(other.json.clone())),
            Content::Other(other) => {
                return Err(self.refuse(&format!("a part of {}", other.dialect)));
            }
            Content::ToolCall { .. } => return Err(self.refuse("a tool call of the user")),
            Content::ToolResult { .. } => return Err(self.refuse("a result inside of another")),
            Content::Reasoning { .. } => None,
        })
    }

    fn image(&self, media: &Media) -> Result<Json, WriteError> {
        let what = match media.kind {
            MediaKind::Image => "an uploaded image",
            MediaKind::Audio => "a recording",
            MediaKind::Video => "a video",
            MediaKind::File => "a file",
        };
        let url = Some(media).filter(|media| media.kind == MediaKind::Image);
        let url = url.and_then(|media| media_url::write(&media.data));
        let Some(url) = url else { return Err(self.refuse(what)) };
        if self.message.role != Role::User && self.message.role != Role::Tool {
            return Err(self.refuse("an image of the system"));
        }
        Ok(object(|writer| {
            writer.field("type", "image_url");
            let image = object(|writer| {
                writer.field("url", &url);
                writer.some("detail", media.detail.as_ref());
            });
            writer.field("image_url", &image);
        }))
    }

    /// What a tool answered: Cohere takes text and documents there.
    fn answer(&self, parts: &[Part]) -> Result<Vec<Block>, WriteError> {
        let mut blocks = Vec::with_capacity(parts.len());
        for part in parts {
            if let Content::Media(_) = part.content {
                return Err(self.refuse("anything but text in a tool result"));
            }
            blocks.extend(self.block(part)?);
        }
        if blocks.is_empty() {
            blocks.push(Block::Text(String::new()));
        }
        Ok(blocks)
    }

    fn assistant(&self, out: &mut Vec<Json>) -> Result<(), WriteError> {
        let mut blocks = Vec::new();
        let mut plan = String::new();
        let mut calls = Vec::new();
        for part in &self.message.parts {
            match &part.content {
                Content::Reasoning { text, detail } if !is_hidden(detail.as_ref()) => {
                    if self.thinks && !is_plan(detail.as_ref()) {
                        think(text, &mut blocks);
                    } else {
                        plan.push_str(text);
                    }
                }
                Content::ToolCall { id, name, arguments } => calls.push(call(id, name, arguments)),
                // What another model added to its turn is history; what a client asks is not.
                Content::Reasoning { .. } | Content::Media(_) => {}
                Content::Other(other) if other.dialect != NAME => {}
                _ => blocks.extend(self.block(part)?),
            }
        }
        if blocks.is_empty() && calls.is_empty() {
            return Ok(());
        }
        out.push(object(|writer| {
            writer.field("role", "assistant");
            if !plan.is_empty() && !calls.is_empty() {
                writer.field("tool_plan", &plan);
            }
            if !blocks.is_empty() {
                write_content(writer.key("content"), &blocks);
            }
            if !calls.is_empty() {
                writer.field("tool_calls", &calls);
            }
            self.write_extra(writer);
        }));
        Ok(())
    }

    fn write_extra(&self, writer: &mut ObjectWriter<'_>) {
        let fields = self.message.extra.fields_of(NAME);
        fields.iter().for_each(|(key, value)| writer.field(key, value));
    }

    fn refuse(&self, what: &str) -> WriteError {
        WriteError { dialect: NAME, what: format!("{what} in messages[{}]", self.position) }
    }
}

/// Adds thought; pieces of one thought, as a stream's client may return them, are joined.
fn think(text: &str, blocks: &mut Vec<Block>) {
    match blocks.last_mut() {
        Some(Block::Thinking(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => blocks.push(Block::Thinking(text.to_owned())),
    }
}

fn is_plan(detail: Option<&ReasoningDetail>) -> bool {
    detail.is_some_and(|detail| detail.format.as_deref() == Some(TOOL_PLAN))
}

fn is_hidden(detail: Option<&ReasoningDetail>) -> bool {
    detail.is_some_and(|detail| detail.kind == ReasoningKind::Encrypted)
}

/// A tool call as it stands in requests and replies. Arguments that are nothing are `{}`.
pub(super) fn call(id: &str, name: &str, arguments: &str) -> Json {
    object(|writer| {
        writer.field("id", id);
        writer.field("type", "function");
        let function = object(|writer| {
            writer.field("name", name);
            writer.field("arguments", if arguments.trim().is_empty() { "{}" } else { arguments });
        });
        writer.field("function", &function);
    })
}

/// A tool call that begins: its arguments follow.
pub(super) fn call_start(id: &str, name: &str) -> Json {
    object(|writer| {
        writer.field("id", id);
        writer.field("type", "function");
        let function = object(|writer| {
            writer.field("name", name);
            writer.field("arguments", "");
        });
        writer.field("function", &function);
    })
}

fn write_content(out: &mut Vec<u8>, blocks: &[Block]) {
    if let [Block::Text(text)] = blocks {
        return write_value(out, text);
    }
    let blocks: Vec<Json> = blocks
        .iter()
        .map(|block| match block {
            Block::Raw(json) => json.clone(),
            Block::Text(text) => text_block("text", text),
            Block::Thinking(text) => text_block("thinking", text),
        })
        .collect();
    write_value(out, &blocks);
}

/// A block of text or thought.
pub(super) fn text_block(kind: &str, text: &str) -> Json {
    object(|writer| {
        writer.field("type", kind);
        writer.field(kind, text);
    })
}
