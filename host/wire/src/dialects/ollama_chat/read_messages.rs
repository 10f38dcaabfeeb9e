//! Reads conversations, and gives the calls in them names: `call_<n>`, counted through the
//! conversation. A result belongs to the first open call of its tool, or to the first open one.

use serde_json::value::RawValue;

use super::{NAME, pictures};
use crate::chunk::Role;
use crate::error::ReadError;
use crate::json::{Extra, Object};
use crate::json_text::{keep, present, read, required, text_of};
use crate::request::{Content, Media, MediaKind, Message, Part};

/// Reads `messages`.
pub(super) fn messages(value: &RawValue) -> Result<Vec<Message>, ReadError> {
    let items: Vec<&RawValue> = read(value, "messages", "a list of messages")?;
    if items.is_empty() {
        return Err(ReadError::new("messages", "at least one message", "an empty list"));
    }
    let mut calls = Calls::default();
    for item in &items {
        calls.take_given(item);
    }
    let items = items.into_iter().enumerate();
    let mut read_one = |(position, item)| calls.message(item, &format!("messages[{position}]"));
    items.map(&mut read_one).collect()
}

/// The calls of a conversation so far.
#[derive(Debug, Default)]
struct Calls {
    /// Names that clients gave themselves, as newer ones do.
    given: Vec<String>,
    /// Calls without a result: name of the call, name of the tool.
    open: Vec<(String, String)>,
    count: u32,
}

impl Calls {
    fn take_given(&mut self, message: &RawValue) {
        let Ok(fields) = Object::parse(message.get()) else { return };
        let calls = present(&fields, "tool_calls");
        let calls = calls.and_then(|it| serde_json::from_str::<Vec<Object<'_>>>(it.get()).ok());
        for call in calls.unwrap_or_default() {
            self.given.extend(text_of(&call, "id").filter(|id| !id.is_empty()));
        }
    }

    fn make(&mut self) -> String {
        loop {
            let id = format!("call_{}", self.count);
            self.count = self.count.saturating_add(1);
            if !self.given.contains(&id) || self.count == u32::MAX {
                return id;
            }
        }
    }

    fn message(&mut self, item: &RawValue, path: &str) -> Result<Message, ReadError> {
        let fields: Object<'_> = read(item, path, "a message (an object)")?;
        let role: String = required(&fields, "role", path, ROLES)?;
        let mut known = vec!["role", "content", "images"];
        let said = said(&fields, path)?;
        let (role, parts) = match role.as_str() {
            "system" => (Role::System, said),
            "user" => (Role::User, said),
            "tool" => {
                known.extend(["tool_name", "tool_call_id", "name"]);
                (Role::Tool, vec![self.result(&fields, said)])
            }
            "assistant" => {
                known.extend(["thinking", "tool_calls"]);
                (Role::Assistant, self.turn(&fields, path, said)?)
            }
            other => return Err(ReadError::new(format!("{path}.role"), ROLES, other)),
        };
        let rest = |key: &str, value: &RawValue| !known.contains(&key) && value.get() != "null";
        let rest = fields.0.iter().filter(|(key, value)| rest(key, value));
        let rest: Vec<_> = rest.map(|(key, value)| (key.to_string(), keep(value))).collect();
        let dialect = if rest.is_empty() { "" } else { NAME };
        Ok(Message { role, name: None, parts, extra: Extra { dialect, fields: rest } })
    }

    fn result(&mut self, fields: &Object<'_>, parts: Vec<Part>) -> Part {
        let tool = text_of(fields, "tool_name").or_else(|| text_of(fields, "name"));
        let given = text_of(fields, "tool_call_id").filter(|id| !id.is_empty());
        let position = match (&given, &tool) {
            (Some(given), _) => self.open.iter().position(|(id, _)| id == given),
            (None, Some(tool)) => self.open.iter().position(|(_, name)| name == tool),
            (None, None) => (!self.open.is_empty()).then_some(0),
        };
        let position = position.filter(|position| *position < self.open.len());
        let open = position.map(|position| self.open.remove(position).0);
        let call_id = given.or(open).unwrap_or_else(|| self.make());
        Part::new(Content::ToolResult { call_id, parts, is_error: false })
    }

    /// An assistant's turn: it thinks, then speaks, then calls.
    fn turn(
        &mut self,
        fields: &Object<'_>,
        path: &str,
        said: Vec<Part>,
    ) -> Result<Vec<Part>, ReadError> {
        let mut parts = Vec::new();
        if let Some(thinking) = present(fields, "thinking") {
            let text: String = read(thinking, &format!("{path}.thinking"), "a text")?;
            if !text.is_empty() {
                parts.push(Part::new(Content::Reasoning { text, detail: None }));
            }
        }
        parts.extend(said);
        let Some(calls) = present(fields, "tool_calls") else { return Ok(parts) };
        let path = format!("{path}.tool_calls");
        let calls: Vec<&RawValue> = read(calls, &path, "a list of tool calls")?;
        self.open.clear();
        for (position, item) in calls.into_iter().enumerate() {
            let Call { id, name, arguments } = Call::read(item, &format!("{path}[{position}]"))?;
            let id = id.unwrap_or_else(|| self.make());
            self.open.push((id.clone(), name.clone()));
            parts.push(Part::new(Content::ToolCall { id, name, arguments }));
        }
        Ok(parts)
    }
}

/// The text and the pictures of a message.
fn said(fields: &Object<'_>, path: &str) -> Result<Vec<Part>, ReadError> {
    let mut parts = Vec::new();
    if let Some(content) = present(fields, "content") {
        let text: String = read(content, &format!("{path}.content"), "a text")?;
        if !text.is_empty() {
            parts.push(Part::text(text));
        }
    }
    if let Some(images) = present(fields, "images") {
        let images: Vec<String> =
            read(images, &format!("{path}.images"), "a list of texts in base64")?;
        parts.extend(images.into_iter().map(|base64| {
            let data = pictures::read(base64);
            let media = Media { kind: MediaKind::Image, data, name: None, detail: None };
            Part::new(Content::Media(media))
        }));
    }
    Ok(parts)
}

/// A tool call.
#[derive(Debug)]
pub(super) struct Call {
    /// Its name, from hosts that give one.
    pub(super) id: Option<String>,
    /// Which function.
    pub(super) name: String,
    /// The object's own text.
    pub(super) arguments: String,
}

impl Call {
    /// Reads a call.
    pub(super) fn read(item: &RawValue, path: &str) -> Result<Self, ReadError> {
        let fields: Object<'_> = read(item, path, "a tool call (an object)")?;
        let function: Object<'_> = required(&fields, "function", path, "the function")?;
        let path = format!("{path}.function");
        let arguments = match present(&function, "arguments") {
            Some(raw) if raw.get().starts_with('"') => {
                read(raw, &format!("{path}.arguments"), "an object")?
            }
            Some(raw) => raw.get().to_owned(),
            None => "{}".to_owned(),
        };
        let name = required(&function, "name", &path, "the function's name")?;
        let id = text_of(&fields, "id").filter(|id| !id.is_empty());
        Ok(Self { id, name, arguments })
    }
}

const ROLES: &str = "`system`, `user`, `assistant` or `tool`";
