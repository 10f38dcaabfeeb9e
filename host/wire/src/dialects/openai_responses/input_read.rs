//! Reading `input`: items become messages. What an assistant thought, said and called in one turn
//! is one message, and so are the results that its tools gave: other dialects demand it.
//!
//! What an item says beyond the canonical form stands in its message's `extra`, by the names that
//! [`Fields`] has.

use super::custom::{self, Kind};
use super::{NAME, part_read, thought};
use crate::chunk::Role;
use crate::dialects::openai_chat::field::At;
use crate::dialects::openai_chat::shape::word;
use crate::error::ReadError;
use crate::json::{Extra, Json, Object};
use crate::request::{Content, Message, Other, Part};

/// Reads the whole input.
pub(super) fn read(at: At<'_, '_>) -> Result<Vec<Message>, ReadError> {
    let mut reading = Reading::default();
    if at.is_text() {
        reading.push(Role::User, vec![Part::text(at.text()?)]);
        return Ok(reading.messages);
    }
    let items = at.list().map_err(|_| at.error("a string or a list of items"))?;
    for (number, raw) in items.into_iter().enumerate() {
        reading.item(at.index(number, raw))?;
    }
    Ok(reading.finish())
}

/// Names in a message's `extra`.
pub(super) struct Fields;

impl Fields {
    /// The rest of the message's own item, as an object.
    pub(super) const MESSAGE: &str = "message";
    /// Before the call's id: the rest of a call's or a result's item, as an object.
    pub(super) const CALL: &str = "call:";
    /// Before the number of parts that stand before it: an item that only this dialect knows and
    /// that others can do without.
    pub(super) const ITEM: &str = "item:";
    /// The message's parts are items that only this dialect knows.
    pub(super) const ITEMS: &str = "items";
}

#[derive(Default)]
struct Reading {
    messages: Vec<Message>,
}

impl Reading {
    fn item(&mut self, at: At<'_, '_>) -> Result<(), ReadError> {
        let fields = at.object()?;
        let kind = match fields.field("type") {
            Some(raw) => at.key("type", raw).text()?,
            None if fields.field("role").is_some() => "message".to_owned(),
            None => return Err(at.missing("type", "an item's type, like `message`")),
        };
        let of_call = |kind: &str| match kind {
            "function_call" => Some(None),
            _ => Kind::of_call(kind).map(Some),
        };
        let of_result = |kind: &str| of_call(kind.strip_suffix("_output")?);
        match kind.as_str() {
            "message" => self.message(at, &fields),
            "reasoning" => {
                self.thought(at, &fields);
                Ok(())
            }
            kind if of_call(kind).is_some() => self.call(at, &fields, of_call(kind).flatten()),
            kind if of_result(kind).is_some() => self.result(at, &fields),
            // Its results are in the words that follow.
            "web_search_call" => {
                self.keep_item(at.json());
                Ok(())
            }
            _ => {
                self.other(&kind, at.json());
                Ok(())
            }
        }
    }

    fn push(&mut self, role: Role, parts: Vec<Part>) {
        self.messages.push(Message { role, name: None, parts, extra: Extra::default() });
    }

    /// Goes on with the last message if it is of that role; the caller pushes it again.
    fn resume(&mut self, role: Role) -> Message {
        let last = self.messages.pop_if(|last| last.role == role && !is_items(last));
        last.unwrap_or(Message { role, name: None, parts: Vec::new(), extra: Extra::default() })
    }

    /// Keeps an item in the assistant's turn that others can do without.
    fn keep_item(&mut self, json: Json) {
        let mut turn = self.resume(Role::Assistant);
        keep(&mut turn.extra, format!("{}{}", Fields::ITEM, turn.parts.len()), json);
        self.messages.push(turn);
    }

