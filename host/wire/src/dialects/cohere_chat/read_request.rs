//! Reads a client's request: everything but the conversation itself. What only Cohere knows
//! (`documents`, `citation_options`, `safety_mode`, `priority`) is kept in `extra`.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{NAME, read_messages};
use crate::controls;
use crate::error::ReadError;
use crate::json::Object;
use crate::json_text::{keep, present, read, required, shorten};
use crate::request::{Other, Reasoning, Request, ResponseFormat, Tool, ToolChoice};
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
    let mut request =
        Request { messages: read_messages::messages(conversation)?, ..Request::default() };
    for (key, value) in &fields.0 {
        if value.get() == "null" || key == "messages" {
            continue;
        }
        let is_taken = what_to_write(&mut request, key, value)?
            || how_to_write(&mut request, key, value)?
            || controls::read(&mut request.controls, key, value)?;
        if !is_taken {
            request.extra.dialect = NAME;
            request.extra.fields.push((key.to_string(), keep(value)));
        }
    }
    if let Some(value) = present(&fields, STRICT_TOOLS) {
        let is_strict = read(value, STRICT_TOOLS, "true or false")?;
        for tool in &mut request.tools {
            if let Tool::Function { strict, .. } = tool {
                *strict = Some(is_strict);
            }
        }
    }
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
        "tool_choice" => request.tool_choice = Some(tool_choice(value)?),
        // Read once all tools are known.
        STRICT_TOOLS => {}
        "response_format" => request.response_format = Some(response_format(value)?),
        "thinking" => request.reasoning = Some(thinking(value)?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn how_to_write(request: &mut Request, key: &str, value: &RawValue) -> Result<bool, ReadError> {
    let sampling = &mut request.sampling;
    match key {
        "max_tokens" => sampling.max_tokens = Some(read(value, key, "a whole number of tokens")?),
        "temperature" => sampling.temperature = Some(read(value, key, "a number")?),
        "p" => sampling.top_p = Some(read(value, key, "a number")?),
        "k" => sampling.top_k = Some(read(value, key, "a whole number")?),
        "seed" => sampling.seed = Some(read(value, key, "a whole number")?),
        "frequency_penalty" => sampling.frequency_penalty = Some(read(value, key, "a number")?),
        "presence_penalty" => sampling.presence_penalty = Some(read(value, key, "a number")?),
        "stop_sequences" => sampling.stop = read(value, key, "a list of texts")?,
        "logprobs" => sampling.logprobs = Some(read(value, key, "true or false")?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn tool(item: &RawValue, path: &str) -> Result<Tool, ReadError> {
    let fields: Object<'_> = read(item, path, "a tool (an object)")?;
    let kind: String = required(&fields, "type", path, "`function`")?;
    if kind != "function" {
        return Ok(Tool::Other(Other { dialect: NAME, json: keep(item) }));
    }
    let function: Object<'_> = required(&fields, "function", path, "the function (an object)")?;
    let path = format!("{path}.function");
    let description = present(&function, "description");
    let description = description.map(|it| read(it, &format!("{path}.description"), "a text"));
    Ok(Tool::Function {
        name: required(&function, "name", &path, "the function's name")?,
        description: description.transpose()?,
        parameters: present(&function, "parameters").map(keep),
        strict: None,
        cache_control: None,
    })
}

fn tool_choice(value: &RawValue) -> Result<ToolChoice, ReadError> {
    let expected = "`REQUIRED` or `NONE`";
    let word: String = read(value, "tool_choice", expected)?;
    match word.to_ascii_uppercase().as_str() {
        "REQUIRED" => Ok(ToolChoice::Required),
        "NONE" => Ok(ToolChoice::None),
        _ => Err(ReadError::new("tool_choice", expected, shorten(&word))),
    }
}

fn response_format(value: &RawValue) -> Result<ResponseFormat, ReadError> {
    let path = "response_format";
    let fields: Object<'_> = read(value, path, "an object")?;
    let kind: String = required(&fields, "type", path, "`text` or `json_object`")?;
    match kind.as_str() {
        "text" => return Ok(ResponseFormat::Text),
        "json_object" => {}
        _ => return Ok(ResponseFormat::Other(Other { dialect: NAME, json: keep(value) })),
    }
    // `schema` is the older name.
    let schema = present(&fields, "json_schema").or_else(|| present(&fields, "schema"));
    let Some(schema) = schema else { return Ok(ResponseFormat::JsonObject) };
    Ok(ResponseFormat::JsonSchema {
        name: SCHEMA_NAME.to_owned(),
        description: None,
        schema: Some(keep(schema)),
        // Cohere always holds the model to the schema.
        strict: Some(true),
    })
}

fn thinking(value: &RawValue) -> Result<Reasoning, ReadError> {
    let (path, expected) = ("thinking", "`enabled` or `disabled`");
    let fields: Object<'_> = read(value, path, "an object")?;
    let kind: String = required(&fields, "type", path, expected)?;
    let enabled = match kind.as_str() {
        "enabled" => true,
        "disabled" => false,
        other => return Err(ReadError::new("thinking.type", expected, shorten(other))),
    };
    let budget = present(&fields, "token_budget");
    let budget = budget.map(|it| read(it, "thinking.token_budget", "a whole number of tokens"));
    Ok(Reasoning {
        enabled: Some(enabled),
        max_tokens: budget.transpose()?,
        ..Reasoning::default()
    })
}

/// Stands beside the tools and holds for all of them.
const STRICT_TOOLS: &str = "strict_tools";

/// The dialect gives a schema no name; others demand one.
const SCHEMA_NAME: &str = "response";
