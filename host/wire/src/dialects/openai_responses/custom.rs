//! Tools that are no functions, yet that the client runs: `custom`, whose calls hold plain text,
//! and `local_shell`. A function stands for each, so that every dialect can carry it.

use serde_json::value::RawValue;

use crate::dialects::openai_chat::emit::{self, Object as Writer};
use crate::dialects::openai_chat::shape::{text, word};
use crate::json::{Json, Object};
use crate::request::{CustomTool, Tool};

/// The kinds of such tools, and so of their calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `custom`.
    Custom,
    /// `local_shell`.
    LocalShell,
}

impl Kind {
    /// The kind of a tool.
    pub(super) fn of_tool(kind: &str) -> Option<Self> {
        match kind {
            "custom" => Some(Self::Custom),
            "local_shell" => Some(Self::LocalShell),
            _ => None,
        }
    }

    /// The kind of a call's item.
    pub(super) fn of_call(kind: &str) -> Option<Self> {
        Self::of_tool(kind.strip_suffix("_tool_call").or_else(|| kind.strip_suffix("_call"))?)
    }

    /// What the function of this name stands for, if it does.
    pub(super) fn of_name(tools: &[CustomTool], name: &str) -> Option<Self> {
        let tool = tools.iter().find(|tool| tool.name == name)?;
        let fields = tool.json.read::<Object<'_>>().ok()?;
        Self::of_tool(&text(fields.field("type"))?)
    }

    /// The type of a call's item.
    pub(super) fn call_type(self) -> &'static str {
        match self {
            Self::Custom => "custom_tool_call",
            Self::LocalShell => "local_shell_call",
        }
    }

    /// The type of the item that answers a call.
    pub(super) fn result_type(self) -> &'static str {
        match self {
            Self::Custom => "custom_tool_call_output",
            Self::LocalShell => "local_shell_call_output",
        }
    }
}

/// The function that stands for a tool; `None` for a tool that no function can stand for.
pub(super) fn function(raw: &RawValue) -> Option<(Tool, CustomTool)> {
    let fields = Object::parse(raw.get()).ok()?;
    let kind = Kind::of_tool(&text(fields.field("type"))?)?;
    let (name, description, parameters) = match kind {
        Kind::Custom => {
            let parts = [word(fields.field("description")), grammar(fields.field("format"))];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            let description = (!parts.is_empty()).then(|| parts.join("\n\n"));
            (word(fields.field("name"))?, description, INPUT_SCHEMA)
        }
        Kind::LocalShell => {
            let description = "Runs a command in a shell on the user's machine.".to_owned();
            (LOCAL_SHELL.to_owned(), Some(description), SHELL_SCHEMA)
        }
    };
    let function = Tool::Function {
        name: name.clone(),
        description,
        parameters: Json::parse(parameters).ok(),
        strict: None,
        cache_control: None,
    };
    Some((function, CustomTool { name, json: Json::from(raw) }))
}

/// What a grammar demands, in words: no other dialect can hold the model to it.
fn grammar(format: Option<&RawValue>) -> Option<String> {
    let fields = Object::parse(format?.get()).ok()?;
    let (syntax, definition) = (word(fields.field("syntax"))?, word(fields.field("definition"))?);
    Some(format!("The input must follow this {syntax} grammar:\n{definition}"))
}

/// A call's arguments, as the function that stands for its tool has them.
pub(super) fn arguments(kind: Kind, item: &Object<'_>) -> String {
    match kind {
        Kind::Custom => wrap(&text(item.field("input")).unwrap_or_default()),
        Kind::LocalShell => {
            let action = item.field("action").and_then(|raw| Object::parse(raw.get()).ok());
            let mut out = Vec::new();
            let mut arguments = Writer::begin(&mut out);
            for (name, value) in &action.unwrap_or_default().0 {
                if name != "type" {
                    arguments.raw(name, value.get());
                }
            }
            arguments.end();
            String::from_utf8(out).unwrap_or_default()
        }
    }
}

/// The arguments that hold a custom tool's input.
pub(super) fn wrap(input: &str) -> String {
    format!("{INPUT_BEGIN}{}{INPUT_END}", escape(input))
}

/// A piece of text as it stands inside of a JSON string.
pub(super) fn escape(piece: &str) -> String {
    let mut out = Vec::new();
    emit::write(&mut out, piece);
    let quoted = String::from_utf8(out).unwrap_or_default();
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// A custom tool's input out of arguments; arguments that hold none are the input themselves.
pub(super) fn input(arguments: &str) -> String {
    let fields = Object::parse(arguments).ok();
    fields.and_then(|fields| text(fields.field("input"))).unwrap_or_else(|| arguments.to_owned())
}

/// Writes a local shell's `action` out of arguments.
pub(super) fn write_action(arguments: &str, out: &mut Vec<u8>) {
    let fields = Object::parse(arguments).unwrap_or_default();
    let mut action = Writer::begin(out);
    action.raw("type", r#""exec""#);
    for (name, default) in [("command", "[]"), ("env", "{}")] {
        if fields.field(name).is_none() {
            action.raw(name, default);
        }
    }
    for (name, value) in fields.0.iter().filter(|(name, _)| name != "type") {
        action.raw(name, value.get());
    }
    action.end();
}

/// What the function that stands for `local_shell` is called.
pub(super) const LOCAL_SHELL: &str = "local_shell";
/// What comes before a custom tool's input in its arguments.
pub(super) const INPUT_BEGIN: &str = r#"{"input":""#;
/// What comes after it.
pub(super) const INPUT_END: &str = r#""}"#;
const INPUT_SCHEMA: &str = r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}"#;
const SHELL_SCHEMA: &str = r#"{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"}},"working_directory":{"type":"string"},"timeout_ms":{"type":"integer"},"env":{"type":"object","additionalProperties":{"type":"string"}}},"required":["command"]}"#;
