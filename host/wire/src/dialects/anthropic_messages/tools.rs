//! Writes tools and the choice among them. A wish to search the web, in any dialect's form, becomes
//! Anthropic's own tool.

use super::NAME;
use super::json_text::{ObjectWriter, object};
use crate::error::WriteError;
use crate::json::Json;
use crate::request::{Other, Request, Tool, ToolChoice};
use crate::schema::{ANTHROPIC, fit};
use crate::server_tool::{self, ServerTool};
use crate::web_search::WebSearch;

/// Every tool, ready to write.
pub(super) fn of(request: &Request) -> Result<Vec<Json>, WriteError> {
    let tools = request.tools.iter().filter_map(|tool| tool_json(tool, request).transpose());
    let mut tools = tools.collect::<Result<Vec<_>, _>>()?;
    let is_search = |tool: &Tool| WebSearch::of_tool(tool).is_some();
    if !request.tools.iter().any(is_search)
        && let Some(search) = WebSearch::of_request(request)
    {
        tools.push(search_tool(&search));
    }
    Ok(tools)
}

fn search_tool(search: &WebSearch) -> Json {
    object(|writer| {
        writer.field("type", "web_search_20250305");
        writer.field("name", "web_search");
        writer.some("max_uses", search.max_uses.as_ref());
        // Anthropic takes one of the two lists; what is allowed says more.
        if !search.allowed_domains.is_empty() {
            writer.field("allowed_domains", &search.allowed_domains);
        } else if !search.excluded_domains.is_empty() {
            writer.field("blocked_domains", &search.excluded_domains);
        }
        if let Some(location) = &search.user_location {
            let location = object(|writer| {
                writer.field("type", "approximate");
                location.fields().for_each(|(name, value)| writer.field(name, value));
            });
            writer.field("user_location", &location);
        }
    })
}

/// A tool to tell the model of, if it is to be told.
fn tool_json(tool: &Tool, request: &Request) -> Result<Option<Json>, WriteError> {
    match tool {
        Tool::Other(other) => match ServerTool::of(other, NAME) {
            ServerTool::Gateways(_) => Ok(None),
            ServerTool::Own(json) => Ok(Some(json.clone())),
            ServerTool::Search(search) => Ok(Some(search_tool(&search))),
            ServerTool::Foreign(Other { dialect, .. }) => {
                let what = format!("a tool that only {dialect} knows; leave it out of `tools`");
                Err(WriteError { dialect: NAME, what })
            }
        },
        Tool::Function { name, description, parameters, strict, cache_control } => {
            let is_known = request.service.betas.iter().any(|beta| beta == STRICT_BETA);
            let strict = strict.filter(|strict| is_known && *strict);
            let whole = parameters.as_ref().filter(|_| strict.is_some());
            let fitting = whole.and_then(|schema| fit(&schema.read().ok()?, &ANTHROPIC));
            Ok(Some(object(|writer| {
                writer.field("name", name);
                writer.some("description", description.as_ref());
                match (fitting, parameters) {
                    (Some(schema), _) => writer.field("input_schema", &schema),
                    (None, Some(schema)) => writer.field("input_schema", schema),
                    (None, None) => {
                        writer.raw("input_schema", r#"{"type":"object","properties":{}}"#);
                    }
                }
                writer.some("strict", strict.as_ref());
                writer.some("cache_control", cache_control.as_ref());
            })))
        }
    }
}

/// Without it Anthropic refuses `strict`.
const STRICT_BETA: &str = "structured-outputs-2025-11-13";

/// Writes `tool_choice`.
pub(super) fn write_choice(writer: &mut ObjectWriter<'_>, request: &Request) {
    let parallel = request.parallel_tool_calls;
    let (kind, name) = match &request.tool_choice {
        Some(ToolChoice::None) => return writer.raw("tool_choice", r#"{"type":"none"}"#),
        Some(ToolChoice::Other(other))
            if other.dialect == NAME && !server_tool::is_gateways(&other.json) =>
        {
            return writer.field("tool_choice", &other.json);
        }
        Some(ToolChoice::Required) => ("any", None),
        Some(ToolChoice::Function(name)) => ("tool", Some(name)),
        Some(ToolChoice::Auto) => ("auto", None),
        Some(ToolChoice::Other(_)) | None if parallel.is_some() => ("auto", None),
        Some(ToolChoice::Other(_)) | None => return,
    };
    let choice = object(|writer| {
        writer.field("type", kind);
        writer.some("name", name);
        writer.some("disable_parallel_tool_use", parallel.map(|parallel| !parallel).as_ref());
    });
    writer.field("tool_choice", &choice);
}
