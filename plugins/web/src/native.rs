//! The wish that the model's provider searches itself, in a form that every dialect reads and
//! that is no trigger of this plugin.

use patchbay_sdk::{Other, Tool};
use serde_json::{Value, json};
use web_pages::ServerTool;

use crate::settings::Settings;

/// The tool that says so. Its dialect has no search of its own, so each that has one writes the
/// wish in its own words.
pub(crate) fn wish(settings: &Settings) -> Tool {
    let mut tool = json!({"type": "web_search_20250305", "name": "web_search"});
    if let Some(tool) = tool.as_object_mut() {
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                tool.insert(name.to_owned(), value);
            }
        };
        let list = |domains: &Vec<String>| (!domains.is_empty()).then(|| json!(domains));
        put("search_context_size", settings.search_context_size.as_ref().map(|size| json!(size)));
        put("allowed_domains", list(&settings.include_domains));
        put("excluded_domains", list(&settings.exclude_domains));
        put("max_uses", settings.max_uses.map(|uses| json!(uses)));
        put("user_location", settings.user_location.as_ref().map(|location| json!(location)));
    }
    Tool::Other(Other { kind: "openai-completions.web_search".into(), json: tool.to_string() })
}

/// The client's own tool for OpenAI's models, by the name with a date, which means the same: it may
/// say more than the wish can.
pub(crate) fn as_asked(asked: &ServerTool, model: &str) -> Option<Tool> {
    let is_own = asked.other.kind.starts_with("openai-responses.") && model.starts_with("openai/");
    let kind = match asked.kind.as_str() {
        "web_search" => "web_search_2025_08_26",
        "web_search_preview" => "web_search_preview_2025_03_11",
        _ => return None,
    };
    if !is_own || asked.parameters.contains_key("engine") {
        return None;
    }
    let mut tool: Value = serde_json::from_str(&asked.other.json).ok()?;
    tool.as_object_mut()?.insert("type".into(), json!(kind));
    Some(Tool::Other(Other { kind: format!("openai-responses.{kind}"), json: tool.to_string() }))
}
