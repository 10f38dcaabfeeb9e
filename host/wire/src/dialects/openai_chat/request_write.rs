//! Writing requests for upstreams. A body of this dialect is patched: every byte that the gateway
//! does not own goes through. Everything else is written from the canonical form.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::emit::Object as Writer;
use super::message_write::{self, Rules};
use super::request_read::is_control;
use super::shape::{list, text};
use super::{NAME, search, service, tools_write};
use crate::dialect::{Outgoing, ReasoningStyle, Target};
use crate::error::WriteError;
use crate::json::{Json, Object};
use crate::request::{Effort, Reasoning, Request, ResponseFormat, Sampling};
use crate::source::Source;

/// Writes a request for an upstream.
pub(super) fn write(request: &Request, to: &Target<'_>) -> Result<Outgoing, WriteError> {
    let source = Source::of_dialect(&request.source, NAME);
    let text = source.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    let fields = text.and_then(|text| Object::parse(text).ok());
    let rules = Rules::new(to);
    let search = search::fields(request, &rules)?;
    let body = match (&source, fields) {
        (Some(bytes), Some(fields)) => match patch(request, &rules, &fields, search) {
            Some(patched) => patched.into(),
            None => bytes.clone(),
        },
        _ => Bytes::from(write_canonical(request, &rules, &search)?),
    };
    let headers = match rules.is_openrouter() {
        true => request.service.openrouter_headers(),
        false => Vec::new(),
    };
    Ok(Outgoing { path: "/chat/completions".to_owned(), headers, body })
}

