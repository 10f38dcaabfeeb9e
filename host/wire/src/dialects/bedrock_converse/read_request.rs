//! Reads a client's request. The model and whether the reply is streamed stand in the address, so
//! they are left empty. What is not known stays in `Request::extra` under its own name, objects that
//! are known in part without what was understood.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{NAME, cache, read_content};
use crate::error::ReadError;
use crate::json::{Extra, Json, Object};
use crate::json_text::{keep, object, present, read, required, text_of};
use crate::request::{Effort, Other, Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use crate::source::Source;

/// Reads a body. Fields that are `null` count as absent.
pub(super) fn read_request(body: &Bytes) -> Result<Request, ReadError> {
    let text = std::str::from_utf8(body)
        .map_err(|_| ReadError::new("body", "a JSON object in UTF-8", "other bytes"))?;
    let fields = Object::parse(text)
        .map_err(|error| ReadError::new("body", "a JSON object", error.to_string()))?;
    let system = present(&fields, "system").map(read_content::system).transpose()?.flatten();
    let conversation = present(&fields, "messages").map(read_content::messages).transpose()?;
    let messages: Vec<_> = system.into_iter().chain(conversation.into_iter().flatten()).collect();
    if messages.is_empty() {
        return Err(ReadError::new("messages", "at least one message", "none"));
    }
    let mut request = Request { messages, ..Request::default() };
    for (key, value) in &fields.0 {
        if value.get() == "null" || key == "messages" || key == "system" {
            continue;
        }
        let rest = field(&mut request, key, value)?;
        if let Some(rest) = rest {
            request.extra.fields.push((key.to_string(), rest));
        }
    }
    let has_extra = !request.extra.fields.is_empty();
    request.extra = Extra {
        dialect: if has_extra { NAME } else { "" },
        fields: std::mem::take(&mut request.extra.fields),
    };
    request.source = Some(Source { dialect: NAME, bytes: body.clone() });
    Ok(request)
}

/// Reads a field and returns what is left of it.
fn field(request: &mut Request, key: &str, value: &RawValue) -> Result<Option<Json>, ReadError> {
    match key {
        "inferenceConfig" => inference_config(request, value),
        "toolConfig" => tool_config(request, value),
        "additionalModelRequestFields" => model_fields(request, value),
        "outputConfig" => output_config(request, value),
        "serviceTier" => {
            let fields: Object<'_> = read(value, key, "an object")?;
            request.service.tier =
                Some(required(&fields, "type", key, "`priority`, `default` or `flex`")?);
            Ok(None)
        }
        _ => Ok(Some(keep(value))),
    }
}

fn inference_config(request: &mut Request, value: &RawValue) -> Result<Option<Json>, ReadError> {
    let path = "inferenceConfig";
    let fields: Object<'_> = read(value, path, "an object")?;
    let sampling = &mut request.sampling;
    for (key, value) in fields.0.iter().filter(|(_, value)| value.get() != "null") {
        let path = format!("{path}.{key}");
        match key.as_ref() {
            "maxTokens" => {
                sampling.max_tokens = Some(read(value, &path, "a whole number of tokens")?);
            }
            "temperature" => sampling.temperature = Some(read(value, &path, "a number")?),
            "topP" => sampling.top_p = Some(read(value, &path, "a number")?),
            "stopSequences" => sampling.stop = read(value, &path, "a list of texts")?,
            _ => {}
        }
    }
    Ok(rest(&fields, &["maxTokens", "temperature", "topP", "stopSequences"]))
}

fn tool_config(request: &mut Request, value: &RawValue) -> Result<Option<Json>, ReadError> {
    let path = "toolConfig";
    let fields: Object<'_> = read(value, path, "an object")?;
    let items: Vec<&RawValue> = required(&fields, "tools", path, "a list of tools")?;
    for (position, item) in items.into_iter().enumerate() {
        let path = format!("{path}.tools[{position}]");
        let entry: Object<'_> = read(item, &path, "a tool (an object)")?;
        let mark = present(&entry, "cachePoint").and_then(cache::read);
        if let (Some(mark), Some(Tool::Function { cache_control, .. })) =
            (mark, request.tools.last_mut())
        {
            *cache_control = Some(mark);
            continue;
        }
        request.tools.push(match present(&entry, "toolSpec") {
            Some(spec) => tool(spec, &format!("{path}.toolSpec"))?,
            None => Tool::Other(Other { dialect: NAME, json: keep(item) }),
        });
    }
    if let Some(choice) = present(&fields, "toolChoice") {
        request.tool_choice = Some(tool_choice(choice)?);
    }
    Ok(rest(&fields, &["tools", "toolChoice"]))
}

fn tool(spec: &RawValue, path: &str) -> Result<Tool, ReadError> {
    let fields: Object<'_> = read(spec, path, "an object")?;
    let schema = match present(&fields, "inputSchema") {
        Some(schema) => {
            let schema: Object<'_> = read(schema, &format!("{path}.inputSchema"), "an object")?;
            present(&schema, "json").map(keep)
        }
        None => None,
    };
    let strict = present(&fields, "strict");
    let strict = strict
        .map(|strict| read(strict, &format!("{path}.strict"), "true or false"))
        .transpose()?;
    Ok(Tool::Function {
        name: required(&fields, "name", path, "the tool's name")?,
        description: text_of(&fields, "description"),
        parameters: schema,
        strict,
        cache_control: None,
    })
}

fn tool_choice(value: &RawValue) -> Result<ToolChoice, ReadError> {
    let path = "toolConfig.toolChoice";
    let fields: Object<'_> = read(value, path, "an object")?;
    if present(&fields, "auto").is_some() {
        return Ok(ToolChoice::Auto);
    }
    if present(&fields, "any").is_some() {
        return Ok(ToolChoice::Required);
    }
    let Some(tool) = present(&fields, "tool") else {
        return Ok(ToolChoice::Other(Other { dialect: NAME, json: keep(value) }));
    };
    let path = format!("{path}.tool");
    let tool: Object<'_> = read(tool, &path, "an object")?;
    Ok(ToolChoice::Function(required(&tool, "name", &path, "the tool's name")?))
}

/// What clients say to Claude in Claude's words, and to Nova in Nova's.
fn model_fields(request: &mut Request, value: &RawValue) -> Result<Option<Json>, ReadError> {
    let path = "additionalModelRequestFields";
    // A model's own fields may be any JSON.
    let Ok(fields) = serde_json::from_str::<Object<'_>>(value.get()) else {
        return Ok(Some(keep(value)));
    };
    let mut known = Vec::new();
    if let Some(top_k) = present(&fields, "top_k") {
        request.sampling.top_k = Some(read(top_k, &format!("{path}.top_k"), "a whole number")?);
        known.push("top_k");
    }
    for key in ["thinking", "reasoning_config"] {
        let Some(thinking) = present(&fields, key) else { continue };
        let path = format!("{path}.{key}");
        let thinking: Object<'_> = read(thinking, &path, "an object")?;
        let reasoning = request.reasoning.get_or_insert_with(Reasoning::default);
        let kind: String = required(&thinking, "type", &path, "a text")?;
        reasoning.enabled = Some(kind != "disabled");
        if let Some(budget) = present(&thinking, "budget_tokens") {
            reasoning.max_tokens =
                Some(read(budget, &format!("{path}.budget_tokens"), "a whole number of tokens")?);
        }
        known.push(key);
    }
    let effort = of_object(&fields, "output_config", "effort").map(|it| ("output_config", it));
    let effort = effort.or_else(|| {
        let nova = of_object(&fields, "reasoningConfig", "maxReasoningEffort");
        nova.map(|it| ("reasoningConfig", it))
    });
    let effort =
        effort.or_else(|| text_of(&fields, "reasoning_effort").map(|it| ("reasoning_effort", it)));
    if let Some((key, name)) = effort
        && let Some(effort) = Effort::read(&name)
    {
        request.reasoning.get_or_insert_with(Reasoning::default).effort = Some(effort);
        known.push(key);
    }
    Ok(rest(&fields, &known))
}

