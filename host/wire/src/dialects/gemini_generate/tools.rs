//! Tools and the choice among them, in both directions.

use serde_json::Value;

use crate::error::{ReadError, WriteError};
use crate::json::Json;
use crate::request::{Other, Request, Tool, ToolChoice};
use crate::server_tool::{self, ServerTool};
use crate::web_search::{WHAT, WebSearch};

use super::fields::{Fields, shorten, under};
use super::shape::Draft;
use super::{NAME, schema};

/// Reads `tools`.
pub(super) fn read(body: &Fields<'_>) -> Result<Vec<Tool>, ReadError> {
    let mut tools = Vec::new();
    for (at, fields) in body.objects("tools")?.iter().enumerate() {
        let here = |error| under(error, &format!("tools[{at}]"));
        for (index, one) in fields.objects("functionDeclarations").map_err(here)?.iter().enumerate()
        {
            let there = |error| here(under(error, &format!("functionDeclarations[{index}]")));
            tools.push(declaration(one).map_err(there)?);
        }
        if fields.text("type").ok().flatten().is_some_and(|kind| kind.starts_with("openrouter:")) {
            let mut tool = Draft::default();
            fields.each().for_each(|(key, raw)| tool.put(key, &raw));
            tools.push(Tool::Other(Other { dialect: NAME, json: Json::of(&tool) }));
            continue;
        }
        for (key, raw) in fields.others(&["functionDeclarations"]) {
            let mut tool = Draft::default();
            tool.put(key, &raw);
            tools.push(Tool::Other(Other { dialect: NAME, json: Json::of(&tool) }));
        }
    }
    Ok(tools)
}

fn declaration(fields: &Fields<'_>) -> Result<Tool, ReadError> {
    let name = fields.text("name")?;
    let name = name.ok_or_else(|| ReadError::new("name", "the function's name", "nothing"))?;
    let parameters = match (fields.raw("parametersJsonSchema"), fields.raw("parameters")) {
        (Some(raw), _) => Some(raw.into()),
        (None, Some(raw)) => {
            let schema: Value = serde_json::from_str(raw.get())
                .map_err(|_| ReadError::new("parameters", "a schema", shorten(raw.get())))?;
            Some(Json::of(&schema::from_gemini(&schema)))
        }
        (None, None) => None,
    };
    let description = fields.text("description")?;
    Ok(Tool::Function { name, description, parameters, strict: None, cache_control: None })
}

/// Writes `tools`; functions share one entry.
pub(super) fn write(request: &Request, body: &mut Draft) -> Result<(), WriteError> {
    let mut functions = Vec::new();
    let mut tools = Vec::new();
    for (at, tool) in request.tools.iter().enumerate() {
        match tool {
            Tool::Function { name, description, parameters, .. } => {
                let mut function = Draft::default();
                function.put("name", name);
                function.maybe("description", description.as_ref());
                if let Some(parameters) = parameters {
                    write_parameters(parameters, &mut function);
                }
                functions.push(function);
            }
            Tool::Other(other) => match ServerTool::of(other, NAME) {
                ServerTool::Gateways(_) => {}
                ServerTool::Own(json) => tools.push(json.clone()),
                ServerTool::Search(search) => tools.push(search_tool(&search)?),
                ServerTool::Foreign(other) => return Err(foreign_tool(at, other)),
            },
        }
    }
    let is_search = |tool: &Tool| WebSearch::of_tool(tool).is_some();
    if !request.tools.iter().any(is_search)
        && let Some(search) = WebSearch::of_request(request)
    {
        tools.push(search_tool(&search)?);
    }
    if !functions.is_empty() {
        let mut tool = Draft::default();
        tool.put("functionDeclarations", &functions);
        tools.insert(0, Json::of(&tool));
    }
    if !tools.is_empty() {
        body.put("tools", &tools);
    }
    Ok(())
}

/// Google searches everywhere: it takes no limits.
fn search_tool(search: &WebSearch) -> Result<Json, WriteError> {
    if !search.allowed_domains.is_empty() || !search.excluded_domains.is_empty() {
        let what = format!("{WHAT} within given domains");
        return Err(WriteError { dialect: NAME, what });
    }
    let mut tool = Draft::default();
    tool.put("googleSearch", &Draft::default());
    Ok(Json::of(&tool))
}

fn foreign_tool(at: usize, other: &Other) -> WriteError {
    let kind = Fields::parse(other.json.as_str()).ok().and_then(|tool| tool.text("type").ok()?);
    let kind = kind.unwrap_or_else(|| other.dialect.to_owned());
    WriteError { dialect: NAME, what: format!("the tool of type {kind} in tools[{at}]") }
}

