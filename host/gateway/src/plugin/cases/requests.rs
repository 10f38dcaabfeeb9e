//! Requests as people write them in a case: what a plugin usually looks at. Whatever is not here
//! is refused, so that a case never tests less than it says.

use serde::Deserialize;
use serde_json::{Map, Value};
use wire::{
    Content, Controls, Effort, Extra, Media, MediaData, MediaKind, Message, Other, Part, Reasoning,
    Request, ResponseFormat, Sampling, Tool,
};

use super::super::convert::take_controls;
use super::super::media::encode;
use super::SURFACE;
use super::answers::CallLine;
use super::deltas::{plain, plain_json, role};

#[derive(Deserialize)]
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
            role: "user".to_owned(),
            name: None,
            text: Some("Hello".to_owned()),
            parts: None,
            extra: Map::new(),
        };
        Self {
            model: "test/model".to_owned(),
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageLine {
    role: String,
    name: Option<String>,
    text: Option<String>,
    parts: Option<Vec<PartLine>>,
    #[serde(default)]
    extra: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum PartLine {
    Text(String),
    ImageUrl(String),
    File(FileLine),
    ToolCall(CallLine),
    ToolResult(ResultLine),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLine {
    kind: Option<String>,
    name: Option<String>,
    url: Option<String>,
    mime: Option<String>,
    text: Option<String>,
    base64: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultLine {
    call_id: String,
    text: String,
    #[serde(default)]
    is_error: bool,
}

/// A function, or a tool that stands as it is.
#[derive(Deserialize)]
#[serde(untagged)]
enum ToolLine {
    Other(OtherLine),
    Function(FunctionLine),
}

#[derive(Deserialize)]
struct OtherLine {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionLine {
    name: String,
    description: Option<String>,
    parameters: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThinkingLine {
    enabled: Option<bool>,
    effort: Option<String>,
    max_tokens: Option<u32>,
    #[serde(default)]
    exclude: bool,
    summary: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormatLine {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    schema: Option<Value>,
}

impl RequestLine {
    /// The request it stands for.
    ///
    /// # Errors
    /// Names what is none.
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
        let fields = self.extra.iter().map(|(name, value)| (name.clone(), plain(value)));
        let (mut fields, mut controls) = (fields.collect(), Controls::default());
        take_controls(&mut controls, &mut fields).map_err(|failed| failed.detail)?;
        Ok(Request {
            controls,
            model: self.model,
            stream: self.stream,
            messages,
            tools: self.tools.into_iter().map(ToolLine::tool).collect(),
            sampling,
            reasoning: self.reasoning.map(ThinkingLine::thinking).transpose()?,
            response_format: self.response_format.map(FormatLine::format).transpose()?,
            user: self.user,
            extra: Extra { fields, ..nothing_more() },
            ..Request::default()
        })
    }
}

/// A request that a plugin made, with its JSON in the form that a case's has.
pub(super) fn plain_request(mut request: Request) -> Request {
    for tool in &mut request.tools {
        if let Tool::Function { parameters, .. } = tool {
            *parameters = parameters.as_ref().map(plain_json);
        }
    }
    if let Some(ResponseFormat::JsonSchema { schema, .. }) = &mut request.response_format {
        *schema = schema.as_ref().map(plain_json);
    }
    for (_, value) in &mut request.extra.fields {
        *value = plain_json(value);
    }
    request.controls.provider = request.controls.provider.as_ref().map(plain_json);
    request
}

/// No further fields. The dialect is there without them too, as a replaced request has it.
fn nothing_more() -> Extra {
    Extra { dialect: SURFACE, fields: Vec::new() }
}

impl MessageLine {
    fn message(self) -> Result<Message, String> {
        let role = role(&self.role).ok_or_else(|| format!("no role `{}`", self.role))?;
        let parts = match (self.text, self.parts) {
            (Some(text), None) => vec![Part::text(text)],
            (None, Some(parts)) => {
                parts.into_iter().map(PartLine::part).collect::<Result<_, _>>()?
            }
            _ => return Err("a message has either `text` or `parts`".to_owned()),
        };
        let fields = self.extra.iter().map(|(name, value)| (name.clone(), plain(value)));
        let extra = Extra { fields: fields.collect(), ..nothing_more() };
        Ok(Message { role, name: self.name, parts, extra })
    }
}

impl PartLine {
    fn part(self) -> Result<Part, String> {
        Ok(Part::new(match self {
            Self::Text(text) => Content::Text(text),
            Self::ImageUrl(url) => Content::Media(Media {
                kind: MediaKind::Image,
                data: MediaData::Url(url),
                name: None,
                detail: None,
            }),
            Self::File(file) => Content::Media(file.media()?),
            Self::ToolCall(CallLine { id, name, arguments }) => {
                Content::ToolCall { id, name, arguments }
            }
            Self::ToolResult(ResultLine { call_id, text, is_error }) => {
                Content::ToolResult { call_id, parts: vec![Part::text(text)], is_error }
            }
        }))
    }
}

impl FileLine {
    fn media(self) -> Result<Media, String> {
        let data = match (self.url, self.mime, self.text, self.base64) {
            (Some(url), None, None, None) => MediaData::Url(url),
            (None, Some(mime), Some(text), None) => {
                MediaData::Inline { mime, base64: encode(text.as_bytes()) }
            }
            (None, Some(mime), None, Some(base64)) => MediaData::Inline { mime, base64 },
            _ => {
                let rule = "a file has `url`, or `mime` and either `text` or `base64`";
                return Err(rule.to_owned());
            }
        };
        let kind = match self.kind.as_deref() {
            None | Some("file") => MediaKind::File,
            Some("image") => MediaKind::Image,
            Some("audio") => MediaKind::Audio,
            Some("video") => MediaKind::Video,
            Some(kind) => return Err(format!("no kind of media `{kind}`")),
        };
        Ok(Media { kind, data, name: self.name, detail: None })
    }
}

impl ToolLine {
    fn tool(self) -> Tool {
        match self {
            Self::Other(OtherLine { kind, mut more }) => {
                more.shift_insert(0, "type".to_owned(), kind.into());
                let json = plain(&Value::Object(more));
                Tool::Other(Other { dialect: SURFACE, json })
            }
            Self::Function(FunctionLine { name, description, parameters }) => Tool::Function {
                name,
                description,
                parameters: parameters.as_ref().map(plain),
                strict: None,
                cache_control: None,
            },
        }
    }
}

impl FormatLine {
    fn format(self) -> Result<ResponseFormat, String> {
        let Self { kind, name, schema } = self;
        match (kind.as_str(), &name, &schema) {
            ("text", None, None) => Ok(ResponseFormat::Text),
            ("json_object", None, None) => Ok(ResponseFormat::JsonObject),
            ("json_schema", _, Some(schema)) => Ok(ResponseFormat::JsonSchema {
                schema: Some(plain(schema)),
                name: name.unwrap_or_else(|| "reply".to_owned()),
                description: None,
                strict: None,
            }),
            _ => Err(format!("no response format `{kind}` with these fields")),
        }
    }
}

impl ThinkingLine {
    fn thinking(self) -> Result<Reasoning, String> {
        let Self { enabled, max_tokens, exclude, summary, .. } = self;
        let effort = |name: String| Effort::read(&name).ok_or(format!("no effort `{name}`"));
        let effort = self.effort.map(effort).transpose()?;
        Ok(Reasoning { enabled, effort, max_tokens, exclude, summary })
    }
}
