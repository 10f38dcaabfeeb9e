//! Writing tools and the choice among them. The gateway's own tools never reach an upstream that
//! does not know them.

use serde_json::value::RawValue;

use super::custom::Kind;
use super::request_write::Rules;
use super::{NAME, custom};
use crate::dialects::openai_chat::emit::{self, Object as Writer};
use crate::dialects::openai_chat::shape::{list, text};
use crate::error::WriteError;
use crate::json::{Json, Object};
use crate::request::{CustomTool, Tool, ToolChoice};

/// Whether a tool, or a choice of one, is run by a gateway.
pub(super) fn is_gateways(tool: &RawValue, rules: &Rules<'_>) -> bool {
    let kind = Object::parse(tool.get()).ok().and_then(|fields| text(fields.field("type")));
    !rules.is_openrouter() && kind.is_some_and(|kind| kind.starts_with("openrouter:"))
}

/// The client's list without the gateway's tools and cache breakpoints; `None` when it stays.
pub(super) fn patch(raw: &RawValue, rules: &Rules<'_>) -> Option<String> {
    if rules.is_openrouter() {
        return None;
    }
    let tools = list(Some(raw));
    let has_breakpoint = |tool: &RawValue| {
        Object::parse(tool.get()).is_ok_and(|fields| fields.field("cache_control").is_some())
    };
    tools.iter().find(|tool| is_gateways(tool, rules) || has_breakpoint(tool))?;
    let kept = tools.iter().filter(|tool| !is_gateways(tool, rules));
    let mut out = Vec::new();
    emit::list(&mut out, kept, |tool, out| match Object::parse(tool.get()) {
        Ok(fields) if has_breakpoint(tool) => {
            let mut object = Writer::begin(out);
            for (name, value) in fields.0.iter().filter(|(name, _)| name != "cache_control") {
                object.raw(name, value.get());
            }
            object.end();
        }
        _ => out.extend_from_slice(tool.get().as_bytes()),
    });
    String::from_utf8(out).ok()
}

/// Writes `tools`; whether there are any.
pub(super) fn write(
    tools: &[Tool],
    custom: &[CustomTool],
    rules: &Rules<'_>,
    body: &mut Writer<'_>,
) -> Result<bool, WriteError> {
    let mut kept = Vec::new();
    for tool in tools {
        match tool {
            Tool::Function { .. } => kept.push(tool),
            Tool::Other(other) if other.dialect == NAME => {
                let raw = other.json.read::<&RawValue>();
                if raw.is_ok_and(|raw| !is_gateways(raw, rules)) {
                    kept.push(tool);
                }
            }
            Tool::Other(other) => {
                return Err(rules.cannot(format!("a tool of {}", other.dialect)));
            }
        }
    }
    if kept.is_empty() {
        return Ok(false);
    }
    body.list("tools", kept, |tool, out| write_tool(tool, custom, rules, out));
    Ok(true)
}

fn write_tool(tool: &Tool, custom: &[CustomTool], rules: &Rules<'_>, out: &mut Vec<u8>) {
    let (name, description, parameters, strict, cache_control) = match tool {
        Tool::Other(other) => return out.extend_from_slice(other.json.as_str().as_bytes()),
        Tool::Function { name, description, parameters, strict, cache_control } => {
            (name, description, parameters, strict, cache_control)
        }
    };
    if let Some(tool) = custom.iter().find(|tool| tool.name == *name) {
        return out.extend_from_slice(tool.json.as_str().as_bytes());
    }
    let mut object = Writer::begin(out);
    object.raw("type", r#""function""#);
    object.value("name", name);
    object.optional("description", description.as_ref());
    object.value("parameters", parameters);
    // Left out, it would be on here and off everywhere else.
    object.value("strict", &strict.unwrap_or(false));
    object.optional("cache_control", cache_control.as_ref().filter(|_| rules.is_openrouter()));
    object.end();
}

/// Writes `tool_choice`.
pub(super) fn write_choice(
    choice: Option<&ToolChoice>,
    tools: &[CustomTool],
    rules: &Rules<'_>,
    body: &mut Writer<'_>,
) -> Result<(), WriteError> {
    match choice {
        None => {}
        Some(ToolChoice::Auto) => body.value("tool_choice", "auto"),
        Some(ToolChoice::None) => body.value("tool_choice", "none"),
        Some(ToolChoice::Required) => body.value("tool_choice", "required"),
        Some(ToolChoice::Function(name)) => {
            let kind = match Kind::of_name(tools, name) {
                None => "function",
                Some(Kind::Custom) => "custom",
                Some(Kind::LocalShell) => custom::LOCAL_SHELL,
            };
            body.object("tool_choice", |choice| {
                choice.value("type", kind);
                if kind != custom::LOCAL_SHELL {
                    choice.value("name", name);
                }
            });
        }
        Some(ToolChoice::Other(other)) if other.dialect != NAME => {
            return Err(rules.cannot(format!("a tool choice of {}", other.dialect)));
        }
        Some(ToolChoice::Other(other)) => {
            let raw = other.json.read::<&RawValue>().ok().filter(|raw| !is_gateways(raw, rules));
            body.optional("tool_choice", raw.map(Json::from).as_ref());
        }
    }
    Ok(())
}
