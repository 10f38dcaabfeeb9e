//! Lays a conversation out as turns and writes it. Laying out refuses what the dialect can't say;
//! writing then can't fail.
//!
//! Leading system messages become `system`. A later one stays in its place as a user's turn:
//! moved to the front it would speak of what has not happened yet, and void the prompt cache.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::json_text::{ObjectWriter, input_of, object, write_array, write_value};
use super::{NAME, thinking};
use crate::chunk::{ReasoningDetail, ReasoningKind, Role};
use crate::error::WriteError;
use crate::json::Json;
use crate::request::{Content, Media, MediaData, MediaKind, Message, Part};

/// A conversation in the dialect's order.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    /// The blocks of `system`.
    pub(super) system: Vec<Block<'a>>,
    /// Turns of alternating roles.
    pub(super) turns: Vec<Turn<'a>>,
}

/// Everything that one side says before the other speaks.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    is_assistant: bool,
    blocks: Vec<Block<'a>>,
}

impl<'a> Layout<'a> {
    /// Lays the messages out.
    pub(super) fn of(messages: &'a [Message]) -> Result<Self, WriteError> {
        let is_system = |message: &&Message| matches!(message.role, Role::System | Role::Developer);
        let leading = messages.iter().take_while(is_system).count();
        // The dialect wants at least one turn: instructions alone are asked as a question.
        let leading = if leading == messages.len() { leading.saturating_sub(1) } else { leading };
        let mut layout = Self { system: Vec::new(), turns: Vec::new() };
        for (position, message) in messages.iter().enumerate() {
            let blocks = blocks_of(message, position)?;
            if position >= leading {
                layout.add(message.role == Role::Assistant, blocks);
                continue;
            }
            let is_fit = |block: &Block<'_>| matches!(block.body, Body::Text(_) | Body::Raw(_));
            if !blocks.iter().all(is_fit) {
                return Err(refuse(format!(
                    "anything but text in the system messages[{position}]"
                )));
            }
            layout.system.extend(blocks);
        }
        layout.tidy();
        Ok(layout)
    }

    fn add(&mut self, is_assistant: bool, blocks: Vec<Block<'a>>) {
        if blocks.is_empty() {
            return;
        }
        match self.turns.last_mut() {
            Some(turn) if turn.is_assistant == is_assistant => turn.blocks.extend(blocks),
            _ => self.turns.push(Turn { is_assistant, blocks }),
        }
    }

    fn tidy(&mut self) {
        for turn in self.turns.iter_mut().filter(|turn| !turn.is_assistant) {
            // Results stand before words, or Anthropic misses them. The sort is stable.
            turn.blocks.sort_by_key(|block| !matches!(block.body, Body::ToolResult { .. }));
        }
        // What the model is to continue may not end in white space.
        let last = self.turns.last_mut().filter(|turn| turn.is_assistant);
        if let Some(Body::Text(text)) =
            last.and_then(|turn| turn.blocks.last_mut()).map(|b| &mut b.body)
        {
            *text = text.trim_end().to_owned().into();
        }
    }

    /// Writes `system`: a text where that says it all, else blocks.
    pub(super) fn write_system(&self, out: &mut Vec<u8>) {
        write_content(out, &self.system);
    }

    /// Writes `messages`.
    pub(super) fn write_messages(&self, out: &mut Vec<u8>) {
        write_array(out, &self.turns, |out, turn| {
            let mut writer = ObjectWriter::open(out);
            writer.field("role", if turn.is_assistant { "assistant" } else { "user" });
            write_content(writer.key("content"), &turn.blocks);
            writer.close();
        });
    }
}

/// A content block that is ready to write.
#[derive(Debug)]
pub(super) struct Block<'a> {
    body: Body<'a>,
    cache_control: Option<&'a Json>,
}

