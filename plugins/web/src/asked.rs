//! The tool by which a request asks for searches, in OpenRouter's form and OpenAI's.

use patchbay_sdk::{Other, Request, Tool, ToolChoice};
use serde_json::{Map, Value};

/// The types of tools that are ours, which `describe` names as triggers.
pub(crate) const TYPES: [&str; 3] = ["openrouter:web_search", "web_search", "web_search_preview"];

/// Such a tool of a request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Its type.
    pub(crate) kind: String,
    pub(crate) other: Other,
    /// What it says, under `parameters` or beside its type.
    pub(crate) parameters: Map<String, Value>,
    pub(crate) names_engine: bool,
}

impl Asked {
    /// The first of a request.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        request.tools.iter().find_map(|tool| match tool {
            Tool::Other(other) => Self::read(other),
            Tool::Function(_) => None,
        })
    }

    fn read(other: &Other) -> Option<Self> {
        let mut fields: Map<String, Value> = serde_json::from_str(&other.json).ok()?;
        let kind = fields.get("type")?.as_str().filter(|kind| TYPES.contains(kind))?.to_owned();
        if let Some(Value::Object(inner)) = fields.remove("parameters") {
            fields.extend(inner);
        }
        let names_engine = fields.contains_key("engine");
        Some(Self { kind, other: other.clone(), parameters: fields, names_engine })
    }
}

/// Whether a tool is one of these.
pub(crate) fn is_ours(tool: &Tool) -> bool {
    matches!(tool, Tool::Other(other) if Asked::read(other).is_some())
}

/// Whether the request wants one of these called, whatever the model thinks.
pub(crate) fn is_forced(request: &Request) -> bool {
    let Some(ToolChoice::Other(other)) = &request.tool_choice else { return false };
    let choice: Value = serde_json::from_str(&other.json).unwrap_or_default();
    choice.get("type").and_then(Value::as_str).is_some_and(|kind| TYPES.contains(&kind))
}
