//! Lays a conversation out as turns and writes it. Laying out refuses what the dialect can't say;
//! writing then can't fail.
//!
//! Leading system messages become `system`. A later one stays in its place as a user's turn:
//! moved to the front it would speak of what has not happened yet, and void the prompt cache.

use super::model::Family;
use super::thought::{self, Piece};
use super::write_request::{is_system, refuse};
use super::{NAME, cache, media};
use crate::chunk::{ReasoningDetail, ReasoningKind, Role};
use crate::dialects::anthropic_messages::thinking;
use crate::error::WriteError;
use crate::json::Json;
use crate::json_text::{ObjectWriter, input_of, object, write_array};
use crate::request::{Content, Media, Message, Part, Request};

/// A conversation in the dialect's order.
#[derive(Debug)]
pub(super) struct Layout {
    /// The blocks of `system`.
    pub(super) system: Vec<Block>,
    /// Whether tools were called or answered; Bedrock then demands tools.
    pub(super) has_tools: bool,
    turns: Vec<Turn>,
}

/// Everything that one side says before the other speaks.
#[derive(Debug)]
struct Turn {
    is_assistant: bool,
    blocks: Vec<Block>,
}

/// A block that is ready to write, and the cache point after it.
#[derive(Debug)]
pub(super) struct Block {
    kind: Kind,
    json: Json,
    cache_point: Option<Json>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Call,
    Result,
    Raw,
    Other,
}

impl Layout {
    /// Lays the messages out.
    ///
    /// # Errors
    /// Names what the dialect can't carry, and the message it stands in.
    pub(super) fn of(request: &Request, family: Family) -> Result<Self, WriteError> {
        let messages = &request.messages;
        let leading = messages.iter().take_while(|message| is_system(message.role)).count();
        // The dialect wants at least one turn: instructions alone are asked as a question.
        let leading = if leading == messages.len() { leading.saturating_sub(1) } else { leading };
        let mut layout = Self { system: Vec::new(), has_tools: false, turns: Vec::new() };
        let mut names = Vec::new();
        for (position, message) in messages.iter().enumerate() {
            let is_last = position.saturating_add(1) == messages.len();
            let place = Place { message, position, family, is_last };
            let blocks = place.blocks(&mut names)?;
            if position >= leading {
                layout.add(message.role == Role::Assistant, blocks);
            } else if blocks.iter().all(|block| matches!(block.kind, Kind::Text | Kind::Raw)) {
                layout.system.extend(blocks);
            } else {
                let what = format!("anything but text in the system messages[{position}]");
                return Err(refuse(&what));
            }
        }
        for turn in layout.turns.iter_mut().filter(|turn| !turn.is_assistant) {
            // Results stand before words, as Claude wants them. The sort is stable.
            turn.blocks.sort_by_key(|block| block.kind != Kind::Result);
        }
        let trailing = cache::write(request.service.cache_control.as_ref(), family);
        let last = layout.turns.last_mut().and_then(|turn| turn.blocks.last_mut());
        if let Some(last) = last {
            last.cache_point = last.cache_point.take().or(trailing);
        }
        Ok(layout)
    }

    fn add(&mut self, is_assistant: bool, blocks: Vec<Block>) {
        if blocks.is_empty() {
            return;
        }
        self.has_tools |= blocks.iter().any(|it| matches!(it.kind, Kind::Call | Kind::Result));
        match self.turns.last_mut() {
            Some(turn) if turn.is_assistant == is_assistant => turn.blocks.extend(blocks),
            _ => self.turns.push(Turn { is_assistant, blocks }),
        }
    }

    /// Writes `system`.
    pub(super) fn write_system(&self, out: &mut Vec<u8>) {
        write_blocks(out, &self.system);
    }

    /// Writes `messages`.
    pub(super) fn write_messages(&self, out: &mut Vec<u8>) {
        write_array(out, &self.turns, |out, turn| {
            let mut writer = ObjectWriter::open(out);
            writer.field("role", if turn.is_assistant { "assistant" } else { "user" });
            write_blocks(writer.key("content"), &turn.blocks);
            writer.close();
        });
    }
}

fn write_blocks(out: &mut Vec<u8>, blocks: &[Block]) {
    let all =
        blocks.iter().flat_map(|block| std::iter::once(&block.json).chain(&block.cache_point));
    write_array(out, all, |out, json| out.extend_from_slice(json.as_str().as_bytes()));
}

/// Where a part stands, for what may stand there and for errors.
struct Place<'a> {
    message: &'a Message,
    position: usize,
    family: Family,
    is_last: bool,
}

