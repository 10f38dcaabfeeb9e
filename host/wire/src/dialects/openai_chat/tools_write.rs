//! Writing tools and the choice among them. The gateway's own tools never reach an upstream that
//! does not know them.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use super::emit::{self, Object as Writer};
use super::message_write::Rules;
use super::shape::{list, text};
use super::{NAME, search};
use crate::error::WriteError;
use crate::json::{Json, Object};
use crate::request::{Other, Tool, ToolChoice};
use crate::server_tool::{self, ServerTool};
use crate::web_search::WebSearch;

/// The client's list without the gateway's tools and cache breakpoints; `None` when it stays.
pub(super) fn patch(raw: &RawValue, rules: &Rules<'_>) -> Option<String> {
    if rules.is_openrouter() {
        return None;
    }
    let tools = list(Some(raw));
    let is_odd = |tool: &&&RawValue| is_gateways(tool, rules) || has_breakpoint(tool);
    tools.iter().find(is_odd)?;
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

fn has_breakpoint(tool: &RawValue) -> bool {
    Object::parse(tool.get()).is_ok_and(|fields| fields.field("cache_control").is_some())
}

/// Whether a tool, or a choice of one, is run by a gateway: OpenRouter's server tools, and
/// OpenAI's search tools, which the chat dialect has no form for.
pub(super) fn is_gateways(tool: &RawValue, rules: &Rules<'_>) -> bool {
    let kind = Object::parse(tool.get()).ok().and_then(|fields| text(fields.field("type")));
    let is_known = |kind: &str| kind.starts_with("openrouter:") || kind.starts_with("web_search");
    !rules.is_openrouter() && kind.is_some_and(|kind| is_known(&kind))
}

/// Writes `tools`; whether there are any.
pub(super) fn write(
    tools: &[Tool],
    rules: &Rules<'_>,
    body: &mut Writer<'_>,
) -> Result<bool, WriteError> {
    let mut kept = Vec::new();
    for tool in tools {
        match tool {
            Tool::Function { .. } => kept.push(Cow::Borrowed(tool)),
            // The upstream is told in fields of its own.
            _ if !rules.is_openrouter() && WebSearch::of_tool(tool).is_some() => {}
            Tool::Other(other) if other.dialect == NAME => {
                let raw = other.json.read::<&RawValue>();
                if raw.is_ok_and(|raw| !is_gateways(raw, rules)) {
                    kept.push(Cow::Borrowed(tool));
                }
            }
            Tool::Other(_) if let Some(json) = search::tool(tool) => {
                kept.push(Cow::Owned(Tool::Other(Other { dialect: NAME, json })));
            }
            Tool::Other(other) => match ServerTool::of(other, NAME) {
                ServerTool::Gateways(_) if !rules.is_openrouter() => {}
                ServerTool::Gateways(_) => kept.push(Cow::Borrowed(tool)),
                _ => return Err(rules.cannot(format!("a tool of {}", other.dialect))),
            },
        }
    }
    if kept.is_empty() {
        return Ok(false);
    }
    body.list("tools", kept, |tool, out| write_tool(&tool, rules, out));
    Ok(true)
}

/// A schema that the host must hold the model to, as that host takes it. What it can't be held to
/// is a wish instead.
pub(super) fn strictly<'s>(
    schema: Option<&'s Json>,
    strict: Option<bool>,
    rules: &Rules<'_>,
) -> (Option<Cow<'s, Json>>, Option<bool>) {
    let is_held = strict == Some(true) && rules.to.quirks.strict_schemas;
    let Some(whole) = schema.filter(|_| is_held) else {
        return (schema.map(Cow::Borrowed), strict);
    };
    let before = whole.read::<Value>().unwrap_or_default();
    match crate::schema::fit(&before, &crate::schema::OPENAI) {
        Some(after) if after == before => (Some(Cow::Borrowed(whole)), strict),
        Some(after) => (Some(Cow::Owned(Json::of(&after))), strict),
        None => (Some(Cow::Borrowed(whole)), Some(false)),
    }
}

fn write_tool(tool: &Tool, rules: &Rules<'_>, out: &mut Vec<u8>) {
    let (name, description, parameters, strict, cache_control) = match tool {
        Tool::Other(other) => return out.extend_from_slice(other.json.as_str().as_bytes()),
        Tool::Function { name, description, parameters, strict, cache_control } => {
            (name, description, parameters, strict, cache_control)
        }
    };
    let (parameters, strict) = strictly(parameters.as_ref(), *strict, rules);
    let mut object = Writer::begin(out);
    object.raw("type", r#""function""#);
    object.object("function", |function| {
        function.value("name", name);
        function.optional("description", description.as_ref());
        function.optional("parameters", parameters.as_ref());
        function.optional("strict", strict.as_ref());
    });
    object.optional("cache_control", cache_control.as_ref().filter(|_| rules.is_openrouter()));
    object.end();
}

/// Writes `tool_choice`.
pub(super) fn write_choice(
    choice: Option<&ToolChoice>,
    rules: &Rules<'_>,
    body: &mut Writer<'_>,
) -> Result<(), WriteError> {
    match choice {
        None => {}
        Some(ToolChoice::Auto) => body.value("tool_choice", "auto"),
        Some(ToolChoice::None) => body.value("tool_choice", "none"),
        Some(ToolChoice::Required) => body.value("tool_choice", "required"),
        Some(ToolChoice::Function(name)) => body.object("tool_choice", |choice| {
            choice.raw("type", r#""function""#);
            choice.object("function", |function| function.value("name", name));
        }),
        Some(ToolChoice::Other(other)) if server_tool::is_gateways(&other.json) => {
            body.optional("tool_choice", Some(&other.json).filter(|_| rules.is_openrouter()));
        }
        Some(ToolChoice::Other(other)) if other.dialect != NAME => {
            return Err(rules.cannot(format!("a tool choice of {}", other.dialect)));
        }
        Some(ToolChoice::Other(other)) => {
            let raw = other.json.read::<&RawValue>().ok();
            let kept = raw.filter(|raw| !is_gateways(raw, rules));
            body.optional("tool_choice", kept.as_ref());
        }
    }
    Ok(())
}
