//! Requests as people write them in a case: what a plugin usually looks at. Whatever is not here
//! is refused, so that a case never tests less than it says. The notation is in
//! [`cases`](super::cases).

use super::deltas::role;
use super::script::CallLine;
use crate::{
    Content, Effort, Field, Function, InlineMedia, JsonSchema, Media, MediaData, MediaKind,
    Message, Other, Part, Request, ResponseFormat, Sampling, Thinking, Tool, ToolResult,
    ToolResultPart,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A medium that the host holds: MIME type and bytes.
pub(super) type Held = (String, Vec<u8>);

/// A request with the media that the host holds in it, so that their numbers do not matter.
pub(super) fn resolved(mut request: Request, held: &[Held]) -> Request {
    for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
        let Content::Media(Media { data, .. }) = &mut part.content else { continue };
        if let MediaData::Held(number) = data
            && let Some((mime, bytes)) = held.get(usize::try_from(*number).unwrap_or(usize::MAX))
        {
            *data = MediaData::Inline(InlineMedia { mime: mime.clone(), bytes: bytes.clone() });
        }
    }
    request
}

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
            extra: Map::new(),
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
    #[serde(default)]
    extra: Map<String, Value>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum PartLine {
    Text(String),
    ImageUrl(String),
    File(FileLine),
    ToolCall(CallLine),
    ToolResult(ResultLine),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLine {
    kind: Option<String>,
    name: Option<String>,
    url: Option<String>,
    mime: Option<String>,
    text: Option<String>,
    base64: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultLine {
    call_id: String,
    text: String,
    #[serde(default)]
    is_error: bool,
}

/// A function, or a tool that stands as it is.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum ToolLine {
    Other(OtherLine),
    Function(FunctionLine),
}

#[derive(Clone, Deserialize)]
struct OtherLine {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionLine {
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
    /// The request it stands for, and the media that the host holds.
    pub(super) fn request(self) -> Result<(Request, Vec<Held>), String> {
        let mut held = Vec::new();
        let messages = self.messages.into_iter().map(|line| line.message(&mut held));
        let messages = messages.collect::<Result<_, _>>()?;
        let sampling = Sampling {
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            top_p: self.top_p,
            n: self.n,
            stop: self.stop,
            ..Sampling::default()
        };
        let request = Request {
            stream: self.stream,
            messages,
            tools: self.tools.into_iter().map(ToolLine::tool).collect(),
            sampling,
            reasoning: self.reasoning.map(ThinkingLine::thinking).transpose()?,
            response_format: self.response_format.map(FormatLine::format).transpose()?,
            user: self.user,
            extra: self.extra.into_iter().map(|(name, value)| Field::new(&name, value)).collect(),
            ..Request::new(&self.model)
        };
        Ok((request, held))
    }
}

impl MessageLine {
    fn message(self, held: &mut Vec<Held>) -> Result<Message, String> {
        let role = role(&self.role).ok_or_else(|| format!("no role `{}`", self.role))?;
        let parts = match (self.text, self.parts) {
            (Some(text), None) => vec![Part::text(text)],
            (None, Some(parts)) => {
                parts.into_iter().map(|part| part.part(held)).collect::<Result<_, _>>()?
            }
            _ => return Err("a message has either `text` or `parts`".into()),
        };
        let extra = self.extra.into_iter().map(|(name, value)| Field::new(&name, value)).collect();
        Ok(Message { role, name: self.name, parts, extra })
    }
}

impl PartLine {
    fn part(self, held: &mut Vec<Held>) -> Result<Part, String> {
        Ok(match self {
            Self::Text(text) => Part::text(text),
            Self::ImageUrl(url) => Part::image_url(&url),
            Self::File(file) => file.part(held)?,
            Self::ToolCall(call) => call.part(),
            Self::ToolResult(ResultLine { call_id, text, is_error }) => {
                let parts = vec![ToolResultPart::Text(text)];
                Part::new(Content::ToolResult(ToolResult { call_id, parts, is_error }))
            }
        })
    }
}

impl FileLine {
    /// What has bytes is held by the host, and so has a number.
    fn part(self, held: &mut Vec<Held>) -> Result<Part, String> {
        let data = match (self.url, self.mime, self.text, self.base64) {
            (Some(url), None, None, None) => MediaData::Url(url),
            (None, Some(mime), Some(text), None) => lend(held, mime, text.into_bytes()),
            (None, Some(mime), None, Some(base64)) => lend(held, mime, decode(&base64)?),
            _ => return Err("a file has `url`, or `mime` and either `text` or `base64`".into()),
        };
        let kind = match self.kind.as_deref() {
            None | Some("file") => MediaKind::File,
            Some("image") => MediaKind::Image,
            Some("audio") => MediaKind::Audio,
            Some("video") => MediaKind::Video,
            Some(kind) => return Err(format!("no kind of media `{kind}`")),
        };
        Ok(Part::new(Content::Media(Media { kind, data, name: self.name, detail: None })))
    }
}

fn lend(held: &mut Vec<Held>, mime: String, bytes: Vec<u8>) -> MediaData {
    held.push((mime, bytes));
    MediaData::Held(u32::try_from(held.len() - 1).unwrap_or(u32::MAX))
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let at = ALPHABET.iter().position(|known| *known == letter);
        let value = at.and_then(|at| u32::try_from(at).ok()).ok_or("a file's `base64` is none")?;
        bits = bits << 6 | value;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.extend(u8::try_from(bits >> count & 0xff));
        }
    }
    Ok(bytes)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The dialect of a case's request.
const SURFACE: &str = "openai-chat";

impl ToolLine {
    fn tool(self) -> Tool {
        match self {
            Self::Other(OtherLine { kind, mut more }) => {
                more.shift_insert(0, "type".into(), kind.into());
                let json = Value::Object(more).to_string();
                Tool::Other(Other { kind: SURFACE.into(), json })
            }
            Self::Function(FunctionLine { name, description, parameters }) => {
                let parameters = parameters.map(|schema| schema.to_string());
                let (strict, cache_control) = (None, None);
                Tool::Function(Function { name, description, parameters, strict, cache_control })
            }
        }
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
