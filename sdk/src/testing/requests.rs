//! Requests as people write them in a case: what a plugin usually looks at. Whatever is not here
//! is refused, so that a case never tests less than it says.

use super::deltas::role;
use crate::{Content, Effort, Field, Message, Part, Request, Sampling, Thinking};
use serde::Deserialize;
use serde_json::{Map, Value};

/// `{"model":…,"messages":[{"role":"user","text":"Hi"}],"reasoning":{"exclude":true},"extra":{}}`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RequestLine {
    model: String,
    stream: bool,
    messages: Vec<MessageLine>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    reasoning: Option<ThinkingLine>,
    user: Option<String>,
    extra: Map<String, Value>,
}

impl Default for RequestLine {
    fn default() -> Self {
        Self {
            model: "test/model".into(),
            stream: true,
            messages: vec![MessageLine { role: "user".into(), name: None, text: "Hello".into() }],
            max_tokens: None,
            temperature: None,
            reasoning: None,
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
    text: String,
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

impl RequestLine {
    /// The request it stands for.
    pub(super) fn request(self) -> Result<Request, String> {
        let messages =
            self.messages.into_iter().map(MessageLine::message).collect::<Result<_, _>>()?;
        let extra = self.extra.into_iter();
        Ok(Request {
            model: self.model,
            stream: self.stream,
            messages,
            tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            sampling: sampling(self.max_tokens, self.temperature),
            reasoning: self.reasoning.map(ThinkingLine::thinking).transpose()?,
            response_format: None,
            user: self.user,
            extra: extra.map(|(name, value)| Field { name, value: value.to_string() }).collect(),
        })
    }
}

impl MessageLine {
    fn message(self) -> Result<Message, String> {
        let role = role(&self.role).ok_or_else(|| format!("no role `{}`", self.role))?;
        let part = Part { content: Content::Text(self.text), cache_control: None };
        Ok(Message { role, name: self.name, parts: vec![part], extra: Vec::new() })
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

fn sampling(max_tokens: Option<u32>, temperature: Option<f64>) -> Sampling {
    Sampling {
        max_tokens,
        temperature,
        top_p: None,
        top_k: None,
        min_p: None,
        top_a: None,
        frequency_penalty: None,
        presence_penalty: None,
        repetition_penalty: None,
        seed: None,
        stop: Vec::new(),
        n: None,
        logprobs: None,
        top_logprobs: None,
        logit_bias: None,
    }
}
