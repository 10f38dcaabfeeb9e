//! A client's own body with the gateway's changes, and every other byte as it came.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::request_read::is_control;
use super::request_write::Rules;
use super::{input_patch, tools_write};
use crate::dialect::ReasoningStyle;
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::dialects::openai_chat::shape::{list, text};
use crate::json::{Json, Object};
use crate::request::{Effort, Request};

/// What becomes of a client's field.
enum Fate {
    Keep,
    Drop,
    Replace(String),
}

/// The client's body with the gateway's changes.
pub(super) fn patch(request: &Request, rules: &Rules<'_>, fields: &Object<'_>) -> Vec<u8> {
    let mut kept: Vec<(&str, Cow<'_, str>)> = Vec::new();
    for (name, raw) in &fields.0 {
        match fate(name, raw, request, rules, fields) {
            Fate::Keep => kept.push((name, Cow::Borrowed(raw.get()))),
            Fate::Drop => {}
            Fate::Replace(value) => kept.push((name, Cow::Owned(value))),
        }
    }
    for (name, value) in owned(request, rules) {
        if !kept.iter().any(|(known, _)| *known == name) {
            kept.push((name, Cow::Owned(value)));
        }
    }
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    for (name, value) in &kept {
        object.raw(name, value);
    }
    object.end();
    out
}

fn fate(
    name: &str,
    raw: &RawValue,
    request: &Request,
    rules: &Rules<'_>,
    fields: &Object<'_>,
) -> Fate {
    let replaced = |value: Option<String>| value.map_or(Fate::Keep, Fate::Replace);
    match name {
        _ if is_control(name) || rules.is_refused(name) => Fate::Drop,
        "stream" if !rules.to.stream && matches!(raw.get(), "false" | "null") => Fate::Keep,
        "stream" if !rules.to.stream => Fate::Replace("false".to_owned()),
        // Padding of the hop to the upstream helps nobody.
        "stream_options" if !rules.to.stream => Fate::Drop,
        "model" | "stream" | "store" => {
            let value = owned(request, rules).into_iter().find(|(known, _)| *known == name);
            replaced(value.map(|(_, value)| value))
        }
        "include" => {
            let asked: Vec<String> =
                list(Some(raw)).into_iter().filter_map(|raw| text(Some(raw))).collect();
            let include = rules.include(request, &asked);
            if include == asked { Fate::Keep } else { Fate::Replace(json(&include)) }
        }
        "reasoning" if !rules.is_openrouter() => thinking(raw, request, rules),
        "input" => replaced(input_patch::patch(raw, rules)),
        "tools" => match tools_write::patch(raw, rules) {
            Some(tools) if tools == "[]" => Fate::Drop,
            patched => replaced(patched),
        },
        "tool_choice" | "parallel_tool_calls" if has_lost_tools(fields, rules) => Fate::Drop,
        "tool_choice" if tools_write::is_gateways(raw, rules) => Fate::Drop,
        "service_tier" => match text(Some(raw)) {
            Some(tier) if rules.tier(&tier) != tier => Fate::Replace(json(rules.tier(&tier))),
            _ => Fate::Keep,
        },
        _ => Fate::Keep,
    }
}

/// Whether the client's tools were all the gateway's own.
fn has_lost_tools(fields: &Object<'_>, rules: &Rules<'_>) -> bool {
    let tools = list(fields.field("tools"));
    !tools.is_empty() && tools.iter().all(|tool| tools_write::is_gateways(tool, rules))
}

/// What the gateway itself has to say in every body.
fn owned(request: &Request, rules: &Rules<'_>) -> Vec<(&'static str, String)> {
    let mut owned = vec![("model", json(rules.to.model)), ("store", "false".to_owned())];
    if rules.to.stream {
        owned.push(("stream", "true".to_owned()));
    }
    let include = rules.include(request, &[]);
    if !include.is_empty() {
        owned.push(("include", json(&include)));
    }
    owned
}

/// `reasoning` in the words that the upstream knows.
fn thinking(raw: &RawValue, request: &Request, rules: &Rules<'_>) -> Fate {
    if rules.to.reasoning == ReasoningStyle::None {
        return Fate::Drop;
    }
    let Ok(fields) = Object::parse(raw.get()) else { return Fate::Keep };
    const OPENROUTERS: [&str; 3] = ["enabled", "max_tokens", "exclude"];
    let effort = rules.effort(request.reasoning.as_ref()).map(Effort::as_str);
    let is_plain = |name: &str| !OPENROUTERS.contains(&name);
    let said = text(fields.field("effort"));
    if effort == said.as_deref() && fields.0.iter().all(|(name, _)| is_plain(name)) {
        return Fate::Keep;
    }
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    object.optional("effort", effort.as_ref());
    for (name, value) in &fields.0 {
        if is_plain(name) && name != "effort" {
            object.raw(name, value.get());
        }
    }
    object.end();
    String::from_utf8(out).map_or(Fate::Keep, Fate::Replace)
}

fn json(value: &(impl serde::Serialize + ?Sized)) -> String {
    Json::of(&value).as_str().to_owned()
}
