//! Builds requests and looks at their texts. The client's own request has the same type, so it
//! can be changed and sent on by the same methods.

use crate::{Function, JsonSchema, Message, Request, ResponseFormat, Role, Sampling, Tool};
use serde_json::Value;

impl Request {
    /// A request without messages, which leaves everything to the model's defaults.
    pub fn new(model: &str) -> Self {
        Self {
            model: model.into(),
            stream: false,
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            sampling: Sampling::default(),
            reasoning: None,
            response_format: None,
            user: None,
            extra: Vec::new(),
        }
    }

    /// Adds a message.
    #[must_use]
    pub fn message(mut self, message: Message) -> Self {
        self.messages.push(message);
        self
    }

    /// Adds a system message.
    #[must_use]
    pub fn system(self, text: impl Into<String>) -> Self {
        self.message(Message::system(text))
    }

    /// Adds a user's message. (Who the user is stands in the field of that name.)
    #[must_use]
    pub fn user(self, text: impl Into<String>) -> Self {
        self.message(Message::user(text))
    }

    /// Adds a tool that the model may call.
    #[must_use]
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// The reply's length at most.
    #[must_use]
    pub fn max_tokens(mut self, count: u32) -> Self {
        self.sampling.max_tokens = Some(count);
        self
    }

    /// 0 for the likeliest words.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.sampling.temperature = Some(temperature);
        self
    }

    /// Wants JSON by this schema, strictly; read it with
    /// [`Completion::json`](crate::models::Completion::json). `name` is for the provider.
    #[must_use]
    pub fn json_schema(mut self, name: &str, schema: impl Into<Value>) -> Self {
        self.response_format = Some(ResponseFormat::JsonSchema(JsonSchema {
            name: name.into(),
            description: None,
            schema: Some(schema.into().to_string()),
            strict: Some(true),
        }));
        self
    }

    /// What the user said last: the text of the last user message that has one.
    pub fn last_user_text(&self) -> Option<String> {
        let messages = self.messages.iter().rev().filter(|message| message.role == Role::User);
        messages.map(Message::text).find(|text| !text.is_empty())
    }

    /// Every text of every message with its role, those inside tool results too, in order.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = (Role, &mut String)> {
        self.messages.iter_mut().flat_map(|message| {
            let role = message.role;
            message.texts_mut().map(move |text| (role, text))
        })
    }
}

#[expect(clippy::derivable_impls, reason = "the type is generated")]
impl Default for Sampling {
    fn default() -> Self {
        Self {
            max_tokens: None,
            temperature: None,
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
}

impl Tool {
    /// A function that the model may call; `parameters` is a JSON Schema.
    pub fn function(name: &str, description: &str, parameters: impl Into<Value>) -> Self {
        Self::Function(Function {
            name: name.into(),
            description: Some(description.into()),
            parameters: Some(parameters.into().to_string()),
            strict: None,
            cache_control: None,
        })
    }
}