/// The one text that an object holds; `None` when it holds more than that and a switch.
fn of_object(fields: &Object<'_>, key: &str, inner: &str) -> Option<String> {
    let object = Object::parse(present(fields, key)?.get()).ok()?;
    let is_known = |key: &str| key == inner || key == "type";
    let is_alone = object.0.iter().all(|(key, _)| is_known(key));
    text_of(&object, inner).filter(|_| is_alone)
}

fn output_config(request: &mut Request, value: &RawValue) -> Result<Option<Json>, ReadError> {
    let path = "outputConfig";
    let fields: Object<'_> = read(value, path, "an object")?;
    let Some(format) = present(&fields, "textFormat") else { return Ok(Some(keep(value))) };
    let path = format!("{path}.textFormat");
    let inner: Object<'_> = read(format, &path, "an object")?;
    let kind: String = required(&inner, "type", &path, "`json_schema`")?;
    request.response_format = Some(if kind == "json_schema" {
        let path = format!("{path}.structure");
        let structure: Object<'_> = required(&inner, "structure", &path, "an object")?;
        let path = format!("{path}.jsonSchema");
        let schema: Object<'_> = required(&structure, "jsonSchema", &path, "an object")?;
        let text: String = required(&schema, "schema", &path, "a JSON Schema as text")?;
        let json = Json::parse(text).map_err(|error| {
            ReadError::new(format!("{path}.schema"), "a JSON Schema as text", error.to_string())
        })?;
        ResponseFormat::JsonSchema {
            name: text_of(&schema, "name").unwrap_or_else(|| SCHEMA_NAME.to_owned()),
            description: text_of(&schema, "description"),
            schema: Some(json),
            // Bedrock always holds the model to the schema.
            strict: Some(true),
        }
    } else {
        ResponseFormat::Other(Other { dialect: NAME, json: keep(format) })
    });
    Ok(rest(&fields, &["textFormat"]))
}

fn rest(fields: &Object<'_>, known: &[&str]) -> Option<Json> {
    let mut left = fields.0.iter().filter(|(key, _)| !known.contains(&key.as_ref())).peekable();
    left.peek()?;
    Some(object(|writer| left.for_each(|(key, value)| writer.raw(key, value.get()))))
}

/// The dialect lets a schema go without a name; others demand one.
const SCHEMA_NAME: &str = "response";