/// `parameters` where Gemini's subset suffices, else the JSON Schema itself. A function without
/// parameters has neither: Gemini refuses an object without members.
fn write_parameters(parameters: &Json, function: &mut Draft) {
    let Ok(schema) = parameters.read::<Value>() else { return };
    if is_empty_object(&schema) {
        return;
    }
    match schema::to_gemini(&schema) {
        Some(schema) => function.put("parameters", &schema),
        None => function.put("parametersJsonSchema", parameters),
    }
}

fn is_empty_object(schema: &Value) -> bool {
    let Value::Object(fields) = schema else { return schema.is_null() };
    fields.iter().all(|(key, value)| match key.as_str() {
        "type" => value == "object",
        "properties" => value.as_object().is_some_and(serde_json::Map::is_empty),
        "required" => value.as_array().is_some_and(Vec::is_empty),
        "additionalProperties" => value.is_boolean(),
        "$schema" | "title" | "description" => true,
        _ => false,
    })
}

/// Reads `toolConfig`: the choice, and the fields that are not about it.
pub(super) fn read_choice(body: &Fields<'_>) -> Result<(Option<ToolChoice>, Draft), ReadError> {
    let mut rest = Draft::default();
    let Some(config) = body.object("toolConfig")? else { return Ok((None, rest)) };
    for (key, raw) in config.others(&["functionCallingConfig"]) {
        rest.put(key, &raw);
    }
    let here = |error| under(error, "toolConfig");
    let Some(calling) = config.object("functionCallingConfig").map_err(here)? else {
        return Ok((None, rest));
    };
    let there = |error| here(under(error, "functionCallingConfig"));
    let mode = calling.text("mode").map_err(there)?;
    let mut names = calling.texts("allowedFunctionNames").map_err(there)?;
    let is_plain = calling.others(&["mode", "allowedFunctionNames"]).next().is_none();
    let choice = match (mode.as_deref(), names.len()) {
        (Some("AUTO") | None, 0) if is_plain => ToolChoice::Auto,
        (Some("NONE"), _) if is_plain => ToolChoice::None,
        (Some("ANY"), 0) if is_plain => ToolChoice::Required,
        (Some("ANY"), 1) if is_plain => ToolChoice::Function(names.remove(0)),
        _ => {
            let raw = config.raw("functionCallingConfig").map_or_else(Json::null, Json::from);
            ToolChoice::Other(Other { dialect: NAME, json: raw })
        }
    };
    Ok((Some(choice), rest))
}

/// Writes `toolConfig`: the choice, and what a Gemini client said beside it.
pub(super) fn write_choice(request: &Request, body: &mut Draft) -> Result<(), WriteError> {
    let mut calling = Draft::default();
    let mut config = Draft::default();
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => calling.put("mode", &"AUTO"),
        Some(ToolChoice::None) => calling.put("mode", &"NONE"),
        Some(ToolChoice::Required) => calling.put("mode", &"ANY"),
        Some(ToolChoice::Function(name)) => {
            calling.put("mode", &"ANY");
            calling.put("allowedFunctionNames", &[name]);
        }
        Some(ToolChoice::Other(other)) if server_tool::is_gateways(&other.json) => {}
        Some(ToolChoice::Other(other)) if other.dialect == NAME => {
            config.put("functionCallingConfig", &other.json);
        }
        Some(ToolChoice::Other(other)) => {
            let what = format!("the tool choice {}", shorten(other.json.as_str()));
            return Err(WriteError { dialect: NAME, what });
        }
    }
    // Gemini refuses a mode where there is nothing to call.
    let has_functions = request.tools.iter().any(|tool| matches!(tool, Tool::Function { .. }));
    if !calling.0.is_empty() && has_functions {
        config.put("functionCallingConfig", &calling);
    }
    for (key, value) in rest_of(request, "toolConfig") {
        config.put(&key, &value);
    }
    if !config.0.is_empty() {
        body.put("toolConfig", &config);
    }
    Ok(())
}

/// The fields of an object in `extra` that were kept beside what is canonical.
pub(super) fn rest_of(request: &Request, key: &str) -> Vec<(String, Json)> {
    let kept = request.extra.fields_of(NAME).iter().find(|(known, _)| known == key);
    let Some(Ok(object)) = kept.map(|(_, json)| Fields::parse(json.as_str())) else {
        return Vec::new();
    };
    object.each().map(|(key, raw)| (key.to_owned(), raw.into())).collect()
}
