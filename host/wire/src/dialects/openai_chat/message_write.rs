//! Writing messages: the client's own with what an upstream would refuse taken out, or anew from
//! the canonical form.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::emit::{self, Object as Writer};
use super::shape::{list, text};
use super::{NAME, call_id, content_write, reasoning, speaker};
use crate::chunk::Role;
use crate::dialect::Target;
use crate::error::WriteError;
use crate::json::{Json, Object};
use crate::request::{Content, Message, Other, Part};

/// What an upstream takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'t> {
    /// Where the request goes.
    pub(super) to: &'t Target<'t>,
}

/// The form an upstream takes earlier thoughts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum History {
    /// None: they are left out.
    Nothing,
    /// `reasoning_content`.
    Content,
    /// `reasoning` and `reasoning_details`.
    Details,
}

impl<'t> Rules<'t> {
    /// The rules of a target.
    pub(super) fn new(to: &'t Target<'t>) -> Self {
        Self { to }
    }

    /// Whether OpenRouter's extensions are known.
    pub(super) fn is_openrouter(&self) -> bool {
        self.to.quirks.openrouter_reasoning
    }

    /// What the token limit is called.
    pub(super) fn max_tokens_name(&self) -> &'static str {
        if self.to.quirks.max_completion_tokens { "max_completion_tokens" } else { "max_tokens" }
    }

    /// The error that there is no form for something.
    pub(super) fn cannot(&self, what: String) -> WriteError {
        WriteError { dialect: NAME, what }
    }

    /// Whether the model can read a thought back: signatures and encrypted blocks are of use to
    /// the family that made them, and an error to every other.
    fn reads(&self, part: &Part) -> bool {
        match &part.content {
            Content::Reasoning { detail: Some(detail), .. } => {
                reasoning::is_of_family(detail, self.to.model)
            }
            _ => true,
        }
    }

    /// Only OpenAI itself insists on the newer name of the token limit, and it has no field for
    /// earlier thoughts.
    fn history(&self) -> History {
        let quirks = self.to.quirks;
        match (
            quirks.openrouter_reasoning,
            quirks.no_reasoning_input || quirks.max_completion_tokens,
        ) {
            (true, _) => History::Details,
            (false, true) => History::Nothing,
            (false, false) => History::Content,
        }
    }
}

/// The client's list with the changes that the upstream needs; `None` when it stays.
pub(super) fn patch(raw: &RawValue, messages: &[Message], rules: &Rules<'_>) -> Option<String> {
    let raws = list(Some(raw));
    if raws.len() != messages.len() {
        return None;
    }
    let patched: Vec<Option<String>> = raws
        .iter()
        .zip(messages)
        .map(|(raw, message)| patch_message(raw, message, rules))
        .collect();
    patched.iter().flatten().next()?;
    let mut out = Vec::new();
    emit::list(&mut out, raws.iter().zip(&patched), |(raw, patched), out| {
        out.extend_from_slice(patched.as_deref().unwrap_or(raw.get()).as_bytes());
    });
    String::from_utf8(out).ok()
}

