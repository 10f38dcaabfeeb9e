//! Reading a client's body. What it names is typed; what it does not is kept in `extra` for
//! upstreams of this dialect, or in the controls when it is meant for a gateway.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{NAME, input_read, tools_read};
use crate::chunk::Role;
use crate::dialects::openai_chat::field::{At, refuse_repeated};
use crate::dialects::openai_chat::reply_read::excerpt;
use crate::dialects::openai_chat::request_read as chat;
use crate::error::ReadError;
use crate::json::{Extra, Json, Object};
use crate::request::{Effort, Message, Other, Part, Request, ResponseFormat};
use crate::source::Source;

/// Reads a client's body.
pub(super) fn read(body: &Bytes) -> Result<Request, ReadError> {
    let wrong = |expected: String| ReadError::new("body", expected, excerpt(body));
    let text = std::str::from_utf8(body).map_err(|_| wrong("JSON in UTF-8".to_owned()))?;
    let fields = Object::parse(text).map_err(|error| wrong(format!("a JSON object ({error})")))?;
    refuse_repeated(&fields)?;
    let mut request = Request::default();
    for (name, raw) in &fields.0 {
        let at = At::top(name, raw);
        let is_known = at.is_null()
            || read_field(name, at, &mut request)?
            || read_setting(name, at, &mut request)?
            || (is_sampling(name) && chat::read_sampling(name, at, &mut request.sampling)?)
            || read_control(name, at, &mut request)?;
        if !is_known {
            keep(&mut request, name, at.json());
        }
    }
    if let Some(raw) = present(&fields, "instructions") {
        request.messages.insert(0, read_instructions(At::top("instructions", raw))?);
    }
    if present(&fields, "input").is_none_or(|input| input.get() == "[]")
        && !REMEMBERED.iter().any(|name| present(&fields, name).is_some())
    {
        let found = fields.field("input").map_or("nothing", RawValue::get);
        return Err(ReadError::new("input", "a string or a list of at least one item", found));
    }
    request.source = Some(Source { dialect: NAME, bytes: body.clone() });
    Ok(request)
}

fn present<'a>(fields: &Object<'a>, name: &str) -> Option<&'a RawValue> {
    fields.field(name).filter(|raw| raw.get() != "null")
}

fn keep(request: &mut Request, name: &str, json: Json) {
    request.extra.dialect = NAME;
    request.extra.fields.push((name.to_owned(), json));
}

fn read_instructions(at: At<'_, '_>) -> Result<Message, ReadError> {
    let parts = vec![Part::text(at.text()?)];
    Ok(Message { role: Role::System, name: None, parts, extra: Extra::default() })
}

