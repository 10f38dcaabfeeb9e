//! The canonical request: what a client asked for, whatever dialect it spoke.
//! Read by a dialect's `read_request`, changed by hooks, written by a dialect's `write_request`.

use crate::chunk::{ReasoningDetail, Role};
use crate::json::{Extra, Json};
use crate::source::Source;

/// A request for one generation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// The model as the client named it, suffixes included (`author/name:online`).
    pub model: String,
    /// Whether the client wants the reply in pieces.
    pub stream: bool,
    /// The conversation, oldest first. System prompts are messages of their own.
    pub messages: Vec<Message>,
    /// Functions the model may call.
    pub tools: Vec<Tool>,
    /// Which tool the model must, may or must not call.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called in one turn.
    pub parallel_tool_calls: Option<bool>,
    /// How tokens are drawn.
    pub sampling: Sampling,
    /// How much the model thinks, and whether the client sees it.
    pub reasoning: Option<Reasoning>,
    /// The form the text must have.
    pub response_format: Option<ResponseFormat>,
    /// The end user, as the client names them.
    pub user: Option<String>,
    /// How the reply is made and charged.
    pub service: Service,
    /// The client's tools that are no functions, and that functions of the same names stand for.
    pub custom_tools: Vec<CustomTool>,
    /// What is meant for the gateway and never sent upstream.
    pub controls: Controls,
    /// Top-level fields that have no place above, with the dialect that knows them.
    pub extra: Extra,
    /// The body as it came. Whoever changes a field above sets it to `None`; what the gateway
    /// itself owns (`model`, `stream`) may change without that.
    pub source: Option<Source>,
}

/// Instructions to the gateway: OpenRouter's extensions of the chat request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Controls {
    /// Further models to try, in order.
    pub models: Vec<String>,
    /// Routing preferences (`provider`), as sent.
    pub provider: Option<Json>,
    /// Plugins asked for, in order.
    pub plugins: Vec<PluginEntry>,
    /// Sticky routing and log grouping.
    pub session_id: Option<String>,
    /// Every other field that is for the gateway, as sent (`metadata`, `trace`, `debug`, …).
    pub rest: Vec<(String, Json)>,
}

/// One entry of `plugins`: `{"id": …, "enabled": …, …options}`.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginEntry {
    /// Which plugin.
    pub id: String,
    /// `false` switches off a plugin that a default switched on.
    pub enabled: bool,
    /// The entry's other keys, as one JSON object.
    pub options: Json,
}

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// A participant's name.
    pub name: Option<String>,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// Fields of the message that have no place above.
    pub extra: Extra,
}

/// One piece of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it is.
    pub content: Content,
    /// A prompt-cache breakpoint after this part, as sent (`{"type":"ephemeral","ttl":"1h"}`).
    pub cache_control: Option<Json>,
}

impl Part {
    /// A part without a cache breakpoint.
    pub fn new(content: Content) -> Self {
        Self { content, cache_control: None }
    }

    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Content::Text(text.into()))
    }
}

/// The kinds of content.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Words.
    Text(String),
    /// An image, a recording, a film or a document.
    Media(Media),
    /// The assistant calls a tool.
    ToolCall {
        /// The call's name, repeated by its result.
        id: String,
        /// Which function.
        name: String,
        /// JSON text, kept as the model wrote it.
        arguments: String,
    },
    /// What a tool answered.
    ToolResult {
        /// The call that is answered.
        call_id: String,
        /// The answer.
        parts: Vec<Part>,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// What the assistant thought in an earlier turn.
    Reasoning {
        /// The visible text, possibly empty.
        text: String,
        /// Signature and form, needed to send it back unchanged.
        detail: Option<ReasoningDetail>,
    },
    /// The assistant declined.
    Refusal(String),
    /// A part that only one dialect knows.
    Other(Other),
}

/// A piece that only the dialect named here understands.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// The dialect that can write it.
    pub dialect: &'static str,
    /// The piece, whole.
    pub json: Json,
}

/// Anything that is not text.
#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Where the bytes are.
    pub data: MediaData,
    /// A document's file name.
    pub name: Option<String>,
    /// How closely an image is looked at (`auto`, `low`, `high`).
    pub detail: Option<String>,
}

/// The kinds of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// A document.
    File,
}

/// Where a medium's bytes are.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaData {
    /// At an `http(s)` address.
    Url(String),
    /// Here.
    Inline {
        /// The MIME type (`image/png`); for audio known only by format, `audio/<format>`.
        mime: String,
        /// Standard base64 with padding, never decoded on the way.
        base64: String,
    },
    /// Uploaded before, known to the provider by this id.
    Id(String),
}

/// A function the model may call, or a tool that only one dialect knows.
#[derive(Debug, Clone, PartialEq)]
pub enum Tool {
    /// A function of the client.
    Function {
        /// At most 64 characters.
        name: String,
        /// What it does, for the model.
        description: Option<String>,
        /// JSON Schema of its arguments.
        parameters: Option<Json>,
        /// Whether arguments must fit the schema exactly.
        strict: Option<bool>,
        /// A prompt-cache breakpoint after this tool.
        cache_control: Option<Json>,
    },
    /// A tool of a provider.
    Other(Other),
}

