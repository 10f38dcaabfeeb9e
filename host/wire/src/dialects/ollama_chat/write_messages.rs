//! Writes conversations: one text a message, pictures beside it.

use super::NAME;
use crate::chunk::{ReasoningDetail, ReasoningKind, Role};
use crate::error::WriteError;
use crate::json::Json;
use crate::json_text::{ObjectWriter, input_of, object};
use crate::request::{Content, Media, MediaData, MediaKind, Message, Part};

/// The messages, each as JSON.
pub(super) fn messages(messages: &[Message]) -> Result<Vec<Json>, WriteError> {
    let mut out = Vec::with_capacity(messages.len());
    for (position, message) in messages.iter().enumerate() {
        let earlier = messages.get(..position).unwrap_or_default();
        Place { message, position, earlier }.write(&mut out)?;
    }
    Ok(out)
}

/// A message and where it stands.
struct Place<'a> {
    message: &'a Message,
    position: usize,
    earlier: &'a [Message],
}

/// What a message says, as Ollama takes it.
#[derive(Default)]
struct Said<'a> {
    texts: Vec<&'a str>,
    thinking: String,
    images: Vec<&'a str>,
    calls: Vec<Json>,
}

impl<'a> Place<'a> {
    fn write(&self, out: &mut Vec<Json>) -> Result<(), WriteError> {
        let mut said = Said::default();
        let mut has_result = false;
        for part in &self.message.parts {
            let Content::ToolResult { call_id, parts, .. } = &part.content else {
                self.take(part, &mut said)?;
                continue;
            };
            has_result = true;
            self.flush(&std::mem::take(&mut said), out);
            let mut answer = Said::default();
            for part in parts {
                self.take(part, &mut answer)?;
            }
            let tool = self.tool(call_id).or(self.message.name.as_deref());
            out.push(object(|writer| {
                writer.field("role", "tool");
                answer.write(None, writer);
                writer.some("tool_name", tool);
                self.write_extra(writer);
            }));
        }
        if !has_result && said.is_empty() && self.message.role != Role::Assistant {
            said.texts.push("");
        }
        self.flush(&said, out);
        Ok(())
    }

    fn flush(&self, said: &Said<'_>, out: &mut Vec<Json>) {
        if said.is_empty() {
            return;
        }
        let role = match self.message.role {
            Role::System | Role::Developer => "system",
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        // OpenRouter's rule for models that know no names.
        let name = self.message.name.as_deref().filter(|_| role == "user");
        out.push(object(|writer| {
            writer.field("role", role);
            said.write(name, writer);
            self.write_extra(writer);
        }));
    }

    fn take(&self, part: &'a Part, said: &mut Said<'a>) -> Result<(), WriteError> {
        let is_assistant = self.message.role == Role::Assistant;
        match &part.content {
            Content::Text(text) | Content::Refusal(text) => {
                said.texts.extend(Some(text.as_str()).filter(|text| !text.is_empty()));
            }
            // A picture that another model made; what another model added to its turn is history.
            Content::Media(_) | Content::Other(_) if is_assistant => {}
            Content::Media(media) => said.images.push(self.image(media)?),
            Content::ToolCall { name, arguments, .. } if is_assistant => {
                said.calls.push(call(name, arguments, None));
            }
            Content::Reasoning { text, detail } if is_assistant => {
                if !is_hidden(detail.as_ref()) {
                    said.thinking.push_str(text);
                }
            }
            Content::Reasoning { .. } => {}
            Content::ToolCall { .. } => return Err(self.refuse("a tool call of the user")),
            Content::ToolResult { .. } => return Err(self.refuse("a result inside of another")),
            Content::Other(other) => {
                return Err(self.refuse(&format!("a part of {}", other.dialect)));
            }
        }
        Ok(())
    }

    fn image(&self, media: &'a Media) -> Result<&'a str, WriteError> {
        let what = match (media.kind, &media.data) {
            (MediaKind::Image, MediaData::Inline { base64, .. }) => return Ok(base64),
            (MediaKind::File, MediaData::Inline { mime, base64 }) if mime.starts_with("image/") => {
                return Ok(base64);
            }
            (MediaKind::Image, MediaData::Url(_)) => "an image by its address",
            (MediaKind::Image, MediaData::Id(_)) => "an uploaded image",
            (MediaKind::Audio, _) => "a recording",
            (MediaKind::Video, _) => "a video",
            (MediaKind::File, _) => "a file",
        };
        Err(self.refuse(what))
    }

    /// The tool of a call: the last one of that name, since some hosts use names again.
    fn tool(&self, id: &str) -> Option<&'a str> {
        let mut parts = self.earlier.iter().rev().flat_map(|message| &message.parts);
        parts.find_map(|part| match &part.content {
            Content::ToolCall { id: known, name, .. } if known == id => Some(name.as_str()),
            _ => None,
        })
    }

    fn write_extra(&self, writer: &mut ObjectWriter<'_>) {
        let fields = self.message.extra.fields_of(NAME);
        fields.iter().for_each(|(key, value)| writer.field(key, value));
    }

    fn refuse(&self, what: &str) -> WriteError {
        WriteError { dialect: NAME, what: format!("{what} in messages[{}]", self.position) }
    }
}

impl Said<'_> {
    fn is_empty(&self) -> bool {
        self.texts.is_empty()
            && self.thinking.is_empty()
            && self.images.is_empty()
            && self.calls.is_empty()
    }

    fn write(&self, name: Option<&str>, writer: &mut ObjectWriter<'_>) {
        let text = self.texts.join("\n");
        match name {
            Some(name) => writer.field("content", &format!("{name}: {text}")),
            None => writer.field("content", &text),
        }
        if !self.thinking.is_empty() {
            writer.field("thinking", &self.thinking);
        }
        if !self.images.is_empty() {
            writer.field("images", &self.images);
        }
        if !self.calls.is_empty() {
            writer.field("tool_calls", &self.calls);
        }
    }
}

/// A tool call as it stands in requests and, with its number, in replies.
pub(super) fn call(name: &str, arguments: &str, index: Option<u16>) -> Json {
    object(|writer| {
        let function = object(|writer| {
            writer.some("index", index.as_ref());
            writer.field("name", name);
            writer.raw("arguments", &input_of(arguments));
        });
        writer.field("function", &function);
    })
}

fn is_hidden(detail: Option<&ReasoningDetail>) -> bool {
    detail.is_some_and(|detail| detail.kind == ReasoningKind::Encrypted)
}
