//! Calls that clients run and that are no functions': OpenAI's `custom` tools in chat, and the items
//! of its Responses (`shell_call`, `apply_patch_call`, `computer_call`). They come as they are.

use patchbay_sdk::OtherDelta;
use serde_json::Value;

/// A call of that kind, or a piece of one.
pub(crate) struct Foreign {
    /// Where the call stands; pieces of one have the same.
    pub(crate) index: u64,
    /// The tool's; none in a further piece.
    pub(crate) name: Option<String>,
}

impl Foreign {
    /// Reads one; `None` for anything else, and for what the provider runs itself.
    pub(crate) fn read(delta: &OtherDelta) -> Option<Self> {
        if delta.kind == CHAT_CALL {
            return Some(Self::of_chat(&delta.json));
        }
        let kind = delta.kind.strip_prefix(RESPONSES)?;
        let tool = match kind {
            "event" => tool_of_event(&delta.json)?,
            item => item.strip_suffix("_call")?.to_owned(),
        };
        let is_providers = PROVIDERS.contains(&tool.as_str());
        (!is_providers).then_some(Self { index: 0, name: Some(tool) })
    }

    fn of_chat(json: &str) -> Self {
        let call: Value = serde_json::from_str(json).unwrap_or_default();
        let kind = call.get("type").and_then(Value::as_str).unwrap_or("custom");
        let name = call.get(kind).and_then(|own| own.get("name")?.as_str());
        let index = call.get("index").and_then(Value::as_u64).unwrap_or(0);
        Self { index, name: name.filter(|name| !name.is_empty()).map(str::to_owned) }
    }
}

/// Of `response.output_item.added`, or of an event of the item's own
/// (`response.shell_call_command.delta`).
fn tool_of_event(json: &str) -> Option<String> {
    let event: Value = serde_json::from_str(json).ok()?;
    let kind = match event.get("item") {
        Some(item) => item.get("type")?.as_str()?,
        None => event.get("type")?.as_str()?.strip_prefix("response.")?,
    };
    kind.split_once("_call").map(|(tool, _)| tool.to_owned())
}

const CHAT_CALL: &str = "openai-chat.tool_call";
const RESPONSES: &str = "openai-responses.";

/// Tools that the provider runs.
const PROVIDERS: [&str; 5] =
    ["web_search", "file_search", "code_interpreter", "image_generation", "mcp"];