fn patch_message(raw: &RawValue, message: &Message, rules: &Rules<'_>) -> Option<String> {
    let renames = message.role == Role::Developer && rules.to.quirks.no_developer_role;
    let is_assistant = message.role == Role::Assistant;
    let is_plain = !is_assistant || rules.is_openrouter();
    let has_breakpoint = !rules.is_openrouter() && message.parts.iter().any(has_breakpoint);
    let is_foreign = rules.is_openrouter() && message.parts.iter().any(|part| !rules.reads(part));
    let renames_calls = rules.to.quirks.short_call_ids;
    let speaker = speaker::of(message, rules);
    let is_spoken_for = speaker.is_some() || renames_calls;
    if is_plain && !renames && !has_breakpoint && !is_foreign && !is_spoken_for {
        return None;
    }
    let fields = Object::parse(raw.get()).ok()?;
    let thought = thought_of(message, rules);
    let mut is_changed = false;
    let mut kept: Vec<(&str, Cow<'_, str>)> = Vec::new();
    for (name, value) in &fields.0 {
        let new = match &**name {
            "role" if renames => Some(r#""system""#.to_owned()),
            "content" if speaker.is_some() || has_breakpoint => {
                content(value, has_breakpoint, speaker)
            }
            "name" if speaker.is_some() => {
                is_changed = true;
                continue;
            }
            "reasoning_details" if is_foreign => Some(details(message, rules)),
            "tool_calls" | "tool_call_id" => call_id::patch(name, value, rules),
            "reasoning_content" if is_assistant && thought.is_some() => None,
            name if is_assistant && !is_plain && is_openrouters(name) => {
                is_changed = true;
                continue;
            }
            _ => None,
        };
        is_changed |= new.is_some();
        kept.push((name, new.map_or(Cow::Borrowed(value.get()), Cow::Owned)));
    }
    let has_content = kept.iter().any(|(name, _)| *name == "reasoning_content");
    if let Some(thought) = thought.filter(|_| !is_plain && !has_content) {
        is_changed = true;
        kept.push(("reasoning_content", Json::of(&thought).as_str().to_owned().into()));
    }
    is_changed.then(|| {
        let mut out = Vec::new();
        let mut object = Writer::begin(&mut out);
        for (name, value) in kept {
            object.raw(name, &value);
        }
        object.end();
        String::from_utf8(out).unwrap_or_default()
    })
}

/// The blocks of thought that this model's family can read back, and the words of the others.
fn details(message: &Message, rules: &Rules<'_>) -> String {
    let mut out = Vec::new();
    emit::list(&mut out, thoughts(&message.parts, rules), |part, out| {
        write_thought(part, rules, out)
    });
    String::from_utf8(out).unwrap_or_default()
}

fn thoughts<'m>(
    parts: impl IntoIterator<Item = &'m Part>,
    rules: &Rules<'_>,
) -> impl Iterator<Item = &'m Part> {
    parts.into_iter().filter(|part| match &part.content {
        Content::Reasoning { text, .. } => !text.is_empty() || rules.reads(part),
        Content::Other(other) => is_detail(other),
        _ => false,
    })
}

fn write_thought(part: &Part, rules: &Rules<'_>, out: &mut Vec<u8>) {
    match &part.content {
        Content::Reasoning { text, detail } => {
            let detail = detail.as_ref().filter(|_| rules.reads(part));
            reasoning::write(text, detail, out);
        }
        Content::Other(other) => out.extend_from_slice(other.json.as_str().as_bytes()),
        _ => {}
    }
}

/// Fields of an assistant's message that OpenRouter adds and that others refuse.
fn is_openrouters(name: &str) -> bool {
    const FIELDS: [&str; 6] =
        ["reasoning", "reasoning_content", "reasoning_details", "annotations", "images", "model"];
    FIELDS.contains(&name)
}