impl Place<'_> {
    fn blocks(&self, names: &mut Vec<String>) -> Result<Vec<Block>, WriteError> {
        let mut blocks: Vec<Block> = Vec::with_capacity(self.message.parts.len());
        let mut thought = Thought::default();
        // OpenRouter's rule for models that know no names.
        let is_user = self.message.role == Role::User;
        let mut name = self.message.name.as_deref().filter(|_| is_user);
        let last_part = self.message.parts.len().saturating_sub(1);
        for (number, part) in self.message.parts.iter().enumerate() {
            if let Content::Reasoning { text, detail } = &part.content {
                blocks.extend(thought.take(text, detail.as_ref()));
                continue;
            }
            thought = Thought::default();
            // What the model is to continue may not end in white space.
            let is_prefix = self.is_last && number == last_part && self.is_assistant();
            let found = match &part.content {
                Content::Text(text) | Content::Refusal(text) => {
                    let text = if is_prefix { text.trim_end() } else { text };
                    text_block(text, name.take())
                }
                content => self.block(content, names)?,
            };
            let Some((kind, json)) = found else { continue };
            let mark = part.cache_control.as_ref().or_else(|| inner_mark(&part.content));
            blocks.push(Block { kind, json, cache_point: cache::write(mark, self.family) });
        }
        Ok(blocks)
    }

    fn is_assistant(&self) -> bool {
        self.message.role == Role::Assistant
    }

    fn block(
        &self,
        content: &Content,
        names: &mut Vec<String>,
    ) -> Result<Option<(Kind, Json)>, WriteError> {
        Ok(match content {
            Content::Text(text) | Content::Refusal(text) => text_block(text, None),
            // A picture that another model made: models take media from users only.
            Content::Media(_) if self.is_assistant() => None,
            Content::Media(media) => Some((Kind::Other, self.media(media, names)?)),
            Content::ToolCall { id, name, arguments } => {
                let call = object(|writer| {
                    writer.field("toolUseId", &call_id(id));
                    writer.field("name", name);
                    writer.raw("input", &input_of(arguments));
                });
                Some((Kind::Call, object(|writer| writer.field("toolUse", &call))))
            }
            Content::ToolResult { call_id: id, parts, is_error } => {
                let blocks = self.result(parts, names)?;
                let result = object(|writer| {
                    writer.field("toolUseId", &call_id(id));
                    writer.field("content", &blocks);
                    if *is_error {
                        writer.field("status", "error");
                    }
                });
                Some((Kind::Result, object(|writer| writer.field("toolResult", &result))))
            }
            Content::Reasoning { .. } => None,
            Content::Other(other) if other.dialect == NAME => Some((Kind::Raw, other.json.clone())),
            // What another model added to its turn is history; what a client asks is not.
            Content::Other(_) if self.is_assistant() => None,
            Content::Other(other) => {
                return Err(self.refuse(&format!("a part of {}", other.dialect)));
            }
        })
    }

    fn result(&self, parts: &[Part], names: &mut Vec<String>) -> Result<Vec<Json>, WriteError> {
        let mut blocks = Vec::with_capacity(parts.len());
        for part in parts {
            blocks.extend(self.block(&part.content, names)?.map(|(_, json)| json));
        }
        Ok(blocks)
    }

    fn media(&self, media: &Media, names: &mut Vec<String>) -> Result<Json, WriteError> {
        let name = media::is_document(media).then(|| free_name(media.name.as_deref(), names));
        let (key, block) = media::write(media, name).map_err(|what| self.refuse(&what))?;
        Ok(object(|writer| writer.field(key, &block)))
    }

    fn refuse(&self, what: &str) -> WriteError {
        refuse(&format!("{what} in messages[{}]", self.position))
    }
}

/// A text; none without a visible character, which Bedrock refuses.
fn text_block(text: &str, name: Option<&str>) -> Option<(Kind, Json)> {
    if text.trim().is_empty() {
        return None;
    }
    Some((
        Kind::Text,
        object(|writer| match name {
            Some(name) => writer.field("text", &format!("{name}: {text}")),
            None => writer.field("text", text),
        }),
    ))
}

/// The mark on a part of a result, which has no cache points of its own.
fn inner_mark(content: &Content) -> Option<&Json> {
    match content {
        Content::ToolResult { parts, .. } => {
            parts.iter().rev().find_map(|part| part.cache_control.as_ref())
        }
        _ => None,
    }
}

/// A document's name: Bedrock demands one, and no two alike. It follows from the documents before
/// alone, so that the beginning of a conversation stays the same as it grows.
fn free_name<'a>(name: Option<&str>, names: &'a mut Vec<String>) -> &'a str {
    let fit = name.map(media::fit_name).filter(|name| !name.is_empty());
    let base = fit.unwrap_or_else(|| "document".to_owned());
    let is_free = |name: &String| !names.contains(name);
    let numbered = (2..=names.len().saturating_add(2)).map(|number| format!("{base} {number}"));
    let free = std::iter::once(base.clone()).chain(numbered).find(is_free).unwrap_or(base);
    names.push(free);
    names.last().map_or("document", String::as_str)
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
    fn take(&mut self, text: &str, detail: Option<&ReasoningDetail>) -> Option<Block> {
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
        let before = std::mem::take(self);
        let piece = match (detail.kind, &detail.signature, &detail.data) {
            (ReasoningKind::Text, Some(signature), _) => Piece::Text(&before.text, Some(signature)),
            (_, _, Some(data)) => Piece::Redacted(data.clone()),
            _ => return None,
        };
        Some(Block { kind: Kind::Other, json: thought::block(&piece), cache_point: None })
    }
}

/// A call's id in the alphabet and the length that Bedrock accepts; the end is what tells ids apart.
fn call_id(id: &str) -> String {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let fit: String = id.chars().map(|c| if is_fit(c) { c } else { '_' }).collect();
    let start = fit.len().saturating_sub(CALL_ID_BYTES_MAX);
    fit.get(start..).unwrap_or_default().to_owned()
}

const CALL_ID_BYTES_MAX: usize = 64;
