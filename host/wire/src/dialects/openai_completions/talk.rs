//! A conversation as a template takes it: texts without control tokens, turn by turn, and an error
//! for what can't be said in words.

use serde::Serialize;

use super::NAME;
use super::family::{Calls, Family, System};
use super::neutral;
use super::request_write::cannot;
use crate::chunk::Role;
use crate::error::WriteError;
use crate::json::{Json, Object};
use crate::request::{Content, MediaKind, Message, Part, Request, Tool, ToolChoice};
use crate::server_tool::{self, ServerTool};
use crate::web_search::{WHAT, WebSearch};

/// What a template is given.
#[derive(Debug, Default, Serialize)]
pub(super) struct Talk {
    /// The system prompt, where the family has a place of its own for it.
    pub(super) system: String,
    /// The tools, each as JSON text.
    pub(super) tools: Vec<String>,
    /// The turns, oldest first.
    pub(super) turns: Vec<Turn>,
    /// Whether the last turn is the model's own, to be continued.
    is_open: bool,
}

/// One turn.
#[derive(Debug, Default, Serialize)]
pub(super) struct Turn {
    /// `system`, `user`, `assistant` or `tool`.
    pub(super) role: &'static str,
    /// What is said.
    pub(super) text: String,
    /// The same as JSON text; of a tool's result only.
    json: String,
    /// The call that is answered, as JSON text and as it is; of a tool's result only.
    id: String,
    plain_id: String,
    /// What the assistant calls.
    calls: Vec<Call>,
    /// Whether another speaker's turn stands before and after it.
    is_first: bool,
    is_last: bool,
    /// Whether it is the last one that the user has.
    is_asking: bool,
    /// Whether it is the model's own, to be continued.
    is_open: bool,
}

/// A call; everything is JSON text.
#[derive(Debug, Serialize)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

/// Reads a request's conversation.
pub(super) fn read(request: &Request, family: &Family) -> Result<Talk, WriteError> {
    let mut reading = Reading { family, systems: Vec::new(), turns: Vec::new() };
    for (number, message) in request.messages.iter().enumerate() {
        reading.message(number, message)?;
    }
    let tools = read_tools(request, family)?;
    let mut talk = reading.end();
    if !tools.is_empty()
        && family.calls == Calls::Listed
        && !talk.turns.iter().any(|turn| turn.is_asking)
    {
        return Err(cannot("tools without a message of the user"));
    }
    talk.tools = tools;
    Ok(talk)
}

/// The tools that the model is told of, each as JSON text.
fn read_tools(request: &Request, family: &Family) -> Result<Vec<String>, WriteError> {
    match &request.tool_choice {
        Some(ToolChoice::None) => return Ok(Vec::new()),
        None | Some(ToolChoice::Auto) => {}
        Some(ToolChoice::Other(other)) if server_tool::is_gateways(&other.json) => {}
        Some(_) => return Err(cannot("a tool choice that demands a call")),
    }
    if WebSearch::of_request(request).is_some() {
        return Err(cannot(WHAT));
    }
    let is_told = |tool: &&Tool| match tool {
        Tool::Function { .. } => true,
        Tool::Other(other) => !matches!(ServerTool::of(other, NAME), ServerTool::Gateways(_)),
    };
    request.tools.iter().filter(is_told).map(|tool| read_tool(tool, family)).collect()
}

fn read_tool(tool: &Tool, family: &Family) -> Result<String, WriteError> {
    if family.calls == Calls::None {
        return Err(cannot("tools in this chat template"));
    }
    let Tool::Function { name, description, parameters, .. } = tool else {
        return Err(cannot("a provider's own tool"));
    };
    let json = |text: &str| Json::of(&text).as_str().to_owned();
    let mut fields = vec![format!("\"name\": {}", json(name))];
    fields.extend(description.as_ref().map(|text| format!("\"description\": {}", json(text))));
    fields.extend(
        parameters.as_ref().map(|json| format!("\"parameters\": {}", on_one_line(json.as_str()))),
    );
    let function = fields.join(", ");
    let tool = format!("{{\"type\": \"function\", \"function\": {{{function}}}}}");
    Ok(neutral::json(&tool, family))
}

/// JSON text as Python writes it, which is what models were shown: on one line, a space after every
/// comma and colon. Numbers, strings and the order of keys stay.
fn on_one_line(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut is_inside, mut is_escaped) = (false, false);
    for character in json.chars() {
        if !is_inside && character.is_ascii_whitespace() {
            continue;
        }
        out.push(character);
        match character {
            '"' if !is_escaped => is_inside = !is_inside,
            ',' | ':' if !is_inside => out.push(' '),
            _ => {}
        }
        is_escaped = is_inside && character == '\\' && !is_escaped;
    }
    out
}

/// A conversation that is being read.
struct Reading<'f> {
    family: &'f Family,
    systems: Vec<String>,
    turns: Vec<Turn>,
}

