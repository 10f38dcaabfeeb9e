//! Writing tools and the choice among them. The gateway's own tools never reach an upstream that
//! does not know them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::custom::Kind;
use super::request_write::Rules;
use super::{NAME, custom};
use crate::dialects::openai_chat::emit::{self, Object as Writer};
use crate::dialects::openai_chat::search;
use crate::dialects::openai_chat::shape::list;
use crate::error::WriteError;
use crate::json::{Json, Object};
use crate::request::{CustomTool, Other, Request, Tool, ToolChoice};
use crate::server_tool::{self, ServerTool};
use crate::web_search::{WHAT, WebSearch};

/// Whether a tool, or a choice of one, is run by a gateway.
pub(super) fn is_gateways(tool: &RawValue, rules: &Rules<'_>) -> bool {
    !rules.is_openrouter() && server_tool::is_gateways_text(tool)
}

/// Whether a search in OpenRouter's words is to be said in OpenAI's.
pub(super) fn are_reworded(request: &Request) -> bool {
    request.tools.iter().any(|tool| match tool {
        Tool::Function { .. } => false,
        Tool::Other(other) => matches!(ServerTool::of(other, NAME), ServerTool::Search(_)),
    })
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
    request: &Request,
    rules: &Rules<'_>,
    body: &mut Writer<'_>,
) -> Result<bool, WriteError> {
    let mut kept = Vec::new();
    for tool in &request.tools {
        match tool {
            Tool::Function { .. } => kept.push(Cow::Borrowed(tool)),
            Tool::Other(other) => match ServerTool::of(other, NAME) {
                ServerTool::Own(_) => kept.push(Cow::Borrowed(tool)),
                ServerTool::Gateways(_) if !rules.is_openrouter() => {}
                ServerTool::Gateways(_) => kept.push(Cow::Borrowed(tool)),
                ServerTool::Search(search) => kept.push(Cow::Owned(search_tool(&search, rules)?)),
                ServerTool::Foreign(other) => {
                    return Err(rules.cannot(format!("a tool of {}", other.dialect)));
                }
            },
        }
    }
    let is_search = |tool: &Tool| WebSearch::of_tool(tool).is_some();
    if !request.tools.iter().any(is_search)
        && let Some(search) = WebSearch::of_request(request)
    {
        kept.push(Cow::Owned(search_tool(&search, rules)?));
    }
    if kept.is_empty() {
        return Ok(false);
    }
    body.list("tools", kept, |tool, out| write_tool(&tool, &request.custom_tools, rules, out));
    Ok(true)
}

/// OpenAI's own tool; OpenRouter's where the request goes there, which says more.
fn search_tool(search: &WebSearch, rules: &Rules<'_>) -> Result<Tool, WriteError> {
    let json = match rules.is_openrouter() {
        true => search::server_tool(search),
        false if search.allowed_domains.is_empty() && !search.excluded_domains.is_empty() => {
            return Err(rules.cannot(format!("{WHAT} without given domains")));
        }
        false => native_search(search),
    };
    Ok(Tool::Other(Other { dialect: NAME, json }))
}

fn native_search(search: &WebSearch) -> Json {
    search::of(|tool| {
        tool.raw("type", r#""web_search""#);
        if !search.allowed_domains.is_empty() {
            tool.object("filters", |filters| {
                filters.value("allowed_domains", &search.allowed_domains);
            });
        }
        tool.optional("search_context_size", search.context_size.as_ref());
        if let Some(location) = &search.user_location {
            tool.object("user_location", |user| {
                user.raw("type", r#""approximate""#);
                location.fields().for_each(|(name, value)| user.value(name, value));
            });
        }
    })
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
        Some(ToolChoice::Other(other)) if server_tool::is_gateways(&other.json) => {
            body.optional("tool_choice", Some(&other.json).filter(|_| rules.is_openrouter()));
        }
        Some(ToolChoice::Other(other)) if other.dialect != NAME => {
            return Err(rules.cannot(format!("a tool choice of {}", other.dialect)));
        }
        Some(ToolChoice::Other(other)) => {
            body.raw("tool_choice", other.json.as_str());
        }
    }
    Ok(())
}