/// A tool of OpenAI's Responses that is no function, yet that a client runs itself (`custom`,
/// `local_shell`). A function in [`Request::tools`] stands for it, so that every dialect can carry
/// it; its calls are shown to the client in the tool's own form.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomTool {
    /// The function's name.
    pub name: String,
    /// The tool, whole, as the client defined it.
    pub json: Json,
}

/// Whether and which tool is called.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// No tool.
    None,
    /// Some tool.
    Required,
    /// This function.
    Function(String),
    /// A form that only one dialect knows.
    Other(Other),
}

/// How tokens are drawn. `None` is left out upstream, never defaulted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    /// Most tokens in the reply.
    pub max_tokens: Option<u32>,
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// At least 0.
    pub top_k: Option<u32>,
    /// 0 to 1.
    pub min_p: Option<f64>,
    /// 0 to 1.
    pub top_a: Option<f64>,
    /// -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// -2 to 2.
    pub presence_penalty: Option<f64>,
    /// 0 to 2.
    pub repetition_penalty: Option<f64>,
    /// For repeatable replies.
    pub seed: Option<i64>,
    /// Texts that end the reply.
    pub stop: Vec<String>,
    /// How many replies (choices).
    pub n: Option<u32>,
    /// Whether token probabilities are wanted.
    pub logprobs: Option<bool>,
    /// How many alternatives each, 0 to 20.
    pub top_logprobs: Option<u32>,
    /// Token id to bias, as sent.
    pub logit_bias: Option<Json>,
}

/// How the reply is made and charged: what several dialects know beside the conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Service {
    /// What the reply is made of (`text`, `image`, `audio`); empty: what the model makes by itself.
    pub modalities: Vec<String>,
    /// Settings of pictures, in OpenRouter's form (`{"aspect_ratio":"16:9"}`).
    pub image_config: Option<Json>,
    /// Voice and format of sound, in OpenAI's form (`{"voice":"alloy","format":"pcm16"}`).
    pub audio: Option<Json>,
    /// How many words the reply has. Never [`Effort::None`] or [`Effort::Minimal`].
    pub verbosity: Option<Effort>,
    /// How soon and at which price, in OpenRouter's words (`auto`, `default`, `flex`, `priority`).
    pub tier: Option<String>,
    /// The prompt is cached up to its last part that can be, as sent (`{"type":"ephemeral"}`).
    pub cache_control: Option<Json>,
    /// Requests with the same key have the beginnings of their prompts in common.
    pub prompt_cache_key: Option<String>,
    /// Features of Anthropic's API that the client opted in to, by the names in `anthropic-beta`.
    pub betas: Vec<String>,
}

impl Service {
    /// The header by which OpenRouter is told of [`Service::betas`].
    pub(crate) fn openrouter_headers(&self) -> Vec<(&'static str, String)> {
        let header = ("x-anthropic-beta", self.betas.join(","));
        Some(header).filter(|_| !self.betas.is_empty()).into_iter().collect()
    }
}

/// How much the model thinks. `effort` and `max_tokens` are alternatives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reasoning {
    /// `false` switches thinking off where the model allows it.
    pub enabled: Option<bool>,
    /// Relative effort.
    pub effort: Option<Effort>,
    /// Absolute budget in tokens.
    pub max_tokens: Option<u32>,
    /// Think, but do not show it to the client.
    pub exclude: bool,
    /// `auto`, `concise` or `detailed`.
    pub summary: Option<String>,
}

/// Reasoning effort, least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// Do not think.
    None,
    /// As little as possible.
    Minimal,
    /// A little.
    Low,
    /// The usual.
    Medium,
    /// Much.
    High,
    /// Very much.
    Xhigh,
    /// As much as possible.
    Max,
}

impl Effort {
    /// Every effort with its name on the wire.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::None, "none"),
        (Self::Minimal, "minimal"),
        (Self::Low, "low"),
        (Self::Medium, "medium"),
        (Self::High, "high"),
        (Self::Xhigh, "xhigh"),
        (Self::Max, "max"),
    ];

    /// The effort of that name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(effort, _)| *effort)
    }

    /// How many steps lie between two efforts.
    pub fn distance(self, other: Self) -> usize {
        let place = |effort| Self::ALL.iter().position(|(known, _)| *known == effort);
        place(self).unwrap_or_default().abs_diff(place(other).unwrap_or_default())
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(effort, _)| *effort == self).map_or("medium", |(_, name)| name)
    }
}

/// The form the text must have.
#[derive(Debug, Clone, PartialEq)]
pub enum ResponseFormat {
    /// Free text.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema {
        /// At most 64 characters.
        name: String,
        /// What it is, for the model.
        description: Option<String>,
        /// JSON Schema.
        schema: Option<Json>,
        /// Whether the schema must be met exactly.
        strict: Option<bool>,
    },
    /// A form that only one dialect knows.
    Other(Other),
}