#[derive(Debug)]
enum Body<'a> {
    Text(Cow<'a, str>),
    Thinking { text: String, signature: &'a str },
    Redacted(&'a str),
    Media { kind: &'static str, source: Json, title: Option<&'a str> },
    ToolCall { id: &'a str, name: &'a str, arguments: &'a str },
    ToolResult { call_id: &'a str, blocks: Vec<Block<'a>>, is_error: bool },
    Raw(&'a Json),
}

fn blocks_of(message: &Message, position: usize) -> Result<Vec<Block<'_>>, WriteError> {
    let mut blocks: Vec<Block<'_>> = Vec::with_capacity(message.parts.len());
    let mut thought = Thought::default();
    for part in &message.parts {
        if let Content::Reasoning { text, detail } = &part.content {
            blocks.extend(thought.take(text, detail.as_ref()));
            continue;
        }
        thought = Thought::default();
        let place = Place { role: message.role, position };
        if let Some(body) = place.body(&part.content)? {
            blocks.push(Block { body, cache_control: part.cache_control.as_ref() });
        }
    }
    // OpenRouter's rule for models that know no names.
    let named = message.name.as_deref().filter(|_| message.role == Role::User);
    let first = blocks.iter_mut().find_map(|block| match &mut block.body {
        Body::Text(text) => Some(text),
        _ => None,
    });
    if let (Some(name), Some(text)) = (named, first) {
        *text = format!("{name}: {text}").into();
    }
    Ok(blocks)
}

/// Joins the pieces of one block of thought: clients may return them as they were streamed, the
/// signature in a piece of its own.
#[derive(Default)]
struct Thought {
    text: String,
    index: Option<u32>,
    format: Option<String>,
}

impl Thought {
    fn take<'a>(&mut self, text: &str, detail: Option<&'a ReasoningDetail>) -> Option<Block<'a>> {
        let detail = detail?;
        if self.index != detail.index || self.format != detail.format {
            let format = detail.format.clone();
            *self = Self { text: String::new(), index: detail.index, format };
        }
        if detail.kind == ReasoningKind::Text {
            self.text.push_str(text);
        }
        if !thinking::is_claudes(Some(detail)) {
            return None;
        }
        let body = match (detail.kind, &detail.signature, &detail.data) {
            (ReasoningKind::Text, Some(signature), _) => {
                Body::Thinking { text: std::mem::take(&mut self.text), signature }
            }
            (_, _, Some(data)) => Body::Redacted(data),
            _ => return None,
        };
        *self = Self::default();
        Some(Block { body, cache_control: None })
    }
}

/// Where a part stands, for what may stand there and for errors.
struct Place {
    role: Role,
    position: usize,
}

impl Place {
    fn body<'a>(&self, content: &'a Content) -> Result<Option<Body<'a>>, WriteError> {
        Ok(match content {
            // Anthropic refuses text without a visible character.
            Content::Text(text) | Content::Refusal(text) if text.trim().is_empty() => None,
            Content::Text(text) | Content::Refusal(text) => Some(Body::Text(text.into())),
            // A picture that another model made: Anthropic takes media from users only.
            Content::Media(_) if self.role == Role::Assistant => None,
            Content::Media(media) => Some(self.media(media)?),
            Content::ToolCall { id, name, arguments } => {
                Some(Body::ToolCall { id, name, arguments })
            }
            Content::ToolResult { call_id, parts, is_error } => {
                let blocks = self.result(parts)?;
                Some(Body::ToolResult { call_id, blocks, is_error: *is_error })
            }
            Content::Reasoning { .. } => None,
            Content::Other(other) if other.dialect == NAME => Some(Body::Raw(&other.json)),
            // What another model added to its turn is history; what a client asks is not.
            Content::Other(_) if self.role == Role::Assistant => None,
            Content::Other(other) => {
                return Err(self.refuse(&format!("a part of {}", other.dialect)));
            }
        })
    }

    fn result<'a>(&self, parts: &'a [Part]) -> Result<Vec<Block<'a>>, WriteError> {
        let mut blocks = Vec::with_capacity(parts.len());
        for part in parts {
            if let Some(body) = self.body(&part.content)? {
                blocks.push(Block { body, cache_control: part.cache_control.as_ref() });
            }
        }
        Ok(blocks)
    }

    fn media<'a>(&self, media: &'a Media) -> Result<Body<'a>, WriteError> {
        let mime = match &media.data {
            MediaData::Inline { mime, .. } => mime.as_str(),
            MediaData::Url(_) | MediaData::Id(_) => "",
        };
        let kind = match media.kind {
            MediaKind::Image => "image",
            MediaKind::File if mime.starts_with("image/") => "image",
            MediaKind::File => "document",
            MediaKind::Audio => return Err(self.refuse("a recording")),
            MediaKind::Video => return Err(self.refuse("a video")),
        };
        let is_document = kind == "document";
        let source = self.source(&media.data, is_document)?;
        Ok(Body::Media { kind, source, title: media.name.as_deref().filter(|_| is_document) })
    }

    fn source(&self, data: &MediaData, is_document: bool) -> Result<Json, WriteError> {
        Ok(match data {
            MediaData::Url(url) => object(|writer| {
                writer.field("type", "url");
                writer.field("url", url);
            }),
            MediaData::Id(id) => object(|writer| {
                writer.field("type", "file");
                writer.field("file_id", id);
            }),
            MediaData::Inline { mime, base64 } if is_document && is_text(mime) => {
                let text = STANDARD.decode(base64).ok().and_then(|it| String::from_utf8(it).ok());
                let text = text.ok_or_else(|| self.refuse("a text file that is not UTF-8"))?;
                object(|writer| {
                    writer.field("type", "text");
                    writer.field("media_type", "text/plain");
                    writer.field("data", &text);
                })
            }
            MediaData::Inline { mime, .. } if is_document && mime != "application/pdf" => {
                return Err(self.refuse(&format!("a file of type {mime}")));
            }
            MediaData::Inline { mime, base64 } => object(|writer| {
                writer.field("type", "base64");
                writer.field("media_type", mime);
                writer.field("data", base64);
            }),
        })
    }

    fn refuse(&self, what: &str) -> WriteError {
        refuse(format!("{what} in messages[{}]", self.position))
    }
}

