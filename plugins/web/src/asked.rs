//! The tool by which a request asks for searches, in OpenRouter's form and OpenAI's.

use patchbay_sdk::{Request, ToolChoice};
use serde_json::Value;

/// The types of tools that are ours, which `describe` names as triggers.
pub(crate) const TYPES: [&str; 3] = ["openrouter:web_search", "web_search", "web_search_preview"];

/// Whether the request wants one of these called, whatever the model thinks.
pub(crate) fn is_forced(request: &Request) -> bool {
    let Some(ToolChoice::Other(other)) = &request.tool_choice else { return false };
    let choice: Value = serde_json::from_str(&other.json).unwrap_or_default();
    choice.get("type").and_then(Value::as_str).is_some_and(|kind| TYPES.contains(&kind))
}
