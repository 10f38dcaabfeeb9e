//! Every text of a request that the upstream would see.

use crate::json;
use patchbay_sdk::{Content, Field, Message, Request, ResponseFormat, Role, Tool, ToolResultPart};

/// A text, and what is known of it.
pub(crate) struct Text<'a> {
    pub(crate) text: &'a str,
    /// The name of the JSON field that it is the value of, if it is.
    pub(crate) name: &'a str,
    /// The user said it.
    pub(crate) is_users: bool,
}

/// Makes another text of one, or leaves it.
type Change<'a> = &'a mut dyn FnMut(Text<'_>) -> Option<String>;

/// Shows every text to `change`, always in the same order. Addresses and bytes of media, names of
/// functions, and what providers signed or encrypted are no texts.
pub(crate) fn walk(request: &mut Request, change: Change<'_>) {
    for message in &mut request.messages {
        walk_message(message, change);
    }
    for tool in &mut request.tools {
        match tool {
            Tool::Function(function) => {
                optional(&mut function.description, change);
                optional_json(&mut function.parameters, change);
            }
            Tool::Other(other) => json(&mut other.json, change),
        }
    }
    match &mut request.response_format {
        Some(ResponseFormat::JsonSchema(schema)) => {
            optional(&mut schema.description, change);
            optional_json(&mut schema.schema, change);
        }
        Some(ResponseFormat::Other(other)) => json(&mut other.json, change),
        Some(ResponseFormat::Text | ResponseFormat::JsonObject) | None => {}
    }
    for stop in &mut request.sampling.stop {
        plain(stop, false, change);
    }
    optional(&mut request.user, change);
    fields(&mut request.extra, change);
}

fn walk_message(message: &mut Message, change: Change<'_>) {
    let is_users = message.role == Role::User;
    optional(&mut message.name, change);
    for part in &mut message.parts {
        match &mut part.content {
            Content::Text(text) => plain(text, is_users, change),
            Content::Refusal(text) => plain(text, false, change),
            Content::Reasoning(reasoning) => plain(&mut reasoning.text, false, change),
            Content::ToolCall(call) => json(&mut call.arguments, change),
            Content::ToolResult(result) => {
                for part in &mut result.parts {
                    match part {
                        ToolResultPart::Text(text) => plain(text, false, change),
                        ToolResultPart::Media(media) => optional(&mut media.name, change),
                        ToolResultPart::Other(other) => json(&mut other.json, change),
                    }
                }
            }
            Content::Media(media) => optional(&mut media.name, change),
            Content::Other(other) => json(&mut other.json, change),
        }
    }
    fields(&mut message.extra, change);
}

fn plain(text: &mut String, is_users: bool, change: Change<'_>) {
    if let Some(changed) = change(Text { text, name: "", is_users }) {
        *text = changed;
    }
}

fn optional(text: &mut Option<String>, change: Change<'_>) {
    if let Some(text) = text {
        plain(text, false, change);
    }
}

fn json(text: &mut String, change: Change<'_>) {
    let changed =
        json::change(text, &mut |name, text| change(Text { text, name, is_users: false }));
    if let Some(changed) = changed {
        *text = changed;
    }
}

fn optional_json(text: &mut Option<String>, change: Change<'_>) {
    if let Some(text) = text {
        json(text, change);
    }
}

fn fields(fields: &mut [Field], change: Change<'_>) {
    for field in fields {
        json(&mut field.value, change);
    }
}
