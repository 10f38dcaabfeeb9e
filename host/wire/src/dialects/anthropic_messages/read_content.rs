//! Reads conversations: `system`, `messages` and their content blocks. A block that has no
//! canonical form is kept whole as `Content::Other`; `citations` of text and of documents have no
//! canonical place and survive only in `Request::source`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::json_text::{keep, present, read, required, text_of};
use super::{NAME, thinking};
use crate::chunk::Role;
use crate::error::ReadError;
use crate::json::{Extra, Object};
use crate::request::{Content, Media, MediaData, MediaKind, Message, Other, Part};
use crate::turn;

/// Reads `messages`. A user's turn is split where tool results begin and end, because canonically
/// each result is a message of its own.
pub(super) fn messages(value: &RawValue) -> Result<Vec<Message>, ReadError> {
    let items: Vec<&RawValue> = read(value, "messages", "a list of messages")?;
    if items.is_empty() {
        return Err(ReadError::new("messages", "at least one message", "an empty list"));
    }
    let mut messages = Vec::with_capacity(items.len());
    for (position, item) in items.into_iter().enumerate() {
        message(item, &format!("messages[{position}]"), &mut messages)?;
    }
    Ok(messages)
}

/// Reads `system`: one message, or none for an empty text.
pub(super) fn system(value: &RawValue) -> Result<Option<Message>, ReadError> {
    let parts = parts(value, "system")?;
    if parts.is_empty() {
        return Ok(None);
    }
    Ok(Some(Message { role: Role::System, name: None, parts, extra: Extra::default() }))
}

fn message(item: &RawValue, path: &str, messages: &mut Vec<Message>) -> Result<(), ReadError> {
    let fields: Object<'_> = read(item, path, "a message (an object)")?;
    let role: String = required(&fields, "role", path, ROLES)?;
    let role = match role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => return Err(ReadError::new(format!("{path}.role"), ROLES, other)),
    };
    let content: &RawValue = required(&fields, "content", path, CONTENT)?;
    let parts = parts(content, &format!("{path}.content"))?;
    let known = |key: &str| key == "role" || key == "content";
    let rest = fields.0.iter().filter(|(key, _)| !known(key));
    let rest: Vec<_> = rest.map(|(key, value)| (key.to_string(), keep(value))).collect();
    let dialect = if rest.is_empty() { "" } else { NAME };
    turn::push(role, parts, Extra { dialect, fields: rest }, messages);
    Ok(())
}

/// Reads content: a text, or a list of blocks.
fn parts(value: &RawValue, path: &str) -> Result<Vec<Part>, ReadError> {
    if value.get().starts_with('"') {
        let text: String = read(value, path, CONTENT)?;
        return Ok(if text.is_empty() { Vec::new() } else { vec![Part::text(text)] });
    }
    let items: Vec<&RawValue> = read(value, path, CONTENT)?;
    let mut thoughts = 0;
    let read_one = |(position, item)| block(item, &format!("{path}[{position}]"), &mut thoughts);
    items.into_iter().enumerate().map(read_one).collect()
}

fn block(item: &RawValue, path: &str, thoughts: &mut u32) -> Result<Part, ReadError> {
    let fields: Object<'_> = read(item, path, "a content block (an object)")?;
    let kind: String = required(&fields, "type", path, "the block's type")?;
    let text = |key: &str| required::<String>(&fields, key, path, "a text");
    let content = match kind.as_str() {
        "text" => Content::Text(text("text")?),
        "image" => media(&fields, MediaKind::Image, path)?.unwrap_or_else(|| other(item)),
        "document" => media(&fields, MediaKind::File, path)?.unwrap_or_else(|| other(item)),
        "tool_use" => Content::ToolCall {
            id: text("id")?,
            name: text("name")?,
            arguments: arguments(&fields, path)?,
        },
        "tool_result" => tool_result(&fields, path)?,
        "thinking" => {
            let detail = thinking::thinking(text_of(&fields, "signature"), next(thoughts));
            Content::Reasoning { text: text("thinking")?, detail: Some(detail) }
        }
        "redacted_thinking" => {
            let detail = thinking::redacted(text("data")?, next(thoughts));
            Content::Reasoning { text: String::new(), detail: Some(detail) }
        }
        _ => other(item),
    };
    let is_other = matches!(content, Content::Other(_));
    let cache_control = present(&fields, "cache_control").filter(|_| !is_other).map(keep);
    Ok(Part { content, cache_control })
}

fn next(count: &mut u32) -> u32 {
    let index = *count;
    *count = count.saturating_add(1);
    index
}

fn other(item: &RawValue) -> Content {
    Content::Other(Other { dialect: NAME, json: keep(item) })
}

fn arguments(fields: &Object<'_>, path: &str) -> Result<String, ReadError> {
    let Some(input) = present(fields, "input") else { return Ok("{}".to_owned()) };
    if !input.get().starts_with('{') {
        let found = super::json_text::shorten(input.get());
        return Err(ReadError::new(format!("{path}.input"), "an object", found));
    }
    Ok(input.get().to_owned())
}

fn tool_result(fields: &Object<'_>, path: &str) -> Result<Content, ReadError> {
    let inner = present(fields, "content");
    let is_error = present(fields, "is_error");
    Ok(Content::ToolResult {
        call_id: required(fields, "tool_use_id", path, "the id of a tool_use block")?,
        parts: inner.map_or(Ok(Vec::new()), |value| parts(value, &format!("{path}.content")))?,
        is_error: is_error
            .map_or(Ok(false), |value| read(value, &format!("{path}.is_error"), "true or false"))?,
    })
}

/// An image or a document; `None` for a source that has no canonical form (blocks of text).
fn media(fields: &Object<'_>, kind: MediaKind, path: &str) -> Result<Option<Content>, ReadError> {
    let path = format!("{path}.source");
    let Some(source) = present(fields, "source") else {
        return Err(ReadError::new(path, SOURCE, "nothing"));
    };
    let source: Object<'_> = read(source, &path, SOURCE)?;
    let form: String = required(&source, "type", &path, SOURCE)?;
    let text = |key: &str| required::<String>(&source, key, &path, "a text");
    let data = match form.as_str() {
        "url" => MediaData::Url(text("url")?),
        "file" => MediaData::Id(text("file_id")?),
        "base64" => MediaData::Inline { mime: text("media_type")?, base64: text("data")? },
        "text" => MediaData::Inline {
            mime: text_of(&source, "media_type").unwrap_or_else(|| "text/plain".to_owned()),
            base64: STANDARD.encode(text("data")?),
        },
        _ => return Ok(None),
    };
    Ok(Some(Content::Media(Media { kind, data, name: text_of(fields, "title"), detail: None })))
}

const ROLES: &str = "`user`, `assistant` or `system`";
const CONTENT: &str = "a text or a list of content blocks";
const SOURCE: &str = "a source of type `base64`, `url`, `file` or `text`";
