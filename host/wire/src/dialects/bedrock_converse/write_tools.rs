//! Writes `toolConfig`.

use super::model::{Family, takes_schema};
use super::write_request::{refuse, rest_of, write_rest};
use super::{NAME, cache};
use crate::dialect::Target;
use crate::error::WriteError;
use crate::json::Json;
use crate::json_text::object;
use crate::request::{Other, Request, Tool, ToolChoice};
use crate::server_tool::ServerTool;
use crate::web_search::{WHAT, WebSearch};

/// The tools and the choice among them; none where none may be called.
pub(super) fn tools(
    request: &Request,
    to: &Target<'_>,
    family: Family,
) -> Result<Option<Json>, WriteError> {
    if WebSearch::of_request(request).is_some() {
        return Err(refuse(WHAT));
    }
    // The dialect has no word for it: a model that is offered no tool calls none.
    if request.tools.is_empty() || request.tool_choice == Some(ToolChoice::None) {
        return Ok(None);
    }
    let mut tools = Vec::with_capacity(request.tools.len());
    for tool in &request.tools {
        match tool {
            Tool::Other(other) => match ServerTool::of(other, NAME) {
                ServerTool::Gateways(_) => {}
                ServerTool::Own(json) => tools.push(json.clone()),
                ServerTool::Search(_) => return Err(refuse(WHAT)),
                ServerTool::Foreign(Other { dialect, .. }) => {
                    let what = format!("a tool that only {dialect} knows; leave it out of `tools`");
                    return Err(refuse(&what));
                }
            },
            Tool::Function { name, description, parameters, strict, cache_control } => {
                let is_strict = strict.filter(|strict| *strict && takes_schema(to));
                let text = description.as_ref().filter(|text| !text.trim().is_empty());
                let schema = object(|writer| match parameters {
                    Some(schema) => writer.field("json", schema),
                    None => writer.raw("json", r#"{"type":"object","properties":{}}"#),
                });
                let spec = object(|writer| {
                    writer.field("name", name);
                    writer.some("description", text);
                    writer.field("inputSchema", &schema);
                    writer.some("strict", is_strict.as_ref());
                });
                tools.push(object(|writer| writer.field("toolSpec", &spec)));
                tools.extend(cache::write(cache_control.as_ref(), family));
            }
        }
    }
    if tools.is_empty() {
        return Ok(None);
    }
    let choice = choice(request);
    Ok(Some(object(|writer| {
        writer.field("tools", &tools);
        writer.some("toolChoice", choice.as_ref());
        write_rest(writer, rest_of(request, "toolConfig"));
    })))
}

fn choice(request: &Request) -> Option<Json> {
    let empty = || object(|_| ());
    let (key, value) = match request.tool_choice.as_ref()? {
        ToolChoice::Auto => ("auto", empty()),
        ToolChoice::Required => ("any", empty()),
        ToolChoice::Function(name) => ("tool", object(|writer| writer.field("name", name))),
        ToolChoice::Other(other) if other.dialect == NAME => return Some(other.json.clone()),
        ToolChoice::Other(_) | ToolChoice::None => return None,
    };
    Some(object(|writer| writer.field(key, &value)))
}
