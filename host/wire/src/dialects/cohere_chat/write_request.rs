//! Writes a request for an upstream: the client's own bytes with what must change, or a body from
//! the canonical form. Left out, because the dialect has no form for them: `n`, `min_p`, `top_a`,
//! `repetition_penalty`, `logit_bias`, `top_logprobs`, `parallel_tool_calls` and the user.

use bytes::Bytes;

use super::{NAME, write_messages};
use crate::controls;
use crate::dialect::{Outgoing, ReasoningStyle, Target};
use crate::error::WriteError;
use crate::json::Json;
use crate::json_text::{ObjectWriter, object};
use crate::request::{Effort, Reasoning, Request, ResponseFormat, Sampling, Tool, ToolChoice};
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
    Ok(Outgoing { path: "/chat".to_owned(), headers: Vec::new(), body: Bytes::from(body) })
}

fn compose(request: &Request, to: &Target<'_>) -> Result<Vec<u8>, WriteError> {
    let thinks = to.reasoning != ReasoningStyle::None;
    let messages = write_messages::messages(&request.messages, thinks)?;
    let tools = Tools::of(request)?;
    let format = request.response_format.as_ref().map(response_format).transpose()?.flatten();
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    writer.field("model", to.model);
    writer.field("stream", &to.stream);
    writer.field("messages", &messages);
    tools.write(&mut writer);
    writer.some("response_format", format.as_ref());
    if thinks && let Some(reasoning) = &request.reasoning {
        write_thinking(&mut writer, reasoning, request, to);
    }
    write_sampling(&mut writer, &request.sampling);
    for (key, value) in request.extra.fields_of(NAME) {
        writer.field(key, value);
    }
    writer.close();
    Ok(out)
}

/// The tools and what is said about them. Cohere can't force one of several functions, so that one
/// is the only tool it is told of.
#[derive(Default)]
struct Tools {
    tools: Vec<Json>,
    choice: Option<&'static str>,
    strict: Option<bool>,
}

impl Tools {
    fn of(request: &Request) -> Result<Self, WriteError> {
        let mut tools = Self::default();
        let forced = match &request.tool_choice {
            Some(ToolChoice::Function(name)) => Some(name),
            Some(ToolChoice::Other(other)) if !server_tool::is_gateways(&other.json) => {
                return Err(refuse(format!("a tool choice of {}", other.dialect)));
            }
            _ => None,
        };
        if WebSearch::of_request(request).is_some() {
            return Err(refuse(WHAT.to_owned()));
        }
        let mut wishes = Vec::new();
        for tool in &request.tools {
            match tool {
                Tool::Function { name, .. } if forced.is_some_and(|forced| forced != name) => {}
                Tool::Function { name, description, parameters, strict, .. } => {
                    wishes.push(*strict);
                    tools.tools.push(function(name, description.as_ref(), parameters.as_ref()));
                }
                Tool::Other(other) => match ServerTool::of(other, NAME) {
                    ServerTool::Gateways(_) => {}
                    ServerTool::Own(json) => {
                        tools.tools.extend(forced.is_none().then(|| json.clone()));
                    }
                    ServerTool::Search(_) => return Err(refuse(WHAT.to_owned())),
                    ServerTool::Foreign(other) => {
                        let what = format!("a tool that only {} knows", other.dialect);
                        return Err(refuse(what));
                    }
                },
            }
        }
        if let Some(name) = forced.filter(|_| wishes.is_empty()) {
            return Err(refuse(format!("the choice of `{name}`, which is not among the tools")));
        }
        tools.strict = [true, false].into_iter().find(|is_strict| {
            !wishes.is_empty() && wishes.iter().all(|wish| *wish == Some(*is_strict))
        });
        tools.choice = match &request.tool_choice {
            Some(ToolChoice::Required | ToolChoice::Function(_)) => Some("REQUIRED"),
            Some(ToolChoice::None) => Some("NONE"),
            Some(ToolChoice::Auto | ToolChoice::Other(_)) | None => None,
        };
        Ok(tools)
    }

