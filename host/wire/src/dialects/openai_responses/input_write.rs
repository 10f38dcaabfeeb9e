//! Writing `input`: messages become items, in the order of their parts.

use super::custom::{self, Kind};
use super::input_read::{Fields, is_items};
use super::request_write::Rules;
use super::thought::{self, Item};
use super::{NAME, part_write};
use crate::chunk::{ReasoningDetail, ReasoningKind, Role};
use crate::dialects::openai_chat::emit::{self, Object as Writer};
use crate::error::WriteError;
use crate::json::{Json, Object};
use crate::request::{Content, Message, Part, Request};

/// Writes the first message as `instructions` if it is the operator's and plain words; the
/// messages that are left.
pub(super) fn instructions<'m>(messages: &'m [Message], body: &mut Writer<'_>) -> &'m [Message] {
    if let [Message { role: Role::System, name: None, parts, .. }, rest @ ..] = messages
        && let [Part { content: Content::Text(text), cache_control: None }] = parts.as_slice()
    {
        body.value("instructions", text);
        return rest;
    }
    messages
}

/// Writes the list of items.
pub(super) fn write(
    messages: &[Message],
    request: &Request,
    rules: &Rules<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    let first = request.messages.len().saturating_sub(messages.len());
    let mut writing = Writing { request, rules, custom: Vec::new(), items: Vec::new() };
    for (number, message) in messages.iter().enumerate() {
        let cannot = |what: String| rules.cannot(format!("{what} in messages[{}]", first + number));
        writing.message(message).map_err(cannot)?;
    }
    emit::list(out, writing.items, |item, out| out.extend(item));
    Ok(())
}

struct Writing<'r> {
    request: &'r Request,
    rules: &'r Rules<'r>,
    /// Calls of tools that are no functions, so that their results take the same form.
    custom: Vec<(&'r str, Kind)>,
    items: Vec<Vec<u8>>,
}

impl<'r> Writing<'r> {
    fn message(&mut self, message: &'r Message) -> Result<(), String> {
        let mut said: Vec<&Part> = Vec::new();
        let mut thoughts: Vec<Item> = Vec::new();
        for (number, part) in message.parts.iter().enumerate() {
            let kept = kept_items(message, number);
            if !matches!(part.content, Content::Reasoning { .. }) || !kept.is_empty() {
                self.thoughts(&mut thoughts);
            }
            if !is_said(part, message) || !kept.is_empty() {
                self.said(message, &mut said)?;
            }
            self.items.extend(kept);
            match &part.content {
                Content::Reasoning { text, detail } => {
                    think(text, detail.as_ref(), &mut thoughts);
                }
                Content::ToolCall { id, name, arguments } => {
                    self.call(message, (id, name, arguments));
                }
                Content::ToolResult { call_id, parts, .. } => {
                    self.result(message, call_id, parts)?;
                }
                // Pictures can't be shown in the assistant's name.
                Content::Media(_) if message.role == Role::Assistant => {}
                Content::Other(other) if !is_said(part, message) => {
                    self.items.push(other.json.as_str().as_bytes().to_vec());
                }
                _ => said.push(part),
            }
        }
        self.thoughts(&mut thoughts);
        self.said(message, &mut said)?;
        self.items.extend(kept_items(message, message.parts.len()));
        Ok(())
    }

