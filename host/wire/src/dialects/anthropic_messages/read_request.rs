//! Reads a client's request: everything but the conversation itself. `thinking.display` has no
//! canonical place and survives only in `Request::source`.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::json_text::{keep, object, present, read, required, shorten, text_of};
use super::{NAME, read_content};
use crate::error::ReadError;
use crate::json::{Extra, Json, Object};
use crate::request::{
    Effort, Other, PluginEntry, Reasoning, Request, ResponseFormat, Service, Tool, ToolChoice,
};
use crate::source::Source;

/// Reads a body. Fields that are `null` count as absent.
pub(super) fn read_request(body: &Bytes) -> Result<Request, ReadError> {
    let text = std::str::from_utf8(body)
        .map_err(|_| ReadError::new("body", "a JSON object in UTF-8", "other bytes"))?;
    let fields = Object::parse(text)
        .map_err(|error| ReadError::new("body", "a JSON object", error.to_string()))?;
    let Some(conversation) = present(&fields, "messages") else {
        return Err(ReadError::new("messages", "a list of messages", "nothing"));
    };
    let system = present(&fields, "system").map(read_content::system).transpose()?.flatten();
    let mut request = Request {
        messages: system.into_iter().chain(read_content::messages(conversation)?).collect(),
        ..Request::default()
    };
    for (key, value) in &fields.0 {
        if value.get() == "null" || key == "messages" || key == "system" {
            continue;
        }
        let is_taken = what_to_write(&mut request, key, value)?
            || how_to_write(&mut request, key, value)?
            || service(&mut request.service, key, value)?
            || control(&mut request, key, value)?;
        if !is_taken {
            request.extra.fields.push((key.to_string(), keep(value)));
        }
    }
    let has_extra = !request.extra.fields.is_empty();
    request.extra.dialect = if has_extra { NAME } else { "" };
    request.source = Some(Source { dialect: NAME, bytes: body.clone() });
    Ok(request)
}