/// An assistant's earlier thoughts as one text, for upstreams that take them so.
fn thought_of(message: &Message, rules: &Rules<'_>) -> Option<String> {
    let texts = message.parts.iter().filter_map(|part| match &part.content {
        Content::Reasoning { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let thought: String = texts.collect();
    Some(thought).filter(|thought| rules.history() == History::Content && !thought.is_empty())
}

fn has_breakpoint(part: &Part) -> bool {
    let inside = match &part.content {
        Content::ToolResult { parts, .. } => parts.iter().any(has_breakpoint),
        _ => false,
    };
    inside || part.cache_control.is_some()
}

/// A content without what the upstream would refuse, and with the name of who says it.
fn content(value: &RawValue, has_breakpoint: bool, speaker: Option<&str>) -> Option<String> {
    let plain = has_breakpoint.then(|| without_breakpoints(value));
    let Some(name) = speaker else { return plain };
    match plain.as_deref().map(serde_json::from_str::<&RawValue>) {
        Some(Ok(plain)) => Some(speaker::patch(plain, name)),
        _ => Some(speaker::patch(value, name)),
    }
}

/// A list of parts without cache breakpoints, which only OpenRouter takes.
fn without_breakpoints(content: &RawValue) -> String {
    let mut out = Vec::new();
    emit::list(&mut out, list(Some(content)), |part, out| match Object::parse(part.get()) {
        Ok(fields) => {
            let mut object = Writer::begin(out);
            for (name, value) in &fields.0 {
                if name != "cache_control" && name != "prompt_cache_breakpoint" {
                    object.raw(name, value.get());
                }
            }
            object.end();
        }
        Err(_) => out.extend_from_slice(part.get().as_bytes()),
    });
    String::from_utf8(out).unwrap_or_default()
}

/// Writes the list of messages anew. One message can become several: each tool result is one.
pub(super) fn write(
    messages: &[Message],
    rules: &Rules<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    let mut written: Vec<Vec<u8>> = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        let writing = Writing { number, message, rules };
        let is_result = |part: &&Part| matches!(part.content, Content::ToolResult { .. });
        let mut shown: Vec<&Part> = Vec::new();
        for part in message.parts.iter().filter(is_result) {
            written.push(writing.tool_result(part, &mut shown)?);
        }
        let rest: Vec<&Part> = message.parts.iter().filter(|part| !is_result(part)).collect();
        let has_results = rest.len() < message.parts.len();
        shown.extend(&rest);
        // Tools answer in words only, so what they show follows in the user's name.
        let role = if has_results { Role::User } else { message.role };
        if !has_results || !shown.is_empty() {
            written.push(writing.message(role, &shown)?);
        }
    }
    emit::list(out, written, |message, out| out.extend(message));
    Ok(())
}

/// A message that is being written.
struct Writing<'m, 'r> {
    number: usize,
    message: &'m Message,
    rules: &'r Rules<'r>,
}

impl<'m> Writing<'m, '_> {
    fn tool_result(
        &self,
        part: &'m Part,
        shown: &mut Vec<&'m Part>,
    ) -> Result<Vec<u8>, WriteError> {
        let Content::ToolResult { call_id, parts, .. } = &part.content else {
            return Ok(Vec::new());
        };
        let (media, said): (Vec<&Part>, Vec<&Part>) =
            parts.iter().partition(|part| matches!(part.content, Content::Media(_)));
        shown.extend(media);
        let mut out = Vec::new();
        let mut object = Writer::begin(&mut out);
        object.raw("role", r#""tool""#);
        object.value("tool_call_id", &call_id::write(call_id, self.rules));
        self.content(&said, &mut object)?;
        if self.message.role == Role::Tool {
            self.own_fields(&mut object);
        }
        object.end();
        Ok(out)
    }

    fn message(&self, role: Role, parts: &[&'m Part]) -> Result<Vec<u8>, WriteError> {
        let mut out = Vec::new();
        let mut object = Writer::begin(&mut out);
        object.value("role", role_name(role, self.rules));
        if role == Role::Assistant {
            self.assistant(parts, &mut object)?;
        } else {
            let speaker = speaker::of(self.message, self.rules);
            let first = parts.iter().position(|part| matches!(part.content, Content::Text(_)));
            let named = first.and_then(|at| speaker::named(parts.get(at)?, speaker?));
            let mut parts: Vec<&Part> = parts.to_vec();
            if let (Some(slot), Some(named)) = (first.and_then(|at| parts.get_mut(at)), &named) {
                *slot = named;
            }
            self.content(&parts, &mut object)?;
        }
        if role == self.message.role {
            self.own_fields(&mut object);
        }
        object.end();
        Ok(out)
    }

    fn own_fields(&self, object: &mut Writer<'_>) {
        let is_said = speaker::of(self.message, self.rules).is_some();
        object.optional("name", self.message.name.as_ref().filter(|_| !is_said));
        for (name, json) in self.message.extra.fields_of(NAME) {
            if self.rules.is_openrouter() || !is_openrouters(name) {
                object.raw(name, json.as_str());
            }
        }
    }

    fn assistant(&self, parts: &[&'m Part], object: &mut Writer<'_>) -> Result<(), WriteError> {
        let is_image = |part: &Part| matches!(part.content, Content::Media(_));
        let said: Vec<&Part> = parts
            .iter()
            .copied()
            .filter(|part| match &part.content {
                Content::Text(_) => true,
                Content::Other(other) => !is_detail(other) && !is_custom_call(other),
                _ => false,
            })
            .collect();
        let refusal: String = parts
            .iter()
            .filter_map(|part| match &part.content {
                Content::Refusal(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        if said.is_empty() {
            object.raw("content", "null");
        } else {
            self.content(&said, object)?;
        }
        self.thoughts(parts, object);
        if !refusal.is_empty() {
            object.value("refusal", &refusal);
        }
        let is_call = |part: &&&Part| match &part.content {
            Content::ToolCall { .. } => true,
            Content::Other(other) => is_custom_call(other),
            _ => false,
        };
        let mut calls = parts.iter().filter(is_call).peekable();
        if calls.peek().is_some() {
            object.list("tool_calls", calls, |part, out| write_call(part, self.rules, out));
        }
        // Only OpenRouter takes pictures in the assistant's name.
        let images: Vec<&Part> = parts.iter().copied().filter(|part| is_image(part)).collect();
        if !images.is_empty() && self.rules.is_openrouter() {
            self.list(&images, object.key("images"))?;
        }
        Ok(())
    }

    fn thoughts(&self, parts: &[&Part], object: &mut Writer<'_>) {
        match self.rules.history() {
            History::Nothing => {}
            History::Content => {
                object.optional("reasoning_content", thought_of(self.message, self.rules).as_ref());
            }
            History::Details => {
                let mut details = thoughts(parts.iter().copied(), self.rules).peekable();
                if details.peek().is_some() {
                    object.list("reasoning_details", details, |part, out| {
                        write_thought(part, self.rules, out);
                    });
                }
            }
        }
    }

    /// Writes `content`: a string where one text says it all.
    fn content(&self, parts: &[&Part], object: &mut Writer<'_>) -> Result<(), WriteError> {
        let keeps_breakpoints = self.rules.is_openrouter();
        match parts {
            [] => object.value("content", ""),
            [Part { content: Content::Text(text), cache_control }]
                if cache_control.is_none() || !keeps_breakpoints =>
            {
                object.value("content", text);
            }
            _ => self.list(parts, object.key("content"))?,
        }
        Ok(())
    }

    fn list(&self, parts: &[&Part], out: &mut Vec<u8>) -> Result<(), WriteError> {
        let mut failed = None;
        emit::list(out, parts, |part, out| {
            if let Err(what) = content_write::write(part, self.rules.is_openrouter(), out) {
                failed = Some(self.rules.cannot(format!("{what} in messages[{}]", self.number)));
            }
        });
        failed.map_or(Ok(()), Err)
    }
}

fn write_call(part: &Part, rules: &Rules<'_>, out: &mut Vec<u8>) {
    match &part.content {
        Content::ToolCall { id, name, arguments } => {
            let mut call = Writer::begin(out);
            call.value("id", &call_id::write(id, rules));
            call.raw("type", r#""function""#);
            call.object("function", |function| {
                function.value("name", name);
                function.value("arguments", arguments);
            });
            call.end();
        }
        Content::Other(other) => out.extend_from_slice(other.json.as_str().as_bytes()),
        _ => {}
    }
}

fn role_name(role: Role, rules: &Rules<'_>) -> &'static str {
    match role {
        Role::Developer if rules.to.quirks.no_developer_role => "system",
        Role::Developer => "developer",
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

/// Whether it is an element of `reasoning_details` whose type is not known.
fn is_detail(other: &Other) -> bool {
    kind_of(other).is_some_and(|kind| kind.starts_with("reasoning."))
}

/// Whether it is a call of a tool that is no function.
fn is_custom_call(other: &Other) -> bool {
    kind_of(other).as_deref() == Some("custom")
}

fn kind_of(other: &Other) -> Option<String> {
    let fields = Object::parse(other.json.as_str()).ok()?;
    text(fields.field("type")).filter(|_| other.dialect == NAME)
}