/// What becomes of a client's field.
enum Fate {
    Keep,
    Drop,
    Replace(String),
    Become(&'static str, String),
}

/// The client's body with the gateway's changes; `None` when there are none.
fn patch(
    request: &Request,
    rules: &Rules<'_>,
    fields: &Object<'_>,
    search: Vec<(&'static str, Json)>,
) -> Option<Vec<u8>> {
    let mut is_changed = false;
    let mut kept: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    for (name, raw) in &fields.0 {
        let mut push = |name: Cow<'_, str>, value| kept.push((name.into_owned().into(), value));
        match fate(name, raw, request, rules, fields) {
            Fate::Keep => push(name.clone(), Cow::Borrowed(raw.get())),
            Fate::Drop => is_changed = true,
            Fate::Replace(value) => {
                is_changed |= value != raw.get();
                push(name.clone(), Cow::Owned(value));
            }
            Fate::Become(new, value) => {
                is_changed = true;
                push(Cow::Borrowed(new), Cow::Owned(value));
            }
        }
    }
    let search = search.into_iter().map(|(name, json)| (name, json.as_str().to_owned()));
    for (name, value) in owned(request, rules).into_iter().chain(search) {
        if !kept.iter().any(|(known, _)| known == name) {
            is_changed = true;
            kept.push((Cow::Borrowed(name), Cow::Owned(value)));
        }
    }
    is_changed.then(|| {
        let mut out = Vec::new();
        let mut object = Writer::begin(&mut out);
        for (name, value) in &kept {
            object.raw(name, value);
        }
        object.end();
        out
    })
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
        _ if is_control(name) || is_refused(name, rules) => Fate::Drop,
        "speed" if !rules.is_openrouter() => match &request.service.tier {
            Some(tier) if fields.field(TIER).is_none() && service::takes(TIER, rules) => {
                Fate::Become(TIER, Json::of(tier).as_str().to_owned())
            }
            _ => Fate::Drop,
        },
        _ if !service::takes(name, rules) => Fate::Drop,
        TIER | "verbosity" => replaced(service::replaced(name, &request.service, rules)),
        "stream" if !rules.to.stream && raw.get() == "null" => Fate::Keep,
        "model" | "stream" | "stream_options" | "reasoning_effort" => {
            match owned(request, rules).into_iter().find(|(known, _)| *known == name) {
                Some((_, value)) => Fate::Replace(value),
                None if name == "stream" => Fate::Replace("false".to_owned()),
                None if name == "reasoning_effort" && rules.is_openrouter() => Fate::Keep,
                None => Fate::Drop,
            }
        }
        "reasoning" if !rules.is_openrouter() => Fate::Drop,
        "max_tokens" | "max_completion_tokens" => {
            let wanted = rules.max_tokens_name();
            let newer = fields.field("max_completion_tokens").filter(|raw| raw.get() != "null");
            let is_winner = name == "max_completion_tokens" || newer.is_none();
            match (is_winner && raw.get() != "null", name == wanted) {
                (false, _) => Fate::Drop,
                (true, true) => Fate::Keep,
                (true, false) => Fate::Become(wanted, raw.get().to_owned()),
            }
        }
        "messages" => replaced(message_write::patch(raw, &request.messages, rules)),
        "tools" => match tools_write::patch(raw, rules) {
            Some(tools) if tools == "[]" => Fate::Drop,
            patched => replaced(patched),
        },
        "tool_choice" | "parallel_tool_calls" if has_lost_tools(fields, rules) => Fate::Drop,
        "tool_choice" if tools_write::is_gateways(raw, rules) => Fate::Drop,
        "response_format" if rules.to.quirks.no_json_schema => {
            let kind = Object::parse(raw.get()).ok().and_then(|object| text(object.field("type")));
            match kind.as_deref() {
                Some("json_schema") => Fate::Replace(JSON_OBJECT.to_owned()),
                _ => Fate::Keep,
            }
        }
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
    let mut owned = vec![("model", Json::of(&rules.to.model).as_str().to_owned())];
    if rules.to.stream {
        owned.push(("stream", "true".to_owned()));
        if rules.to.quirks.stream_options {
            owned.push(("stream_options", r#"{"include_usage":true}"#.to_owned()));
        }
    }
    let reasoning = request.reasoning.as_ref().filter(|_| !rules.is_openrouter());
    if let Some(effort) = reasoning.and_then(|reasoning| effort(reasoning, rules.to)) {
        owned.push(("reasoning_effort", Json::of(&effort.as_str()).as_str().to_owned()));
    }
    owned
}

/// The effort that says the same, for hosts that know no other form. Budgets become the nearest
/// effort; `max` is OpenRouter's word for the highest that hosts know.
fn effort(reasoning: &Reasoning, to: &Target<'_>) -> Option<Effort> {
    if to.reasoning == ReasoningStyle::None {
        return None;
    }
    if reasoning.enabled == Some(false) {
        return Some(Effort::None);
    }
    let of_budget = |budget: u32| match budget {
        0 => Effort::None,
        1..=2048 => Effort::Low,
        2049..=8192 => Effort::Medium,
        _ => Effort::High,
    };
    let is_on = (reasoning.enabled == Some(true)).then_some(Effort::Medium);
    match reasoning.effort.or(reasoning.max_tokens.map(of_budget)).or(is_on) {
        Some(Effort::Max) if to.efforts.is_empty() => Some(Effort::Xhigh),
        effort => effort.map(|effort| to.nearest_effort(effort)),
    }
}

/// Fields that this upstream is known to refuse.
fn is_refused(name: &str, rules: &Rules<'_>) -> bool {
    const NOT_OPENAIS: [&str; 4] = ["top_k", "min_p", "top_a", "repetition_penalty"];
    const NOT_STRICT: [&str; 2] = ["seed", "logit_bias"];
    let quirks = rules.to.quirks;
    let is_strict = quirks.strict_parameters;
    ((is_strict || quirks.max_completion_tokens) && NOT_OPENAIS.contains(&name))
        || (is_strict && NOT_STRICT.contains(&name))
        || (name == "n" && quirks.no_n)
}

fn write_canonical(
    request: &Request,
    rules: &Rules<'_>,
    search: &[(&'static str, Json)],
) -> Result<Vec<u8>, WriteError> {
    let mut out = Vec::new();
    let mut body = Writer::begin(&mut out);
    for (name, value) in owned(request, rules) {
        body.raw(name, &value);
    }
    message_write::write(&request.messages, rules, body.key("messages"))?;
    let has_tools = tools_write::write(&request.tools, rules, &mut body)?;
    if has_tools || request.tools.is_empty() {
        tools_write::write_choice(request.tool_choice.as_ref(), rules, &mut body)?;
        body.optional("parallel_tool_calls", request.parallel_tool_calls.as_ref());
    }
    write_sampling(&request.sampling, rules, &mut body);
    if let Some(reasoning) = request.reasoning.as_ref().filter(|_| rules.is_openrouter()) {
        write_reasoning(reasoning, &mut body);
    }
    if let Some(format) = &request.response_format {
        write_format(format, rules, &mut body)?;
    }
    body.optional("user", request.user.as_ref());
    service::write(&request.service, rules, &mut body);
    for (name, json) in search {
        body.raw(name, json.as_str());
    }
    for (name, json) in request.extra.fields_of(NAME) {
        if search.iter().any(|(known, _)| known == name) {
            continue;
        }
        if !is_refused(name, rules) && service::takes(name, rules) {
            body.raw(name, json.as_str());
        }
    }
    body.end();
    Ok(out)
}

fn write_sampling(sampling: &Sampling, rules: &Rules<'_>, body: &mut Writer<'_>) {
    body.optional(rules.max_tokens_name(), sampling.max_tokens.as_ref());
    let numbers = [
        ("temperature", sampling.temperature),
        ("top_p", sampling.top_p),
        ("min_p", sampling.min_p),
        ("top_a", sampling.top_a),
        ("frequency_penalty", sampling.frequency_penalty),
        ("presence_penalty", sampling.presence_penalty),
        ("repetition_penalty", sampling.repetition_penalty),
    ];
    for (name, number) in numbers {
        body.optional(name, number.as_ref().filter(|_| !is_refused(name, rules)));
    }
    body.optional("top_k", sampling.top_k.as_ref().filter(|_| !is_refused("top_k", rules)));
    body.optional("seed", sampling.seed.as_ref().filter(|_| !is_refused("seed", rules)));
    if !sampling.stop.is_empty() {
        body.value("stop", &sampling.stop);
    }
    body.optional("n", sampling.n.as_ref().filter(|_| !is_refused("n", rules)));
    body.optional("logprobs", sampling.logprobs.as_ref());
    body.optional("top_logprobs", sampling.top_logprobs.as_ref());
    let bias = sampling.logit_bias.as_ref().filter(|_| !is_refused("logit_bias", rules));
    body.optional("logit_bias", bias);
}

fn write_reasoning(reasoning: &Reasoning, body: &mut Writer<'_>) {
    body.object("reasoning", |object| {
        object.optional("enabled", reasoning.enabled.as_ref());
        object.optional("effort", reasoning.effort.map(Effort::as_str).as_ref());
        object.optional("max_tokens", reasoning.max_tokens.as_ref());
        object.optional("exclude", Some(&true).filter(|_| reasoning.exclude));
        object.optional("summary", reasoning.summary.as_ref());
    });
}

fn write_format(
    format: &ResponseFormat,
    rules: &Rules<'_>,
    body: &mut Writer<'_>,
) -> Result<(), WriteError> {
    match format {
        ResponseFormat::Text => {}
        ResponseFormat::JsonObject => body.raw("response_format", JSON_OBJECT),
        ResponseFormat::JsonSchema { .. } if rules.to.quirks.no_json_schema => {
            body.raw("response_format", JSON_OBJECT);
        }
        ResponseFormat::JsonSchema { name, description, schema, strict } => {
            let (schema, strict) = tools_write::strictly(schema.as_ref(), *strict, rules);
            body.object("response_format", |format| {
                format.raw("type", r#""json_schema""#);
                format.object("json_schema", |object| {
                    object.value("name", name);
                    object.optional("description", description.as_ref());
                    object.optional("schema", schema.as_ref());
                    object.optional("strict", strict.as_ref());
                });
            });
        }
        ResponseFormat::Other(other) if other.dialect == NAME => {
            body.raw("response_format", other.json.as_str());
        }
        ResponseFormat::Other(other) => {
            return Err(rules.cannot(format!("a response format of {}", other.dialect)));
        }
    }
    Ok(())
}

const TIER: &str = "service_tier";
const JSON_OBJECT: &str = r#"{"type":"json_object"}"#;