fn what_to_write(request: &mut Request, key: &str, value: &RawValue) -> Result<bool, ReadError> {
    match key {
        "model" => request.model = read(value, key, "a model's name")?,
        "stream" => request.stream = read(value, key, "true or false")?,
        "tools" => {
            let items: Vec<&RawValue> = read(value, key, "a list of tools")?;
            let tools = items.into_iter().enumerate();
            let tools = tools.map(|(position, item)| tool(item, &format!("tools[{position}]")));
            request.tools = tools.collect::<Result<_, _>>()?;
        }
        "tool_choice" => tool_choice(request, value)?,
        "metadata" => {
            let fields: Object<'_> = read(value, key, "an object")?;
            if let Some(user) = present(&fields, "user_id") {
                request.user = Some(read(user, "metadata.user_id", "a text")?);
            }
            keep_rest(&mut request.extra, key, &fields, &["user_id"]);
        }
        // OpenRouter's name of the same thing; Anthropic's own wins.
        "user" => {
            let user = read(value, key, "a text")?;
            request.user.get_or_insert(user);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn how_to_write(request: &mut Request, key: &str, value: &RawValue) -> Result<bool, ReadError> {
    let sampling = &mut request.sampling;
    match key {
        "max_tokens" => {
            sampling.max_tokens = Some(read(value, key, "a whole number of tokens")?);
        }
        "temperature" => sampling.temperature = Some(read(value, key, "a number")?),
        "top_p" => sampling.top_p = Some(read(value, key, "a number")?),
        "top_k" => sampling.top_k = Some(read(value, key, "a whole number")?),
        "stop_sequences" => sampling.stop = read(value, key, "a list of texts")?,
        "thinking" => read_thinking(request, value)?,
        "output_config" => output_config(request, value)?,
        "output_format" => request.response_format = Some(response_format(value, key)?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn service(service: &mut Service, key: &str, value: &RawValue) -> Result<bool, ReadError> {
    match key {
        "service_tier" => {
            let tier: String = read(value, key, "`auto` or `standard_only`")?;
            let tier = if tier == STANDARD_ONLY { "default".to_owned() } else { tier };
            service.tier = Some(tier);
        }
        "speed" => {
            let speed: String = read(value, key, "`fast` or `standard`")?;
            if speed == "fast" {
                service.tier = Some("priority".to_owned());
            }
            // Only this dialect has the word, and only some of its models take it.
            return Ok(false);
        }
        "cache_control" => service.cache_control = Some(keep(value)),
        _ => return Ok(false),
    }
    Ok(true)
}

fn control(request: &mut Request, key: &str, value: &RawValue) -> Result<bool, ReadError> {
    let controls = &mut request.controls;
    match key {
        "models" | "fallbacks" if !controls.models.is_empty() => {
            let expected = "either `models` or `fallbacks`";
            return Err(ReadError::new("fallbacks", expected, "both"));
        }
        "models" => controls.models = read(value, key, "a list of model names")?,
        "fallbacks" => controls.models = fallbacks(value)?,
        "provider" => controls.provider = Some(keep(value)),
        "plugins" => {
            let items: Vec<&RawValue> = read(value, key, "a list of plugins")?;
            let entries = items.into_iter().enumerate();
            let entries = entries.map(|(at, item)| plugin(item, &format!("plugins[{at}]")));
            controls.plugins = entries.collect::<Result<_, _>>()?;
        }
        "session_id" => {
            let id: String = read(value, key, "a text")?;
            if id.chars().count() > SESSION_ID_CHARS_MAX {
                let expected = format!("at most {SESSION_ID_CHARS_MAX} characters");
                return Err(ReadError::new(key, expected, shorten(&id)));
            }
            controls.session_id = Some(id);
        }
        _ if CONTROLS.contains(&key) => controls.rest.push((key.to_owned(), keep(value))),
        _ => return Ok(false),
    }
    Ok(true)
}

fn tool(item: &RawValue, path: &str) -> Result<Tool, ReadError> {
    let fields: Object<'_> = read(item, path, "a tool (an object)")?;
    let kind = present(&fields, "type");
    let kind = kind.map(|kind| read::<String>(kind, &format!("{path}.type"), "a text"));
    if kind.transpose()?.is_some_and(|kind| kind != "custom") {
        return Ok(Tool::Other(Other { dialect: NAME, json: keep(item) }));
    }
    let strict = present(&fields, "strict");
    Ok(Tool::Function {
        name: required(&fields, "name", path, "the tool's name")?,
        description: text_of(&fields, "description"),
        parameters: present(&fields, "input_schema").map(keep),
        strict: strict
            .map(|strict| read(strict, &format!("{path}.strict"), "true or false"))
            .transpose()?,
        cache_control: present(&fields, "cache_control").map(keep),
    })
}

fn tool_choice(request: &mut Request, value: &RawValue) -> Result<(), ReadError> {
    let path = "tool_choice";
    let fields: Object<'_> = read(value, path, "an object")?;
    let kind: String = required(&fields, "type", path, "`auto`, `any`, `tool` or `none`")?;
    request.tool_choice = Some(match kind.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Function(required(&fields, "name", path, "the tool's name")?),
        _ => ToolChoice::Other(Other { dialect: NAME, json: keep(value) }),
    });
    if let Some(disable) = present(&fields, "disable_parallel_tool_use") {
        let disable: bool =
            read(disable, "tool_choice.disable_parallel_tool_use", "true or false")?;
        request.parallel_tool_calls = Some(!disable);
    }
    Ok(())
}

fn read_thinking(request: &mut Request, value: &RawValue) -> Result<(), ReadError> {
    let path = "thinking";
    let expected = "`enabled`, `disabled` or `adaptive`";
    let fields: Object<'_> = read(value, path, "an object")?;
    let kind: String = required(&fields, "type", path, expected)?;
    let reasoning = request.reasoning.get_or_insert_with(Reasoning::default);
    match kind.as_str() {
        "enabled" => {
            reasoning.enabled = Some(true);
            reasoning.max_tokens =
                Some(required(&fields, "budget_tokens", path, "a whole number of tokens")?);
        }
        "adaptive" => reasoning.enabled = Some(true),
        "disabled" => reasoning.enabled = Some(false),
        other => return Err(ReadError::new("thinking.type", expected, shorten(other))),
    }
    Ok(())
}

fn output_config(request: &mut Request, value: &RawValue) -> Result<(), ReadError> {
    let fields: Object<'_> = read(value, "output_config", "an object")?;
    if let Some(effort) = present(&fields, "effort") {
        let path = "output_config.effort";
        let expected = "`low`, `medium`, `high`, `xhigh` or `max`";
        let name: String = read(effort, path, expected)?;
        let effort = Effort::read(&name);
        let effort = effort.filter(|effort| *effort >= Effort::Low);
        let effort = effort.ok_or_else(|| ReadError::new(path, expected, shorten(&name)))?;
        // Anthropic's one word for how much is thought and how much is said.
        request.reasoning.get_or_insert_default().effort = Some(effort);
        request.service.verbosity = Some(effort);
    }
    if let Some(format) = present(&fields, "format") {
        request.response_format = Some(response_format(format, "output_config.format")?);
    }
    keep_rest(&mut request.extra, "output_config", &fields, &["effort", "format"]);
    Ok(())
}

fn response_format(value: &RawValue, path: &str) -> Result<ResponseFormat, ReadError> {
    let fields: Object<'_> = read(value, path, "an object")?;
    let kind: String = required(&fields, "type", path, "`json_schema`")?;
    if kind != "json_schema" {
        return Ok(ResponseFormat::Other(Other { dialect: NAME, json: keep(value) }));
    }
    let schema: &RawValue = required(&fields, "schema", path, "a JSON Schema")?;
    Ok(ResponseFormat::JsonSchema {
        name: SCHEMA_NAME.to_owned(),
        description: None,
        schema: Some(keep(schema)),
        // Anthropic always holds the model to the schema.
        strict: Some(true),
    })
}

fn fallbacks(value: &RawValue) -> Result<Vec<String>, ReadError> {
    let items: Vec<&RawValue> = read(value, "fallbacks", "a list of objects")?;
    if items.len() > FALLBACKS_MAX {
        let expected = format!("at most {FALLBACKS_MAX} entries");
        return Err(ReadError::new("fallbacks", expected, items.len().to_string()));
    }
    let mut models = Vec::with_capacity(items.len());
    for (position, item) in items.into_iter().enumerate() {
        let path = format!("fallbacks[{position}]");
        let fields: Object<'_> = read(item, &path, "an object")?;
        if let Some((key, _)) = fields.0.iter().find(|(key, _)| key != "model") {
            return Err(ReadError::new(path, "only the key `model`", format!("`{key}`")));
        }
        models.push(required(&fields, "model", &path, "a model's name")?);
    }
    Ok(models)
}

fn plugin(item: &RawValue, path: &str) -> Result<PluginEntry, ReadError> {
    let fields: Object<'_> = read(item, path, "a plugin (an object)")?;
    let enabled = present(&fields, "enabled");
    Ok(PluginEntry {
        id: required(&fields, "id", path, "a plugin's id")?,
        enabled: enabled.map_or(Ok(true), |enabled| {
            read(enabled, &format!("{path}.enabled"), "true or false")
        })?,
        options: rest(&fields, &["id", "enabled"]).unwrap_or_else(|| object(|_| ())),
    })
}

/// Keeps what is left of a nested object under the object's own name.
fn keep_rest(extra: &mut Extra, key: &str, fields: &Object<'_>, known: &[&str]) {
    if let Some(rest) = rest(fields, known) {
        extra.fields.push((key.to_owned(), rest));
    }
}

fn rest(fields: &Object<'_>, known: &[&str]) -> Option<Json> {
    let mut left = fields.0.iter().filter(|(key, _)| !known.contains(&key.as_ref())).peekable();
    left.peek()?;
    Some(object(|writer| left.for_each(|(key, value)| writer.raw(key, value.get()))))
}

/// The gateway's own fields that are kept as sent. None is ever sent upstream.
pub(super) const CONTROLS: [&str; 8] = [
    "route",
    "trace",
    "stop_server_tools_when",
    "debug",
    "preset",
    "transforms",
    "safeguards",
    "deferred_tools",
];

/// Anthropic's name of the tier that others call `default`.
pub(super) const STANDARD_ONLY: &str = "standard_only";

/// The dialect gives a schema no name; others demand one.
const SCHEMA_NAME: &str = "response";

/// OpenRouter's limits.
const FALLBACKS_MAX: usize = 3;
const SESSION_ID_CHARS_MAX: usize = 256;
