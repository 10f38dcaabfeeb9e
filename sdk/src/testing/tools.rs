//! The tools hook in a case, and what a plugin tells the host. The notation is in
//! [`cases`](super::cases).

use super::cases::Case;
use crate::report::Stage;
use crate::{Generation, Plugin, Request, Tool, ToolCall, ToolResultPart};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A call that the model makes, and what it must be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallLine {
    name: String,
    arguments: Value,
    expect: Option<String>,
    #[serde(default)]
    is_error: bool,
}

/// An entry of the pipeline.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageLine {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    summary: Option<String>,
    #[serde(default)]
    data: Map<String, Value>,
}

impl StageLine {
    /// Whether this was reported.
    pub(super) fn fits(&self, stage: &Stage) -> bool {
        let has = |(name, wanted): (&String, &Value)| {
            let field = stage.data.iter().find(|field| field.name == *name);
            let got = field.and_then(|field| serde_json::from_str::<Value>(&field.value).ok());
            got.as_ref() == Some(wanted)
        };
        self.kind == stage.kind
            && self.name == stage.name
            && (self.summary.is_none() || self.summary == stage.summary)
            && self.data.iter().all(has)
    }
}

/// Asks the plugin for its functions and makes the case's calls.
pub(super) fn play<P: Plugin>(
    plugin: &mut P,
    generation: &Generation,
    request: &Request,
    case: &Case,
) -> Result<(), String> {
    let asked = request.tools.iter().filter_map(|tool| match tool {
        Tool::Other(other) if is_named(&other.json, &case.triggers) => Some(other.json.clone()),
        Tool::Other(_) | Tool::Function(_) => None,
    });
    let offered = plugin.tools(generation, asked.collect()).map_err(|error| error.to_string())?;
    let names: Vec<&str> = offered.iter().map(|function| function.name.as_str()).collect();
    if names != case.offers {
        return Err(format!("the tools hook offers {names:?}, not {:?}", case.offers));
    }
    for (number, line) in (1..).zip(&case.calls) {
        let arguments = match &line.arguments {
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        let call = ToolCall { id: format!("call-{number}"), name: line.name.clone(), arguments };
        let output = plugin.call(generation, call).map_err(|error| error.to_string())?;
        let text = output.parts.iter().filter_map(|part| match part {
            ToolResultPart::Text(text) => Some(text.as_str()),
            ToolResultPart::Media(_) | ToolResultPart::Other(_) => None,
        });
        let text: String = text.collect();
        let is_told = line.expect.as_ref().is_none_or(|wanted| *wanted == text);
        if !is_told || output.is_error != line.is_error {
            let is_error = output.is_error;
            return Err(format!(
                "call {number} gives {text:?} (is_error: {is_error}), not {line:?}"
            ));
        }
    }
    Ok(())
}

/// Whether a tool of this JSON text enables the plugin.
fn is_named(json: &str, triggers: &[String]) -> bool {
    let tool: Value = serde_json::from_str(json).unwrap_or_default();
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
    triggers.iter().any(|trigger| trigger.strip_prefix("tool=") == Some(kind))
}