    /// Writes what was said so far as a message of its own.
    fn said(&mut self, message: &Message, said: &mut Vec<&Part>) -> Result<(), String> {
        if said.is_empty() {
            return Ok(());
        }
        let role = match message.role {
            Role::Developer if self.rules.to.quirks.no_developer_role => "system",
            Role::Developer => "developer",
            Role::System => "system",
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        let mut out = Vec::new();
        let mut item = Writer::begin(&mut out);
        item.raw("type", r#""message""#);
        item.value("role", role);
        self.parts(said, message.role, item.key("content"))?;
        write_rest(message, Fields::MESSAGE, &mut item);
        item.end();
        self.items.push(out);
        said.clear();
        Ok(())
    }

    fn parts(&self, parts: &[&Part], role: Role, out: &mut Vec<u8>) -> Result<(), String> {
        let mut failed = None;
        emit::list(out, parts, |part, out| {
            if let Err(what) = part_write::write(part, role, self.rules.is_openrouter(), out) {
                failed = Some(what);
            }
        });
        failed.map_or(Ok(()), Err)
    }

    /// Writes what the upstream can take back: its own thought, with the proof of it.
    fn thoughts(&mut self, thoughts: &mut Vec<Item>) {
        let is_openrouter = self.rules.is_openrouter();
        for item in thoughts.drain(..) {
            if is_openrouter || (item.encrypted.is_some() && thought::is_ours(&item.of)) {
                let mut out = Vec::new();
                item.write(item.of.id.as_deref(), is_openrouter, &mut out);
                self.items.push(out);
            }
        }
    }

    fn call(&mut self, message: &Message, (id, name, arguments): (&'r str, &str, &str)) {
        let kind = Kind::of_name(&self.request.custom_tools, name);
        let mut out = Vec::new();
        let mut item = Writer::begin(&mut out);
        item.value("type", kind.map_or("function_call", Kind::call_type));
        item.value("call_id", id);
        match kind {
            Some(Kind::LocalShell) => custom::write_action(arguments, item.key("action")),
            Some(Kind::Custom) => {
                item.value("name", name);
                item.value("input", &custom::input(arguments));
            }
            None => {
                item.value("name", name);
                let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
                item.value("arguments", arguments);
            }
        }
        write_rest(message, &format!("{}{id}", Fields::CALL), &mut item);
        item.end();
        self.items.push(out);
        self.custom.extend(kind.map(|kind| (id, kind)));
    }

    fn result(&mut self, message: &Message, id: &str, parts: &[Part]) -> Result<(), String> {
        let kind = self.custom.iter().find(|(known, _)| *known == id).map(|(_, kind)| *kind);
        let mut out = Vec::new();
        let mut item = Writer::begin(&mut out);
        item.value("type", kind.map_or("function_call_output", Kind::result_type));
        // A shell's result names its call in `id`.
        let name = if kind == Some(Kind::LocalShell) { "id" } else { "call_id" };
        item.value(name, id);
        let texts: Option<String> = parts.iter().map(text_of).collect();
        match texts {
            Some(text) if parts.len() < 2 => item.value("output", &text),
            _ => {
                let parts: Vec<&Part> = parts.iter().collect();
                self.parts(&parts, Role::Tool, item.key("output"))?;
            }
        }
        if kind != Some(Kind::LocalShell) {
            write_rest(message, &format!("{}{id}", Fields::CALL), &mut item);
        }
        item.end();
        self.items.push(out);
        Ok(())
    }
}

/// Whether a part is the message's own, and no item beside it.
fn is_said(part: &Part, message: &Message) -> bool {
    match &part.content {
        Content::Text(_) | Content::Refusal(_) => true,
        Content::Media(_) => message.role != Role::Assistant,
        // A foreign part is an error where a message's parts are written.
        Content::Other(other) => {
            other.dialect != NAME || !(message.role == Role::Assistant || is_items(message))
        }
        Content::ToolCall { .. } | Content::ToolResult { .. } | Content::Reasoning { .. } => false,
    }
}

fn text_of(part: &Part) -> Option<&str> {
    match &part.content {
        Content::Text(text) if part.cache_control.is_none() => Some(text),
        _ => None,
    }
}

/// Adds a block to the items that are being put together.
fn think(text: &str, detail: Option<&ReasoningDetail>, thoughts: &mut Vec<Item>) {
    if !thoughts.last().is_some_and(|item| item.takes(detail)) {
        thoughts.push(Item::begin(detail));
    }
    let Some(item) = thoughts.last_mut() else { return };
    match detail.map_or(ReasoningKind::Text, |detail| detail.kind) {
        _ if text.is_empty() => {}
        ReasoningKind::Summary => item.summary.push(text.to_owned()),
        ReasoningKind::Text | ReasoningKind::Encrypted => item.content.push(text.to_owned()),
    }
    item.seal(detail);
}

/// The items that stood before a part and that only this dialect knows. Thought without a proof
/// is known to nobody but the upstream that kept it.
fn kept_items(message: &Message, number: usize) -> Vec<Vec<u8>> {
    let name = format!("{}{number}", Fields::ITEM);
    let fields = message.extra.fields_of(NAME).iter().filter(|(known, _)| *known == name);
    let is_thought = |json: &Json| {
        let kind = json.read::<Object<'_>>().ok();
        kind.and_then(|fields| fields.field("type").map(|raw| raw.get() == r#""reasoning""#))
            .unwrap_or_default()
    };
    fields
        .filter(|(_, json)| !is_thought(json))
        .map(|(_, json)| json.as_str().as_bytes().to_vec())
        .collect()
}

fn write_rest(message: &Message, name: &str, item: &mut Writer<'_>) {
    let rest = message.extra.fields_of(NAME).iter().find(|(known, _)| known == name);
    let fields = rest.and_then(|(_, json)| json.read::<Object<'_>>().ok()).unwrap_or_default();
    for (name, value) in &fields.0 {
        item.raw(name, value.get());
    }
}