fn write_content(out: &mut Vec<u8>, blocks: &[Block<'_>]) {
    match blocks {
        [Block { body: Body::Text(text), cache_control: None }] => write_value(out, text),
        _ => write_array(out, blocks, write_block),
    }
}

fn write_block(out: &mut Vec<u8>, block: &Block<'_>) {
    if let Body::Raw(json) = &block.body {
        return out.extend_from_slice(json.as_str().as_bytes());
    }
    let mut writer = ObjectWriter::open(out);
    match &block.body {
        Body::Text(text) => {
            writer.field("type", "text");
            writer.field("text", text);
        }
        Body::Thinking { text, signature } => {
            writer.field("type", "thinking");
            writer.field("thinking", text);
            writer.field("signature", signature);
        }
        Body::Redacted(data) => {
            writer.field("type", "redacted_thinking");
            writer.field("data", data);
        }
        Body::Media { kind, source, title } => {
            writer.field("type", kind);
            writer.field("source", source);
            writer.some("title", title.as_ref());
        }
        Body::ToolCall { id, name, arguments } => {
            writer.field("type", "tool_use");
            writer.field("id", &call_id(id));
            writer.field("name", name);
            writer.raw("input", &input_of(arguments));
        }
        Body::ToolResult { call_id: id, blocks, is_error } => {
            writer.field("type", "tool_result");
            writer.field("tool_use_id", &call_id(id));
            if !blocks.is_empty() {
                write_content(writer.key("content"), blocks);
            }
            if *is_error {
                writer.field("is_error", is_error);
            }
        }
        Body::Raw(_) => {}
    }
    writer.some("cache_control", block.cache_control);
    writer.close();
}

/// A call's id in the alphabet that Anthropic accepts; other models name calls more freely.
fn call_id(id: &str) -> String {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    id.chars().map(|c| if is_fit(c) { c } else { '_' }).collect()
}

fn is_text(mime: &str) -> bool {
    mime.starts_with("text/") || mime == "application/json"
}

fn refuse(what: String) -> WriteError {
    WriteError { dialect: NAME, what }
}
