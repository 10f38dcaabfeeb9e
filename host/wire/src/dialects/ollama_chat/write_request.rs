//! Writes a request for an upstream: the client's own bytes with what must change, or a body from
//! the canonical form. Left out, because the dialect has no form for them: `n`, `top_a`,
//! `logit_bias`, `parallel_tool_calls`, `strict` on tools and the user.

use bytes::Bytes;

use super::{NAME, options, write_messages};
use crate::controls;
use crate::dialect::{Outgoing, ReasoningStyle, Target};
use crate::error::WriteError;
use crate::json::Json;
use crate::json_text::{ObjectWriter, object};
use crate::request::{Effort, Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use crate::server_tool::{self, ServerTool};
use crate::source::Source;
use crate::web_search::{WHAT, WebSearch};

/// Writes the body.
pub(super) fn write_request(request: &Request, to: &Target<'_>) -> Result<Outgoing, WriteError> {
    let source = Source::of_dialect(&request.source, NAME);
    let source = source.filter(|_| !server_tool::are_among(request));
    let body = match source.and_then(|bytes| controls::without(&bytes, to)) {
        Some(body) => body,
        None => compose(request, to)?,
    };
    Ok(Outgoing { path: "/api/chat".to_owned(), headers: Vec::new(), body: Bytes::from(body) })
}

fn compose(request: &Request, to: &Target<'_>) -> Result<Vec<u8>, WriteError> {
    let messages = write_messages::messages(&request.messages)?;
    let tools = tools(request)?;
    let format = request.response_format.as_ref().map(format).transpose()?.flatten();
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    writer.field("model", to.model);
    // Said always: without it Ollama streams.
    writer.field("stream", &to.stream);
    writer.field("messages", &messages);
    if !tools.is_empty() {
        writer.field("tools", &tools);
    }
    writer.some("format", format.as_ref());
    let think = request.reasoning.as_ref().and_then(|reasoning| think(reasoning, to));
    writer.some("think", think.as_ref());
    writer.some("logprobs", request.sampling.logprobs.as_ref());
    writer.some("top_logprobs", request.sampling.top_logprobs.as_ref());
    let extra = request.extra.fields_of(NAME);
    let is_options = |(key, _): &&(String, Json)| key == options::NAME;
    let rest = extra.iter().find(is_options).map(|(_, json)| json);
    options::write(&mut writer, &request.sampling, rest);
    for (key, value) in extra.iter().filter(|field| !is_options(field)) {
        writer.field(key, value);
    }
    writer.close();
    Ok(out)
}

/// The tools that the model is told of. Ollama lets every model choose: a call can be ruled out by
/// telling of no tool, but not demanded.
fn tools(request: &Request) -> Result<Vec<Json>, WriteError> {
    let demands = match &request.tool_choice {
        Some(ToolChoice::None) => return Ok(Vec::new()),
        Some(ToolChoice::Auto) | None => None,
        Some(ToolChoice::Required) => Some("the tool choice `required`".to_owned()),
        Some(ToolChoice::Function(name)) => Some(format!("the tool choice of `{name}`")),
        Some(ToolChoice::Other(other)) if server_tool::is_gateways(&other.json) => None,
        Some(ToolChoice::Other(other)) => Some(format!("a tool choice of {}", other.dialect)),
    };
    if let Some(what) = demands {
        return Err(refuse(what));
    }
    if WebSearch::of_request(request).is_some() {
        return Err(refuse(WHAT.to_owned()));
    }
    request.tools.iter().filter_map(|it| tool(it).transpose()).collect()
}

/// A tool to tell the model of, if it is to be told.
fn tool(tool: &Tool) -> Result<Option<Json>, WriteError> {
    match tool {
        Tool::Other(other) => match ServerTool::of(other, NAME) {
            ServerTool::Gateways(_) => Ok(None),
            ServerTool::Own(json) => Ok(Some(json.clone())),
            ServerTool::Search(_) => Err(refuse(WHAT.to_owned())),
            ServerTool::Foreign(other) => {
                Err(refuse(format!("a tool that only {} knows", other.dialect)))
            }
        },
        Tool::Function { name, description, parameters, .. } => Ok(Some(object(|writer| {
            writer.field("type", "function");
            let function = object(|writer| {
                writer.field("name", name);
                writer.some("description", description.as_ref());
                match parameters {
                    Some(schema) => writer.field("parameters", schema),
                    None => writer.raw("parameters", r#"{"type":"object","properties":{}}"#),
                }
            });
            writer.field("function", &function);
        }))),
    }
}

fn format(format: &ResponseFormat) -> Result<Option<Json>, WriteError> {
    match format {
        ResponseFormat::Text => Ok(None),
        ResponseFormat::JsonSchema { schema: Some(schema), .. } => Ok(Some(schema.clone())),
        ResponseFormat::JsonObject | ResponseFormat::JsonSchema { .. } => {
            Ok(Some(Json::of(&"json")))
        }
        ResponseFormat::Other(other) => {
            Err(refuse(format!("a response format of {}", other.dialect)))
        }
    }
}

/// Whether to think, and how much where the model knows degrees. Ollama refuses the field for
/// models that don't think.
fn think(reasoning: &Reasoning, to: &Target<'_>) -> Option<Json> {
    let effort = reasoning.effort.map(|effort| to.nearest_effort(effort));
    let is_off = reasoning.enabled == Some(false)
        || effort == Some(Effort::None)
        || reasoning.max_tokens == Some(0);
    let is_on =
        reasoning.enabled == Some(true) || effort.is_some() || reasoning.max_tokens.is_some();
    match to.reasoning {
        ReasoningStyle::None => None,
        _ if is_off => Some(Json::of(&false)),
        ReasoningStyle::Effort if effort.is_some() => effort.map(|effort| {
            Json::of(&match effort {
                Effort::None | Effort::Minimal | Effort::Low => "low",
                Effort::Medium => "medium",
                Effort::High | Effort::Xhigh | Effort::Max => "high",
            })
        }),
        _ => is_on.then(|| Json::of(&true)),
    }
}

fn refuse(what: String) -> WriteError {
    WriteError { dialect: NAME, what }
}