    fn write(&self, writer: &mut ObjectWriter<'_>) {
        if self.tools.is_empty() {
            return;
        }
        writer.field("tools", &self.tools);
        writer.some("tool_choice", self.choice);
        writer.some("strict_tools", self.strict.as_ref());
    }
}

fn function(name: &str, description: Option<&String>, parameters: Option<&Json>) -> Json {
    object(|writer| {
        writer.field("type", "function");
        let function = object(|writer| {
            writer.field("name", name);
            writer.some("description", description);
            match parameters {
                Some(schema) => writer.field("parameters", schema),
                None => writer.raw("parameters", r#"{"type":"object","properties":{}}"#),
            }
        });
        writer.field("function", &function);
    })
}

fn response_format(format: &ResponseFormat) -> Result<Option<Json>, WriteError> {
    Ok(match format {
        ResponseFormat::Text => None,
        ResponseFormat::JsonObject => Some(object(|writer| writer.field("type", "json_object"))),
        ResponseFormat::JsonSchema { schema, .. } => Some(object(|writer| {
            writer.field("type", "json_object");
            writer.some("json_schema", schema.as_ref());
        })),
        ResponseFormat::Other(other) if other.dialect == NAME => Some(other.json.clone()),
        ResponseFormat::Other(other) => {
            return Err(refuse(format!("a response format of {}", other.dialect)));
        }
    })
}

/// Cohere knows budgets. An effort is OpenRouter's share of the limit where there is one.
fn write_thinking(
    writer: &mut ObjectWriter<'_>,
    reasoning: &Reasoning,
    request: &Request,
    to: &Target<'_>,
) {
    let effort = reasoning.effort.map(|effort| to.nearest_effort(effort));
    let is_off = reasoning.enabled == Some(false)
        || effort == Some(Effort::None)
        || reasoning.max_tokens == Some(0);
    let is_on = reasoning.enabled == Some(true) || effort.is_some();
    if !is_off && !is_on && reasoning.max_tokens.is_none() {
        return;
    }
    let limit = request.sampling.max_tokens.or(to.max_output_tokens);
    let share = || {
        let percent = percent_of(effort?);
        u32::try_from(u64::from(limit?).saturating_mul(percent) / 100).ok()
    };
    let budget = reasoning.max_tokens.or_else(share).filter(|_| !is_off);
    let thinking = object(|writer| {
        writer.field("type", if is_off { "disabled" } else { "enabled" });
        writer.some("token_budget", budget.as_ref());
    });
    writer.field("thinking", &thinking);
}

/// The share of the limit that OpenRouter gives an effort.
fn percent_of(effort: Effort) -> u64 {
    match effort {
        Effort::Max | Effort::Xhigh => 95,
        Effort::High => 80,
        Effort::Medium => 50,
        Effort::Low => 20,
        Effort::Minimal | Effort::None => 10,
    }
}

/// Cohere's scales are narrower than others'; what lies beyond an end is that end, and a penalty
/// that would be a reward is left out.
fn write_sampling(writer: &mut ObjectWriter<'_>, sampling: &Sampling) {
    writer.some("max_tokens", sampling.max_tokens.as_ref());
    writer.some("temperature", sampling.temperature.as_ref());
    writer.some("p", sampling.top_p.map(|p| p.clamp(P_MIN, P_MAX)).as_ref());
    writer.some("k", sampling.top_k.map(|k| k.min(K_MAX)).as_ref());
    writer.some("seed", sampling.seed.filter(|seed| *seed >= 0).as_ref());
    let penalty = |penalty: Option<f64>| penalty.filter(|it| *it >= 0.0).map(|it| it.min(1.0));
    writer.some("frequency_penalty", penalty(sampling.frequency_penalty).as_ref());
    writer.some("presence_penalty", penalty(sampling.presence_penalty).as_ref());
    if !sampling.stop.is_empty() {
        writer.field("stop_sequences", &sampling.stop);
    }
    writer.some("logprobs", sampling.logprobs.as_ref());
}

fn refuse(what: String) -> WriteError {
    WriteError { dialect: NAME, what }
}

/// <https://docs.cohere.com/v2/reference/chat>
const P_MIN: f64 = 0.01;
const P_MAX: f64 = 0.99;
const K_MAX: u32 = 500;
