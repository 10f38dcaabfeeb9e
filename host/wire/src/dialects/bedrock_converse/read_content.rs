//! Reads conversations: `system`, `messages` and their content blocks. A block that has no
//! canonical form is kept whole as `Content::Other`; the citations of an earlier answer have no
//! canonical place and survive only in `Request::source`.

use serde_json::value::RawValue;

use super::{NAME, cache, media, thought};
use crate::chunk::Role;
use crate::error::ReadError;
use crate::json::{Extra, Object};
use crate::json_text::{keep, present, read, required, shorten, text_of};
use crate::request::{Content, Message, Other, Part};
use crate::turn;

/// Reads `messages`. A user's turn is split where tool results begin and end, because canonically
/// each result is a message of its own.
pub(super) fn messages(value: &RawValue) -> Result<Vec<Message>, ReadError> {
    let items: Vec<&RawValue> = read(value, "messages", "a list of messages")?;
    let mut messages = Vec::with_capacity(items.len());
    for (position, item) in items.into_iter().enumerate() {
        message(item, &format!("messages[{position}]"), &mut messages)?;
    }
    Ok(messages)
}

/// Reads `system`: one message, or none for an empty list.
pub(super) fn system(value: &RawValue) -> Result<Option<Message>, ReadError> {
    let parts = parts(value, "system")?;
    let message =
        |parts| Message { role: Role::System, name: None, parts, extra: Extra::default() };
    Ok((!parts.is_empty()).then(|| message(parts)))
}

fn message(item: &RawValue, path: &str, messages: &mut Vec<Message>) -> Result<(), ReadError> {
    let fields: Object<'_> = read(item, path, "a message (an object)")?;
    let role: String = required(&fields, "role", path, ROLES)?;
    let role = match role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => return Err(ReadError::new(format!("{path}.role"), ROLES, shorten(other))),
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

fn parts(value: &RawValue, path: &str) -> Result<Vec<Part>, ReadError> {
    let items: Vec<&RawValue> = read(value, path, CONTENT)?;
    let mut parts: Vec<Part> = Vec::with_capacity(items.len());
    let mut thoughts = 0;
    for (position, item) in items.into_iter().enumerate() {
        let path = format!("{path}[{position}]");
        let fields: Object<'_> = read(item, &path, "a content block (an object)")?;
        let mark = present(&fields, "cachePoint").and_then(cache::read);
        if let (Some(mark), Some(last)) = (mark, parts.last_mut())
            && !matches!(last.content, Content::Other(_))
        {
            last.cache_control = Some(mark);
            continue;
        }
        let content = block(&fields, &path, &mut thoughts)?;
        parts.push(Part::new(content.unwrap_or_else(|| other(item))));
    }
    Ok(parts)
}

/// A block; `None` for one without a canonical form.
fn block(
    fields: &Object<'_>,
    path: &str,
    thoughts: &mut u32,
) -> Result<Option<Content>, ReadError> {
    if let Some(text) = present(fields, "text") {
        return Ok(Some(Content::Text(read(text, &format!("{path}.text"), "a text")?)));
    }
    for (kind, key) in media::KINDS {
        if let Some(value) = present(fields, key) {
            let media = media::read_media(kind, value, &format!("{path}.{key}"))?;
            return Ok(media.map(Content::Media));
        }
    }
    if let Some(value) = present(fields, "toolUse") {
        return tool_use(value, &format!("{path}.toolUse"));
    }
    if let Some(value) = present(fields, "toolResult") {
        return tool_result(value, &format!("{path}.toolResult"));
    }
    if let Some(value) = present(fields, "reasoningContent") {
        let found = thought::read_block(value, &format!("{path}.reasoningContent"), *thoughts)?;
        *thoughts = thoughts.saturating_add(1);
        let content = |(text, detail)| Content::Reasoning { text, detail: Some(detail) };
        return Ok(found.map(content));
    }
    if let Some(value) = present(fields, "citationsContent") {
        return Ok(Some(Content::Text(cited_text(value, &format!("{path}.citationsContent"))?)));
    }
    Ok(None)
}

/// The text of a block with citations.
pub(super) fn cited_text(value: &RawValue, path: &str) -> Result<String, ReadError> {
    let fields: Object<'_> = read(value, path, "an object")?;
    let Some(content) = present(&fields, "content") else { return Ok(String::new()) };
    let items: Vec<Object<'_>> = read(content, &format!("{path}.content"), "a list of objects")?;
    Ok(items.iter().filter_map(|item| text_of(item, "text")).collect())
}

/// A call of the client's function; `None` for a call that the provider answers itself.
fn tool_use(value: &RawValue, path: &str) -> Result<Option<Content>, ReadError> {
    let fields: Object<'_> = read(value, path, "an object")?;
    if present(&fields, "type").is_some() {
        return Ok(None);
    }
    let input = present(&fields, "input").map_or("{}", RawValue::get);
    if !input.starts_with('{') {
        return Err(ReadError::new(format!("{path}.input"), "an object", shorten(input)));
    }
    Ok(Some(Content::ToolCall {
        id: required(&fields, "toolUseId", path, "the call's id")?,
        name: required(&fields, "name", path, "the tool's name")?,
        arguments: input.to_owned(),
    }))
}

fn tool_result(value: &RawValue, path: &str) -> Result<Option<Content>, ReadError> {
    let fields: Object<'_> = read(value, path, "an object")?;
    if present(&fields, "type").is_some() {
        return Ok(None);
    }
    let mut parts = Vec::new();
    if let Some(content) = present(&fields, "content") {
        let path = format!("{path}.content");
        let items: Vec<&RawValue> = read(content, &path, CONTENT)?;
        for (position, item) in items.into_iter().enumerate() {
            let path = format!("{path}[{position}]");
            let fields: Object<'_> = read(item, &path, "a content block (an object)")?;
            // Elsewhere results are texts, and JSON is one.
            let content = match present(&fields, "json") {
                Some(json) => Some(Content::Text(json.get().to_owned())),
                None => block(&fields, &path, &mut 0)?,
            };
            parts.push(Part::new(content.unwrap_or_else(|| other(item))));
        }
    }
    Ok(Some(Content::ToolResult {
        call_id: required(&fields, "toolUseId", path, "the id of a toolUse block")?,
        parts,
        is_error: text_of(&fields, "status").as_deref() == Some("error"),
    }))
}

fn other(item: &RawValue) -> Content {
    Content::Other(Other { dialect: NAME, json: keep(item) })
}

const ROLES: &str = "`user` or `assistant`";
const CONTENT: &str = "a list of content blocks";
