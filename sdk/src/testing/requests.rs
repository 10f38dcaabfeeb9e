//! Requests as people write them in a case: what a plugin usually looks at. Whatever is not here
//! is refused, so that a case never tests less than it says. The notation is in
//! [`cases`](super::cases).

use super::deltas::role;
use super::script::CallLine;
use crate::{
    Content, Effort, Field, Function, JsonSchema, Message, Part, Request, ResponseFormat, Sampling,
    Thinking, Tool, ToolResult, ToolResultPart,
};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RequestLine {
    model: String,
    stream: bool,
    messages: Vec<MessageLine>,
    tools: Vec<ToolLine>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    n: Option<u32>,
    stop: Vec<String>,
    reasoning: Option<ThinkingLine>,
    response_format: Option<FormatLine>,
    user: Option<String>,
    extra: Map<String, Value>,
}

impl Default for RequestLine {
    fn default() -> Self {
        let hello = MessageLine {
            role: "user".into(),
            name: None,
            text: Some("Hello".into()),
            parts: None,
        };
        Self {
            model: "test/model".into(),
            stream: true,
            messages: vec![hello],
            tools: Vec::new(),
            max_tokens: None,
            temperature: None,
            top_p: None,
            n: None,
            stop: Vec::new(),
            reasoning: None,
            response_format: None,
            user: None,
            extra: Map::new(),
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageLine {
    role: String,
    name: Option<String>,
    text: Option<String>,
    parts: Option<Vec<PartLine>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum PartLine {
    Text(String),
    ImageUrl(String),
    ToolCall(CallLine),
    ToolResult(ResultLine),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultLine {
    call_id: String,
    text: String,
    #[serde(default)]
    is_error: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolLine {
    name: String,
    description: Option<String>,
    parameters: Option<Value>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThinkingLine {
    enabled: Option<bool>,
    effort: Option<String>,
    max_tokens: Option<u32>,
    #[serde(default)]
    exclude: bool,
    summary: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormatLine {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    schema: Option<Value>,
}

impl RequestLine {
    /// The request it stands for.
    pub(super) fn request(self) -> Result<Request, String> {
        let messages =
            self.messages.into_iter().map(MessageLine::message).collect::<Result<_, _>>()?;
        let sampling = Sampling {
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            top_p: self.top_p,
            n: self.n,
            stop: self.stop,
            ..Sampling::default()
        };
        Ok(Request {
            stream: self.stream,
            messages,
            tools: self.tools.into_iter().map(ToolLine::tool).collect(),
            sampling,
            reasoning: self.reasoning.map(ThinkingLine::thinking).transpose()?,
            response_format: self.response_format.map(FormatLine::format).transpose()?,
            user: self.user,
            extra: self.extra.into_iter().map(|(name, value)| Field::new(&name, value)).collect(),
            ..Request::new(&self.model)
        })
    }
}

impl MessageLine {
    fn message(self) -> Result<Message, String> {
        let role = role(&self.role).ok_or_else(|| format!("no role `{}`", self.role))?;
        let parts = match (self.text, self.parts) {
            (Some(text), None) => vec![Part::text(text)],
            (None, Some(parts)) => parts.into_iter().map(PartLine::part).collect(),
            _ => return Err("a message has either `text` or `parts`".into()),
        };
        Ok(Message { role, name: self.name, parts, extra: Vec::new() })
    }
}

impl PartLine {
    fn part(self) -> Part {
        match self {
            Self::Text(text) => Part::text(text),
            Self::ImageUrl(url) => Part::image_url(&url),
            Self::ToolCall(call) => call.part(),
            Self::ToolResult(ResultLine { call_id, text, is_error }) => {
                let parts = vec![ToolResultPart::Text(text)];
                Part::new(Content::ToolResult(ToolResult { call_id, parts, is_error }))
            }
        }
    }
}

impl ToolLine {
    fn tool(self) -> Tool {
        let Self { name, description, parameters } = self;
        let parameters = parameters.map(|schema| schema.to_string());
        Tool::Function(Function {
            name,
            description,
            parameters,
            strict: None,
            cache_control: None,
        })
    }
}

impl FormatLine {
    fn format(self) -> Result<ResponseFormat, String> {
        let Self { kind, name, schema } = self;
        match (kind.as_str(), &name, &schema) {
            ("text", None, None) => Ok(ResponseFormat::Text),
            ("json_object", None, None) => Ok(ResponseFormat::JsonObject),
            ("json_schema", _, Some(schema)) => Ok(ResponseFormat::JsonSchema(JsonSchema {
                name: name.unwrap_or_else(|| "reply".into()),
                description: None,
                schema: Some(schema.to_string()),
                strict: None,
            })),
            _ => Err(format!("no response format `{kind}` with these fields")),
        }
    }
}

impl ThinkingLine {
    fn thinking(self) -> Result<Thinking, String> {
        let Self { enabled, max_tokens, exclude, summary, .. } = self;
        let effort = self.effort.map(|name| effort(&name)).transpose()?;
        Ok(Thinking { enabled, effort, max_tokens, exclude, summary })
    }
}

fn effort(name: &str) -> Result<Effort, String> {
    Ok(match name {
        "none" => Effort::None,
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::Xhigh,
        "max" => Effort::Max,
        _ => return Err(format!("no effort `{name}`")),
    })
}