impl Reading<'_> {
    fn message(&mut self, number: usize, message: &Message) -> Result<(), WriteError> {
        let mut words: Vec<&str> = Vec::new();
        let mut turn = Turn::default();
        for part in &message.parts {
            match &part.content {
                Content::Text(text) | Content::Refusal(text) => words.push(text),
                Content::ToolCall { id, name, arguments } => {
                    turn.calls.push(self.call(id, name, arguments)?);
                }
                Content::ToolResult { call_id, parts, .. } => {
                    self.result(number, call_id, parts)?;
                }
                // The families' own templates leave out what was thought in earlier turns.
                Content::Reasoning { .. } => {}
                Content::Media(_) | Content::Other(_) => {
                    return Err(not_words(&part.content, number));
                }
            }
        }
        turn.text = neutral::text(&words.join("\n"), self.family);
        match message.role {
            Role::System | Role::Developer if self.turns.is_empty() => {
                self.systems.push(self.trimmed(turn.text));
            }
            Role::System | Role::Developer => {
                let is_system = self.family.system == System::Turns;
                turn.role = if is_system { "system" } else { "user" };
                self.push(turn);
            }
            Role::Tool if words.is_empty() => {}
            Role::User if words.is_empty() && !message.parts.is_empty() => {}
            Role::User | Role::Tool => {
                turn.role = "user";
                self.push(turn);
            }
            Role::Assistant if turn.text.is_empty() && turn.calls.is_empty() => {}
            Role::Assistant => {
                turn.role = "assistant";
                self.push(turn);
            }
        }
        Ok(())
    }

    fn call(&self, id: &str, name: &str, arguments: &str) -> Result<Call, WriteError> {
        if self.family.calls == Calls::None {
            return Err(cannot("tool calls in this chat template"));
        }
        // Text that is no object still has to stand where JSON does.
        let arguments = match arguments.trim() {
            "" => "{}".to_owned(),
            text if Object::parse(text).is_ok() => text.to_owned(),
            text => Json::of(&text).as_str().to_owned(),
        };
        Ok(Call { id: self.json(id), name: self.json(name), arguments: self.neutral(&arguments) })
    }

    fn result(&mut self, number: usize, id: &str, parts: &[Part]) -> Result<(), WriteError> {
        if self.family.calls == Calls::None && self.family.template.is_some() {
            return Err(cannot("tool results in this chat template"));
        }
        let mut words: Vec<&str> = Vec::new();
        for part in parts {
            match &part.content {
                Content::Text(text) | Content::Refusal(text) => words.push(text),
                other => return Err(not_words(other, number)),
            }
        }
        let words = words.join("\n");
        self.push(Turn {
            role: "tool",
            json: self.json(&words),
            text: neutral::text(&words, self.family),
            id: self.json(id),
            plain_id: neutral::text(id, self.family),
            ..Turn::default()
        });
        Ok(())
    }

    /// A text as JSON.
    fn json(&self, text: &str) -> String {
        self.neutral(Json::of(&text).as_str())
    }

    fn neutral(&self, json: &str) -> String {
        neutral::json(json, self.family)
    }

    fn trimmed(&self, text: String) -> String {
        if self.family.trims { text.trim().to_owned() } else { text }
    }

    fn push(&mut self, turn: Turn) {
        let last = self.turns.last_mut().filter(|_| self.family.alternates && turn.role != "tool");
        match last.filter(|last| last.role == turn.role && last.calls.is_empty()) {
            Some(last) => {
                join(&mut last.text, &turn.text);
                last.calls = turn.calls;
            }
            None => self.turns.push(turn),
        }
    }

    fn end(mut self) -> Talk {
        let mut system = self.systems.join("\n\n");
        let place = match self.family.system {
            System::Turns | System::First => None,
            System::FirstUser => self.turns.iter().take(1).position(is_user),
            System::LastUser => self.turns.iter().rposition(is_user),
        };
        if !matches!(self.family.system, System::Turns | System::First) && !system.is_empty() {
            let text = std::mem::take(&mut system);
            match place.and_then(|place| self.turns.get_mut(place)) {
                Some(turn) => {
                    let words = std::mem::replace(&mut turn.text, text);
                    join(&mut turn.text, &words);
                }
                None => self.turns.insert(0, Turn { role: "user", text, ..Turn::default() }),
            }
        }
        self.mark();
        let is_open = self.turns.last().is_some_and(|turn| turn.is_open);
        Talk { system, tools: Vec::new(), turns: self.turns, is_open }
    }

    /// Says of each turn where it stands.
    fn mark(&mut self) {
        let roles: Vec<&str> = self.turns.iter().map(|turn| turn.role).collect();
        let asking = self.turns.iter().rposition(is_user);
        for (number, turn) in self.turns.iter_mut().enumerate() {
            let before = number.checked_sub(1).and_then(|before| roles.get(before));
            let after = roles.get(number + 1);
            turn.is_first = before != Some(&turn.role);
            turn.is_last = after != Some(&turn.role);
            turn.is_asking = asking == Some(number);
            turn.is_open = after.is_none() && turn.role == "assistant" && turn.calls.is_empty();
            if self.family.trims {
                turn.text = match turn.is_open {
                    // What the model goes on from stays as it is.
                    true => turn.text.trim_start().to_owned(),
                    false => turn.text.trim().to_owned(),
                };
            }
        }
    }
}

fn is_user(turn: &Turn) -> bool {
    turn.role == "user"
}

fn join(words: &mut String, more: &str) {
    if !words.is_empty() && !more.is_empty() {
        words.push_str("\n\n");
    }
    words.push_str(more);
}

fn not_words(content: &Content, number: usize) -> WriteError {
    let what = match content {
        Content::Media(media) => match media.kind {
            MediaKind::Image => "an image",
            MediaKind::Audio => "a sound",
            MediaKind::Video => "a video",
            MediaKind::File => "a file",
        },
        Content::Other(other) => {
            return cannot(format!("a part of {} in messages[{number}]", other.dialect));
        }
        _ => "this part of a tool's result",
    };
    cannot(format!("{what} in messages[{number}]"))
}