fn read_field(name: &str, at: At<'_, '_>, request: &mut Request) -> Result<bool, ReadError> {
    match name {
        "model" => request.model = at.text()?,
        "stream" => request.stream = at.boolean()?,
        // Usage always comes, and padding is for the hop to the client only.
        "stream_options" | "instructions" => {}
        "input" => request.messages.extend(input_read::read(at)?),
        "tools" => {
            for (number, raw) in at.list()?.into_iter().enumerate() {
                let (tool, custom) = tools_read::read(at.index(number, raw), raw)?;
                request.tools.push(tool);
                request.custom_tools.extend(custom);
            }
        }
        "tool_choice" => request.tool_choice = Some(tools_read::read_choice(at)?),
        "parallel_tool_calls" => request.parallel_tool_calls = Some(at.boolean()?),
        "max_output_tokens" => match at.whole()? {
            0 => return Err(at.error("a whole number of at least 1")),
            tokens => request.sampling.max_tokens = Some(tokens),
        },
        "reasoning" => request.reasoning = Some(chat::read_reasoning(at)?),
        "text" => read_text(at, request)?,
        "include" => read_include(at, request)?,
        "user" => request.user = Some(at.text()?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn read_setting(name: &str, at: At<'_, '_>, request: &mut Request) -> Result<bool, ReadError> {
    let service = &mut request.service;
    match name {
        "service_tier" => service.tier = Some(at.text()?),
        "prompt_cache_key" => service.prompt_cache_key = Some(at.text()?),
        "cache_control" => service.cache_control = Some(at.json()),
        "image_config" => service.image_config = Some(at.json()),
        "modalities" => {
            let list = at.list()?.into_iter().enumerate();
            service.modalities =
                list.map(|(number, raw)| at.index(number, raw).text()).collect::<Result<_, _>>()?;
        }
        "top_logprobs" => {
            chat::read_sampling(name, at, &mut request.sampling)?;
            // Some clients repeat the default, which asks for nothing.
            if request.sampling.top_logprobs == Some(0) {
                request.sampling.top_logprobs = None;
            } else {
                request.sampling.logprobs = Some(true);
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Whether the chat dialect's reader knows the field by the same name.
fn is_sampling(name: &str) -> bool {
    const ALIKE: [&str; 11] = [
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "top_a",
        "frequency_penalty",
        "presence_penalty",
        "repetition_penalty",
        "seed",
        "stop",
        "logit_bias",
    ];
    ALIKE.contains(&name)
}

fn read_control(name: &str, at: At<'_, '_>, request: &mut Request) -> Result<bool, ReadError> {
    match name {
        "background" if at.boolean()? => {
            return Err(at.error("false: background responses are not served"));
        }
        "background" => {}
        "store" => {
            at.boolean()?;
            request.controls.rest.push((name.to_owned(), at.json()));
        }
        "previous_response_id" => {
            at.text()?;
            request.controls.rest.push((name.to_owned(), at.json()));
        }
        "conversation" => request.controls.rest.push((name.to_owned(), at.json())),
        _ => return chat::read_control(name, at, &mut request.controls),
    }
    Ok(true)
}

fn read_text(at: At<'_, '_>, request: &mut Request) -> Result<(), ReadError> {
    let fields = at.object()?;
    if let Some(raw) = present(&fields, "format") {
        request.response_format = Some(read_format(at.key("format", raw))?);
    }
    if let Some(raw) = present(&fields, "verbosity") {
        let verbosity = at.key("verbosity", raw);
        let effort = Effort::read(&verbosity.text()?).filter(|effort| *effort >= Effort::Low);
        let expected = "one of low, medium, high, xhigh, max";
        request.service.verbosity = Some(effort.ok_or_else(|| verbosity.error(expected))?);
    }
    Ok(())
}

fn read_format(at: At<'_, '_>) -> Result<ResponseFormat, ReadError> {
    let fields = at.object()?;
    let Some(kind) = fields.field("type") else {
        return Err(at.missing("type", "`text`, `json_object` or `json_schema`"));
    };
    match at.key("type", kind).text()?.as_str() {
        "text" => return Ok(ResponseFormat::Text),
        "json_object" => return Ok(ResponseFormat::JsonObject),
        "json_schema" => {}
        _ => return Ok(ResponseFormat::Other(Other { dialect: NAME, json: at.json() })),
    }
    let text =
        |name: &'static str| present(&fields, name).map(|raw| at.key(name, raw).text()).transpose();
    let strict = present(&fields, "strict").map(|raw| at.key("strict", raw).boolean());
    Ok(ResponseFormat::JsonSchema {
        name: text("name")?.ok_or_else(|| at.missing("name", "the schema's name"))?,
        description: text("description")?,
        schema: present(&fields, "schema").map(Json::from),
        strict: strict.transpose()?,
    })
}

/// What the reply should hold beside itself. Encrypted thought is always asked for, and token
/// probabilities have a place of their own.
fn read_include(at: At<'_, '_>, request: &mut Request) -> Result<(), ReadError> {
    let mut rest = Vec::new();
    for (number, raw) in at.list()?.into_iter().enumerate() {
        match at.index(number, raw).text()?.as_str() {
            INCLUDE_THOUGHT => {}
            INCLUDE_LOGPROBS => request.sampling.logprobs = Some(true),
            name => rest.push(name.to_owned()),
        }
    }
    if !rest.is_empty() {
        keep(request, "include", Json::of(&rest));
    }
    Ok(())
}

/// Whether a field is meant for a gateway and never sent upstream as it came.
pub(super) fn is_control(name: &str) -> bool {
    const OURS: [&str; 3] = ["previous_response_id", "conversation", "background"];
    // A stored prompt is OpenAI's here; the chat dialect has a field of that name for itself.
    name != "prompt" && (OURS.contains(&name) || chat::is_control(name))
}

/// Asks for thought that can be sent back.
pub(super) const INCLUDE_THOUGHT: &str = "reasoning.encrypted_content";
/// Asks for token probabilities.
pub(super) const INCLUDE_LOGPROBS: &str = "message.output_text.logprobs";
/// What stands for an input that is kept elsewhere.
const REMEMBERED: [&str; 3] = ["previous_response_id", "conversation", "prompt"];
