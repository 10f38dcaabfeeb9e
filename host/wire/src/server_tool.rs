//! Tools that are no functions, as the dialect that writes a request sees them: one rule for all.
//! What a gateway runs itself reaches no provider, in whichever dialect a client asked for it.

use serde_json::value::RawValue;

use crate::json::{Json, Object};
use crate::json_text::text_of;
use crate::request::{Other, Request, Tool, ToolChoice};
use crate::web_search::WebSearch;

/// What to do with a tool that is no function.
#[derive(Debug, PartialEq)]
pub(crate) enum ServerTool<'t> {
    /// A gateway runs it: only OpenRouter is told of it.
    Gateways(&'t Json),
    /// The provider is to search the web, said in another's words.
    Search(WebSearch),
    /// The dialect's own, written as it is.
    Own(&'t Json),
    /// Nobody but the dialect named here knows it.
    Foreign(&'t Other),
}

impl<'t> ServerTool<'t> {
    /// What a tool is to a dialect.
    pub(crate) fn of(other: &'t Other, dialect: &str) -> Self {
        let search = || WebSearch::of_tool(&Tool::Other(other.clone()));
        if is_gateways(&other.json) {
            return search().map_or(Self::Gateways(&other.json), Self::Search);
        }
        if other.dialect == dialect {
            return Self::Own(&other.json);
        }
        search().map_or(Self::Foreign(other), Self::Search)
    }
}

/// The type of a tool that a gateway is to run, where that is what it is: OpenRouter takes it, and
/// every other provider is sent the request without it.
pub fn gateways_tool(tool: &Tool) -> Option<String> {
    let Tool::Other(other) = tool else { return None };
    let is_ours = is_gateways(&other.json) && WebSearch::of_tool(tool).is_none();
    let fields = other.json.read::<Object<'_>>().ok().filter(|_| is_ours)?;
    Some(text_of(&fields, "type").unwrap_or_default())
}

/// Whether a tool, or a choice of one, is told in OpenRouter's words: its server tools, and a search
/// with an engine of a gateway's choice.
pub(crate) fn is_gateways(json: &Json) -> bool {
    json.read::<&RawValue>().is_ok_and(is_gateways_text)
}

/// The same of a tool as it came.
pub(crate) fn is_gateways_text(raw: &RawValue) -> bool {
    let Ok(fields) = Object::parse(raw.get()) else { return false };
    let kind = text_of(&fields, "type").unwrap_or_default();
    let has_engine = || {
        let parameters = fields.field("parameters").map(|raw| Object::parse(raw.get()));
        let inner = parameters.is_some_and(|it| it.is_ok_and(|it| it.field("engine").is_some()));
        fields.field("engine").is_some() || inner
    };
    kind.starts_with("openrouter:") || kind.starts_with("web_search") && has_engine()
}

/// Whether a client's own bytes name a tool in OpenRouter's words, so that they can't go to a
/// provider as they are.
pub(crate) fn are_among(request: &Request) -> bool {
    let choice = match &request.tool_choice {
        Some(ToolChoice::Other(other)) => Some(other),
        _ => None,
    };
    let tools = request.tools.iter().filter_map(|tool| match tool {
        Tool::Other(other) => Some(other),
        Tool::Function { .. } => None,
    });
    tools.chain(choice).any(|other| is_gateways(&other.json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_gateway_is_to_run_is_known_by_its_type() {
        let kind = |json: &str| {
            gateways_tool(&Tool::Other(Other {
                dialect: "openai-chat",
                json: Json::parse(json).unwrap(),
            }))
        };
        let runs = |json: &str, wanted: Option<&str>| assert_eq!(kind(json).as_deref(), wanted);
        runs(r#"{"type":"openrouter:fusion"}"#, Some("openrouter:fusion"));
        runs(r#"{"type":"web_search","engine":"exa"}"#, Some("web_search"));
        runs(r#"{"type":"openrouter:web_search","parameters":{"engine":"native"}}"#, None);
        runs(r#"{"type":"web_search"}"#, None);
        runs(r#"{"type":"bash_20250124","name":"bash"}"#, None);
    }

    #[test]
    fn a_gateways_tool_is_one_in_every_dialect_and_a_providers_is_its_own() {
        let other = |dialect, json: &str| Other { dialect, json: Json::parse(json).unwrap() };
        for dialect in ["openai-chat", "ollama-chat"] {
            for json in [
                r#"{"type":"openrouter:datetime"}"#,
                r#"{"type":"openrouter:web_search"}"#,
                r#"{"type":"web_search","engine":"exa"}"#,
                r#"{"type":"web_search","parameters":{"engine":"exa"}}"#,
            ] {
                let tool = other("openai-chat", json);
                let expected = ServerTool::Gateways(&tool.json);
                assert_eq!(ServerTool::of(&tool, dialect), expected, "{json} for {dialect}");
            }
        }
        let native = other(
            "openai-responses",
            r#"{"type":"openrouter:web_search","parameters":{"engine":"native"}}"#,
        );
        let search = ServerTool::Search(WebSearch::default());
        assert_eq!(ServerTool::of(&native, "openai-responses"), search);
        let own = other("openai-responses", r#"{"type":"web_search_preview"}"#);
        assert_eq!(ServerTool::of(&own, "openai-responses"), ServerTool::Own(&own.json));
        assert_eq!(ServerTool::of(&own, "bedrock-converse"), search);
        let shell = other("anthropic-messages", r#"{"type":"bash_20250124","name":"bash"}"#);
        assert_eq!(ServerTool::of(&shell, "cohere-chat"), ServerTool::Foreign(&shell));
    }
}
