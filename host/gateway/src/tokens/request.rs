//! How many tokens a whole request makes: its words, what OpenAI's format puts around them, and a
//! flat guess for what is not text.

use serde::Deserialize;
use wire::{Content, Json, Media, MediaKind, Message, Object, Request, ResponseFormat, Tool};

use super::Count;
use super::family::{Family, Vocabulary};

// What stands around a conversation, from OpenAI's cookbook, "How to count tokens with tiktoken",
// which checks the numbers against the API. Other providers publish none; theirs are taken alike.

/// A message's marks.
const MESSAGE: u64 = 3;
/// The speaker's role; every role is one word.
const ROLE: u64 = 1;
/// A name's mark.
const NAME: u64 = 1;
/// The beginning of the reply, which counts as prompt.
const REPLY: u64 = 3;
/// A function's marks.
const FUNCTION: u64 = 7;
/// The same before GPT-4o.
const FUNCTION_CL100K: u64 = 10;
/// Before a function's first parameter.
const PROPERTIES: u64 = 3;
/// A parameter's marks. A list of choices replaces them.
const PROPERTY: u64 = 3;
/// A choice's marks.
const CHOICE: u64 = 3;
/// After the last function.
const FUNCTIONS: u64 = 12;

// What is not text is never decoded here, so its size in pixels, seconds or pages is not known.

/// An image of 1024 by 1024 pixels in OpenAI's count for GPT-4o (85, and 170 for each of 4 tiles).
const IMAGE: u64 = 765;
/// An image of any size that is looked at with `detail: low`, likewise.
const IMAGE_LOW: u64 = 85;
/// A minute of sound at Gemini's 32 tokens a second.
const AUDIO: u64 = 60 * 32;
/// A minute of film at Gemini's 263 tokens a second.
const VIDEO: u64 = 60 * 263;
/// A page of text as PDF: 2,350 to 2,480 tokens measured for Claude 5.5, 561 for Gemini 3 (data set
/// "PDF token cost per page", version 2, 18 October 2026).
const FILE: u64 = 2500;

/// How many tokens of prompt a model makes of a request. Always an estimate: no provider promises
/// how it sets a conversation.
pub(crate) fn count_request(model: &str, request: &Request) -> Count {
    let family = Family::of(model);
    let mut tally = Tally { vocabulary: family.vocabulary, words: REPLY, media: 0 };
    for message in &request.messages {
        tally.message(message);
    }
    tally.tools(&request.tools);
    if let Some(format) = &request.response_format {
        tally.response_format(format);
    }
    Count { tokens: family.scale(tally.words).saturating_add(tally.media), is_estimated: true }
}

/// A request's tokens so far.
struct Tally {
    vocabulary: Vocabulary,
    /// Of text and what stands around it.
    words: u64,
    /// Of what is not text.
    media: u64,
}

impl Tally {
    fn text(&mut self, text: &str) {
        self.words += self.vocabulary.tokens(text);
    }

    fn message(&mut self, message: &Message) {
        self.words += MESSAGE + ROLE;
        if let Some(name) = &message.name {
            self.words += NAME;
            self.text(name);
        }
        for part in &message.parts {
            self.content(&part.content);
        }
    }

    fn content(&mut self, content: &Content) {
        match content {
            Content::Text(text) | Content::Refusal(text) | Content::Reasoning { text, .. } => {
                self.text(text);
            }
            Content::Media(media) => self.media += flat(media),
            Content::ToolCall { name, arguments, .. } => {
                self.words += MESSAGE;
                self.text(name);
                self.text(arguments);
            }
            Content::ToolResult { parts, .. } => {
                for part in parts {
                    self.content(&part.content);
                }
            }
            Content::Other(other) => self.text(other.json.as_str()),
        }
    }

    fn tools(&mut self, tools: &[Tool]) {
        for tool in tools {
            match tool {
                Tool::Function { name, description, parameters, .. } => {
                    self.words += match self.vocabulary {
                        Vocabulary::O200k => FUNCTION,
                        Vocabulary::Cl100k => FUNCTION_CL100K,
                    };
                    let description = description.as_deref().unwrap_or_default();
                    self.text(&format!("{name}:{}", without_point(description)));
                    if let Some(parameters) = parameters {
                        self.parameters(parameters);
                    }
                }
                Tool::Other(other) => self.text(other.json.as_str()),
            }
        }
        if !tools.is_empty() {
            self.words += FUNCTIONS;
        }
    }

    /// A function's schema. The published count knows flat lists of plain parameters; whatever goes
    /// beyond (nesting, bounds, definitions) counts as its JSON text.
    fn parameters(&mut self, schema: &Json) {
        let Ok(fields) = Object::parse(schema.as_str()) else {
            return self.text(schema.as_str());
        };
        for (key, value) in fields.0 {
            match key.as_ref() {
                "properties" => self.properties(value.get()),
                "type" | "required" | "additionalProperties" | "$schema" | "title" => {}
                _ => self.text(value.get()),
            }
        }
    }

    fn properties(&mut self, json: &str) {
        let Ok(properties) = Object::parse(json) else {
            return self.text(json);
        };
        if !properties.0.is_empty() {
            self.words += PROPERTIES;
        }
        for (name, property) in properties.0 {
            let Ok(plain) = serde_json::from_str::<Plain>(property.get()) else {
                self.words += PROPERTY;
                self.text(&format!("{name}:{property}"));
                continue;
            };
            let description = plain.description.as_deref().unwrap_or_default();
            self.text(&format!("{name}:{}:{}", plain.kind, without_point(description)));
            let Some(choices) = plain.choices else {
                self.words += PROPERTY;
                continue;
            };
            for choice in choices {
                self.words += CHOICE;
                self.text(&choice);
            }
        }
    }

    fn response_format(&mut self, format: &ResponseFormat) {
        match format {
            ResponseFormat::Text | ResponseFormat::JsonObject => {}
            ResponseFormat::JsonSchema { name, description, schema, .. } => {
                self.text(name);
                self.text(description.as_deref().unwrap_or_default());
                self.text(schema.as_ref().map_or("", Json::as_str));
            }
            ResponseFormat::Other(other) => self.text(other.json.as_str()),
        }
    }
}

/// A parameter as the published count knows it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    #[serde(rename = "type")]
    kind: String,
    description: Option<String>,
    #[serde(rename = "enum")]
    choices: Option<Vec<String>>,
}

/// What a medium costs, whatever is in it.
fn flat(media: &Media) -> u64 {
    match media.kind {
        MediaKind::Image if media.detail.as_deref() == Some("low") => IMAGE_LOW,
        MediaKind::Image => IMAGE,
        MediaKind::Audio => AUDIO,
        MediaKind::Video => VIDEO,
        MediaKind::File => FILE,
    }
}

/// A description as models are shown it: without the point at its end.
fn without_point(description: &str) -> &str {
    description.strip_suffix('.').unwrap_or(description)
}
