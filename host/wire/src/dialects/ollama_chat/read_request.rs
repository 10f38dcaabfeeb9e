//! Reads a client's request: everything but the conversation itself. What only Ollama knows
//! (`keep_alive`, `truncate`) is kept in `extra`.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{NAME, options, read_messages};
use crate::controls;
use crate::error::ReadError;
use crate::json::Object;
use crate::json_text::{keep, present, read, required, shorten};
use crate::request::{Effort, Other, Reasoning, Request, ResponseFormat, Tool};
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
    let messages = read_messages::messages(conversation)?;
    // Ollama streams unless it is told not to.
    let mut request = Request { messages, stream: true, ..Request::default() };
    for (key, value) in &fields.0 {
        if value.get() == "null" || key == "messages" {
            continue;
        }
        let is_taken =
            field(&mut request, key, value)? || controls::read(&mut request.controls, key, value)?;
        if !is_taken {
            request.extra.fields.push((key.to_string(), keep(value)));
        }
    }
    request.extra.dialect = if request.extra.fields.is_empty() { "" } else { NAME };
    request.source = Some(Source { dialect: NAME, bytes: body.clone() });
    Ok(request)
}

fn field(request: &mut Request, key: &str, value: &RawValue) -> Result<bool, ReadError> {
    let sampling = &mut request.sampling;
    match key {
        "model" => request.model = read(value, key, "a model's name")?,
        "stream" => request.stream = read(value, key, "true or false")?,
        "tools" => {
            let items: Vec<&RawValue> = read(value, key, "a list of tools")?;
            let tools = items.into_iter().enumerate();
            let tools = tools.map(|(position, item)| tool(item, &format!("tools[{position}]")));
            request.tools = tools.collect::<Result<_, _>>()?;
        }
        "format" => request.response_format = format(value)?,
        "think" => request.reasoning = Some(think(value)?),
        "logprobs" => sampling.logprobs = Some(read(value, key, "true or false")?),
        "top_logprobs" => sampling.top_logprobs = Some(read(value, key, "a whole number")?),
        options::NAME => {
            let rest = options::read(value, sampling)?;
            request.extra.fields.extend(rest.map(|rest| (options::NAME.to_owned(), rest)));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn tool(item: &RawValue, path: &str) -> Result<Tool, ReadError> {
    let fields: Object<'_> = read(item, path, "a tool (an object)")?;
    let kind = present(&fields, "type");
    let kind = kind.map(|kind| read::<String>(kind, &format!("{path}.type"), "`function`"));
    if kind.transpose()?.is_some_and(|kind| kind != "function") {
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

/// `"json"`, a schema, or an empty text for none.
fn format(value: &RawValue) -> Result<Option<ResponseFormat>, ReadError> {
    match value.get() {
        r#""""# => Ok(None),
        r#""json""# => Ok(Some(ResponseFormat::JsonObject)),
        schema if schema.starts_with('{') => Ok(Some(ResponseFormat::JsonSchema {
            name: SCHEMA_NAME.to_owned(),
            description: None,
            schema: Some(keep(value)),
            // Ollama always holds the model to the schema.
            strict: Some(true),
        })),
        found => Err(ReadError::new("format", "`json` or a JSON Schema", shorten(found))),
    }
}

fn think(value: &RawValue) -> Result<Reasoning, ReadError> {
    let expected = "true, false, `low`, `medium` or `high`";
    if !value.get().starts_with('"') {
        let enabled = Some(read(value, "think", expected)?);
        return Ok(Reasoning { enabled, ..Reasoning::default() });
    }
    let word: String = read(value, "think", expected)?;
    let effort = Effort::read(&word);
    let effort = effort.ok_or_else(|| ReadError::new("think", expected, shorten(&word)))?;
    Ok(Reasoning { effort: Some(effort), ..Reasoning::default() })
}

/// The dialect gives a schema no name; others demand one.
const SCHEMA_NAME: &str = "response";
