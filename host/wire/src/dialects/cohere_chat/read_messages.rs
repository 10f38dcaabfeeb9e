//! Reads conversations. A document (the form in which Cohere's guides send what a tool found) is
//! text to every other dialect: what it holds, as JSON where it is not a text itself.

use serde_json::value::RawValue;

use super::{NAME, TOOL_PLAN};
use crate::chunk::{ReasoningDetail, Role};
use crate::error::ReadError;
use crate::json::{Extra, Object};
use crate::json_text::{keep, present, read, required};
use crate::media_url;
use crate::request::{Content, Media, MediaData, MediaKind, Message, Other, Part};

/// Reads `messages`.
pub(super) fn messages(value: &RawValue) -> Result<Vec<Message>, ReadError> {
    let items: Vec<&RawValue> = read(value, "messages", "a list of messages")?;
    if items.is_empty() {
        return Err(ReadError::new("messages", "at least one message", "an empty list"));
    }
    let items = items.into_iter().enumerate();
    items.map(|(position, item)| message(item, &format!("messages[{position}]"))).collect()
}

/// The detail of a tool plan.
pub(super) fn plan_detail() -> ReasoningDetail {
    ReasoningDetail { format: Some(TOOL_PLAN.to_owned()), ..ReasoningDetail::default() }
}

fn message(item: &RawValue, path: &str) -> Result<Message, ReadError> {
    let fields: Object<'_> = read(item, path, "a message (an object)")?;
    let role: String = required(&fields, "role", path, ROLES)?;
    let content = present(&fields, "content");
    let content = content.map(|content| parts(content, &format!("{path}.content")));
    let mut said = content.transpose()?.unwrap_or_default();
    let mut known = vec!["role", "content"];
    let role = match role.as_str() {
        "system" => Role::System,
        "user" => Role::User,
        "tool" => {
            known.push("tool_call_id");
            let call_id = required(&fields, "tool_call_id", path, "the call's id")?;
            let result = Content::ToolResult { call_id, parts: said, is_error: false };
            said = vec![Part::new(result)];
            Role::Tool
        }
        "assistant" => {
            known.extend(["tool_plan", "tool_calls"]);
            called(&fields, path, &mut said)?;
            Role::Assistant
        }
        other => return Err(ReadError::new(format!("{path}.role"), ROLES, other)),
    };
    let rest = fields.0.iter().filter(|(key, _)| !known.contains(&key.as_ref()));
    let rest: Vec<_> = rest.map(|(key, value)| (key.to_string(), keep(value))).collect();
    let dialect = if rest.is_empty() { "" } else { NAME };
    Ok(Message { role, name: None, parts: said, extra: Extra { dialect, fields: rest } })
}

/// Reads the plan, which came before everything, and the calls, which come after it.
fn called(fields: &Object<'_>, path: &str, parts: &mut Vec<Part>) -> Result<(), ReadError> {
    if let Some(plan) = present(fields, "tool_plan") {
        let text: String = read(plan, &format!("{path}.tool_plan"), "a text")?;
        if !text.is_empty() {
            let detail = Some(plan_detail());
            parts.insert(0, Part::new(Content::Reasoning { text, detail }));
        }
    }
    let Some(calls) = present(fields, "tool_calls") else { return Ok(()) };
    let path = format!("{path}.tool_calls");
    let calls: Vec<&RawValue> = read(calls, &path, "a list of tool calls")?;
    for (position, item) in calls.into_iter().enumerate() {
        let path = format!("{path}[{position}]");
        let call: Object<'_> = read(item, &path, "a tool call (an object)")?;
        let function: Object<'_> = required(&call, "function", &path, "the function")?;
        let id = required(&call, "id", &path, "the call's id")?;
        let path = format!("{path}.function");
        let arguments = present(&function, "arguments");
        let arguments = arguments.map(|it| read(it, &format!("{path}.arguments"), "JSON as text"));
        parts.push(Part::new(Content::ToolCall {
            id,
            name: required(&function, "name", &path, "the function's name")?,
            arguments: arguments.transpose()?.unwrap_or_else(|| "{}".to_owned()),
        }));
    }
    Ok(())
}

/// Reads content: a text, or a list of blocks.
fn parts(value: &RawValue, path: &str) -> Result<Vec<Part>, ReadError> {
    let expected = "a text or a list of blocks";
    if value.get().starts_with('"') {
        return Ok(vec![Part::text(read::<String>(value, path, expected)?)]);
    }
    let items: Vec<&RawValue> = read(value, path, expected)?;
    let items = items.into_iter().enumerate();
    items.map(|(position, item)| block(item, &format!("{path}[{position}]"))).collect()
}

fn block(item: &RawValue, path: &str) -> Result<Part, ReadError> {
    if item.get().starts_with('"') {
        return Ok(Part::text(read::<String>(item, path, "a text")?));
    }
    let fields: Object<'_> = read(item, path, "a content block (an object)")?;
    let kind: String = required(&fields, "type", path, "the block's type")?;
    let content = match kind.as_str() {
        "text" => Content::Text(required(&fields, "text", path, "a text")?),
        "thinking" => {
            let text = required(&fields, "thinking", path, "a text")?;
            Content::Reasoning { text, detail: None }
        }
        "image_url" => Content::Media(image(&fields, path)?),
        "document" => {
            let document = required(&fields, "document", path, "a text or an object")?;
            Content::Text(document_text(document, &format!("{path}.document"))?)
        }
        _ => Content::Other(Other { dialect: NAME, json: keep(item) }),
    };
    Ok(Part::new(content))
}

fn image(fields: &Object<'_>, path: &str) -> Result<Media, ReadError> {
    let image: Object<'_> = required(fields, "image_url", path, "an object with a `url`")?;
    let path = format!("{path}.image_url");
    let url: String = required(&image, "url", &path, "an address or a data URL")?;
    let detail = present(&image, "detail");
    let detail = detail.map(|it| read(it, &format!("{path}.detail"), "a text")).transpose()?;
    let data = media_url::read(&url).unwrap_or(MediaData::Url(url));
    Ok(Media { kind: MediaKind::Image, data, name: None, detail })
}

/// A document as text: its `data` where it is nothing else, all of it where it has a name.
fn document_text(document: &RawValue, path: &str) -> Result<String, ReadError> {
    if document.get().starts_with('"') {
        return read(document, path, "a text");
    }
    let fields: Object<'_> = read(document, path, "a text or an object")?;
    match fields.0.as_slice() {
        [(key, data)] if key == "data" && data.get().starts_with('"') => {
            read(data, &format!("{path}.data"), "a text")
        }
        [(key, data)] if key == "data" => Ok(data.get().to_owned()),
        _ => Ok(document.get().to_owned()),
    }
}

const ROLES: &str = "`system`, `user`, `assistant` or `tool`";
