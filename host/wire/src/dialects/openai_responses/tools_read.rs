//! Reading tools and the choice among them.

use serde_json::value::RawValue;

use super::{NAME, custom};
use crate::dialects::openai_chat::field::At;
use crate::error::ReadError;
use crate::json::Json;
use crate::request::{CustomTool, Other, Tool, ToolChoice};

/// Reads a tool, and what it stands for where it does.
pub(super) fn read(
    at: At<'_, '_>,
    raw: &RawValue,
) -> Result<(Tool, Option<CustomTool>), ReadError> {
    let fields = at.object()?;
    let Some(kind) = fields.field("type") else {
        return Err(at.missing("type", "a tool's type, like `function`"));
    };
    let kind = at.key("type", kind).text()?;
    if kind == "custom" && fields.field("name").is_none() {
        return Err(at.missing("name", "the tool's name"));
    }
    if let Some((function, tool)) = custom::function(raw) {
        return Ok((function, Some(tool)));
    }
    if kind != "function" {
        return Ok((Tool::Other(Other { dialect: NAME, json: at.json() }), None));
    }
    let present = |name: &str| fields.field(name).filter(|raw| raw.get() != "null");
    let Some(name) = fields.field("name") else {
        return Err(at.missing("name", "the function's name"));
    };
    let description = present("description").map(|raw| at.key("description", raw).text());
    let strict = present("strict").map(|raw| at.key("strict", raw).boolean());
    let function = Tool::Function {
        name: at.key("name", name).text()?,
        description: description.transpose()?,
        parameters: present("parameters").map(Json::from),
        strict: strict.transpose()?,
        cache_control: present("cache_control").map(Json::from),
    };
    Ok((function, None))
}

/// Reads `tool_choice`.
pub(super) fn read_choice(at: At<'_, '_>) -> Result<ToolChoice, ReadError> {
    const EXPECTED: &str = "`none`, `auto`, `required` or an object that names a tool";
    if at.is_text() {
        return match at.text()?.as_str() {
            "none" => Ok(ToolChoice::None),
            "auto" => Ok(ToolChoice::Auto),
            "required" => Ok(ToolChoice::Required),
            _ => Err(at.error(EXPECTED)),
        };
    }
    let fields = at.object().map_err(|_| at.error(EXPECTED))?;
    let Some(kind) = fields.field("type") else {
        return Err(at.missing("type", "`function` or a tool's type"));
    };
    match at.key("type", kind).text()?.as_str() {
        "function" | "custom" => match fields.field("name") {
            Some(name) => Ok(ToolChoice::Function(at.key("name", name).text()?)),
            None => Err(at.missing("name", "the function's name")),
        },
        custom::LOCAL_SHELL => Ok(ToolChoice::Function(custom::LOCAL_SHELL.to_owned())),
        _ => Ok(ToolChoice::Other(Other { dialect: NAME, json: at.json() })),
    }
}