    fn message<'a>(&mut self, at: At<'_, 'a>, fields: &Object<'a>) -> Result<(), ReadError> {
        const EXPECTED: &str = "system, developer, user or assistant";
        let Some(raw) = fields.field("role") else { return Err(at.missing("role", EXPECTED)) };
        let role = match at.key("role", raw).text()?.as_str() {
            "system" => Role::System,
            "developer" => Role::Developer,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return Err(at.key("role", raw).error(EXPECTED)),
        };
        let Some(raw) = fields.field("content").filter(|raw| raw.get() != "null") else {
            return Err(at.missing("content", "a string or a list of parts"));
        };
        let parts = part_read::read_content(at.key("content", raw))?;
        if role != Role::Assistant || self.messages.last().is_none_or(has_spoken) {
            self.push(role, Vec::new());
        }
        let mut message = self.resume(role);
        message.parts.extend(parts);
        if let Some(rest) = rest_of(fields, &["type", "role", "content"]) {
            keep(&mut message.extra, Fields::MESSAGE.to_owned(), rest);
        }
        self.messages.push(message);
        Ok(())
    }

    fn thought(&mut self, at: At<'_, '_>, fields: &Object<'_>) {
        let blocks = thought::read(fields, &mut 0);
        if blocks.is_empty() {
            // Only the upstream that keeps it knows what it was.
            return self.keep_item(at.json());
        }
        let parts = blocks
            .into_iter()
            .map(|(text, detail)| Part::new(Content::Reasoning { text, detail: Some(detail) }));
        let mut turn = self.resume(Role::Assistant);
        turn.parts.extend(parts);
        self.messages.push(turn);
    }

    fn call<'a>(
        &mut self,
        at: At<'_, 'a>,
        fields: &Object<'a>,
        kind: Option<Kind>,
    ) -> Result<(), ReadError> {
        let id = call_id(at, fields)?;
        let name = match (kind, fields.field("name")) {
            (Some(Kind::LocalShell), _) => custom::LOCAL_SHELL.to_owned(),
            (_, Some(raw)) => at.key("name", raw).text()?,
            (_, None) => return Err(at.missing("name", "the function's name")),
        };
        let arguments = match (kind, fields.field("arguments")) {
            (Some(kind), _) => custom::arguments(kind, fields),
            // Some clients send the arguments' JSON itself instead of the text that holds it.
            (None, Some(raw)) if raw.get().starts_with('"') => at.key("arguments", raw).text()?,
            (None, Some(raw)) if raw.get() != "null" => raw.get().to_owned(),
            (None, _) => String::new(),
        };
        const KNOWN: [&str; 6] = ["type", "call_id", "name", "arguments", "input", "action"];
        let mut turn = self.resume(Role::Assistant);
        if let Some(rest) = rest_of(fields, &KNOWN) {
            keep(&mut turn.extra, format!("{}{id}", Fields::CALL), rest);
        }
        turn.parts.push(Part::new(Content::ToolCall { id, name, arguments }));
        self.messages.push(turn);
        Ok(())
    }

    fn result<'a>(&mut self, at: At<'_, 'a>, fields: &Object<'a>) -> Result<(), ReadError> {
        let call_id = call_id(at, fields)?;
        let parts = match fields.field("output") {
            Some(raw) => part_read::read_content(at.key("output", raw))?,
            None => return Err(at.missing("output", "a string or a list of parts")),
        };
        let mut message = self.resume(Role::Tool);
        if let Some(rest) = rest_of(fields, &["type", "call_id", "output"]) {
            keep(&mut message.extra, format!("{}{call_id}", Fields::CALL), rest);
        }
        message.parts.push(Part::new(Content::ToolResult { call_id, parts, is_error: false }));
        self.messages.push(message);
        Ok(())
    }

    fn other(&mut self, kind: &str, json: Json) {
        let is_ours = ["_output", "_response", "_reference"].iter().any(|end| kind.ends_with(end));
        let role = if is_ours { Role::User } else { Role::Assistant };
        let part = Part::new(Content::Other(Other { dialect: NAME, json }));
        self.push(role, vec![part]);
        if let Some(message) = self.messages.last_mut() {
            keep(&mut message.extra, Fields::ITEMS.to_owned(), Json::of(&true));
        }
    }

    /// A message that holds nothing but what others can do without is no message to them.
    fn finish(mut self) -> Vec<Message> {
        for message in self.messages.iter_mut().filter(|message| message.parts.is_empty()) {
            let fields = std::mem::take(&mut message.extra.fields);
            message.parts = fields
                .into_iter()
                .filter(|(name, _)| name.starts_with(Fields::ITEM))
                .map(|(_, json)| Part::new(Content::Other(Other { dialect: NAME, json })))
                .collect();
            if !message.parts.is_empty() {
                keep(&mut message.extra, Fields::ITEMS.to_owned(), Json::of(&true));
            }
        }
        self.messages
    }
}

/// Whether the message's parts are whole items.
pub(super) fn is_items(message: &Message) -> bool {
    message.extra.fields_of(NAME).iter().any(|(name, _)| name == Fields::ITEMS)
}

/// Whether a message that follows is another turn: the assistant spoke, and called nothing since.
fn has_spoken(last: &Message) -> bool {
    let has = |is: fn(&Content) -> bool| last.parts.iter().any(|part| is(&part.content));
    last.role != Role::Assistant
        || is_items(last)
        || (!has(|content| matches!(content, Content::ToolCall { .. }))
            && has(|content| !matches!(content, Content::Reasoning { .. })))
}

/// The id of the call; `local_shell_call_output` has it in `id`.
fn call_id<'a>(at: At<'_, 'a>, fields: &Object<'a>) -> Result<String, ReadError> {
    word(fields.field("call_id"))
        .or_else(|| word(fields.field("id")))
        .ok_or_else(|| at.missing("call_id", "the call's id"))
}

/// An object of the fields that are not known; `None` when there are none.
pub(super) fn rest_of(fields: &Object<'_>, known: &[&str]) -> Option<Json> {
    let rest = fields
        .0
        .iter()
        .filter(|(name, raw)| !known.contains(&name.as_ref()) && raw.get() != "null");
    let rest: Vec<String> =
        rest.map(|(name, raw)| format!("{}:{}", Json::of(name).as_str(), raw.get())).collect();
    if rest.is_empty() {
        return None;
    }
    Json::parse(format!("{{{}}}", rest.join(","))).ok()
}

fn keep(extra: &mut Extra, name: String, json: Json) {
    extra.dialect = NAME;
    extra.fields.push((name, json));
}
