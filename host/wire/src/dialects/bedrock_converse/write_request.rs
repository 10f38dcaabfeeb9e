//! Writes a request for an upstream: the client's own bytes, or a body from the canonical form. Left
//! out, because the dialect has no form for them: `seed`, penalties, log probabilities, whether
//! calls may be parallel, and the end user.

use std::fmt::Write as _;

use bytes::Bytes;

use super::model::{Family, takes_schema};
use super::settings::Settings;
use super::write_content::Layout;
use super::{NAME, write_tools};
use crate::chunk::Role;
use crate::dialect::{Outgoing, Target};
use crate::dialects::anthropic_messages::thinking;
use crate::error::WriteError;
use crate::json::{Json, Object};
use crate::json_text::{ObjectWriter, object};
use crate::request::{Content, Request, ResponseFormat};
use crate::server_tool;
use crate::source::Source;

/// Writes the address and the body.
pub(super) fn write_request(request: &Request, to: &Target<'_>) -> Result<Outgoing, WriteError> {
    let source = Source::of_dialect(&request.source, NAME);
    let source = source.filter(|_| is_returnable(request) && !server_tool::are_among(request));
    let body = match source {
        Some(bytes) => bytes,
        None => compose(request, to)?,
    };
    let method = if to.stream { "converse-stream" } else { "converse" };
    let path = format!("/model/{}/{method}", encode(to.model));
    Ok(Outgoing { path, headers: Vec::new(), body })
}

/// A segment of an address: model names hold `:`, those of inference profiles `/`.
fn encode(model: &str) -> String {
    let mut out = String::with_capacity(model.len());
    for byte in model.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            // Writing to a text can't fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

/// Whether the client's bytes hold no other model's thoughts.
fn is_returnable(request: &Request) -> bool {
    let mut parts = request.messages.iter().flat_map(|message| &message.parts);
    parts.all(|part| match &part.content {
        Content::Reasoning { detail: Some(detail), .. } => {
            detail.signature.is_none() && detail.data.is_none()
                || thinking::is_claudes(Some(detail))
        }
        _ => true,
    })
}

fn compose(request: &Request, to: &Target<'_>) -> Result<Bytes, WriteError> {
    let family = Family::of(to);
    let layout = Layout::of(request, family)?;
    let settings = Settings::of(request, to, family)?;
    let tools = write_tools::tools(request, to, family)?;
    if tools.is_none() && layout.has_tools {
        let what = "a conversation with tool calls but without tools that may be called; \
                    send `tools`, and no `tool_choice` of `none`";
        return Err(refuse(what));
    }
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    if !layout.system.is_empty() {
        layout.write_system(writer.key("system"));
    }
    layout.write_messages(writer.key("messages"));
    settings.write_inference(&mut writer, request);
    writer.some("toolConfig", tools.as_ref());
    settings.write_model_fields(&mut writer, request);
    writer.some("outputConfig", output_config(request, to)?.as_ref());
    // `auto` is what happens by itself.
    let tier = request.service.tier.as_ref().filter(|tier| *tier != "auto");
    if let Some(tier) = tier {
        writer.field("serviceTier", &object(|writer| writer.field("type", tier)));
    }
    for (key, value) in request.extra.fields_of(NAME) {
        // What is left of these objects was written with the objects themselves.
        if !MERGED.contains(&key.as_str()) {
            writer.raw(key, value.as_str());
        }
    }
    writer.close();
    Ok(Bytes::from(out))
}

/// The form of the text. A tool that is forced in its stead would change what the client sees.
fn output_config(request: &Request, to: &Target<'_>) -> Result<Option<Json>, WriteError> {
    let format = match &request.response_format {
        None | Some(ResponseFormat::Text) => None,
        Some(ResponseFormat::JsonSchema { name, description, schema: Some(schema), .. })
            if takes_schema(to) =>
        {
            let schema = object(|writer| {
                writer.field("schema", schema.as_str());
                writer.field("name", name);
                writer.some("description", description.as_ref());
            });
            let structure = object(|writer| writer.field("jsonSchema", &schema));
            Some(object(|writer| {
                writer.field("type", "json_schema");
                writer.field("structure", &structure);
            }))
        }
        Some(ResponseFormat::JsonSchema { schema: Some(_), .. }) => {
            return Err(refuse("a `response_format` with a schema to this model"));
        }
        Some(ResponseFormat::JsonSchema { .. } | ResponseFormat::JsonObject) => {
            return Err(refuse("a `response_format` of JSON without a schema"));
        }
        Some(ResponseFormat::Other(other)) if other.dialect == NAME => Some(other.json.clone()),
        Some(ResponseFormat::Other(other)) => {
            return Err(refuse(&format!("a `response_format` that only {} knows", other.dialect)));
        }
    };
    let rest = rest_of(request, "outputConfig");
    Ok((format.is_some() || rest.is_some()).then(|| {
        object(|writer| {
            writer.some("textFormat", format.as_ref());
            write_rest(writer, rest);
        })
    }))
}

/// What was left of an object of this name when it was read.
pub(super) fn rest_of<'a>(request: &'a Request, key: &str) -> Option<&'a Json> {
    let fields = request.extra.fields_of(NAME);
    fields.iter().find(|(known, _)| known == key).map(|(_, value)| value)
}

/// Writes what was left of an object.
pub(super) fn write_rest(writer: &mut ObjectWriter<'_>, rest: Option<&Json>) {
    let fields = rest.and_then(|rest| rest.read::<Object<'_>>().ok()).unwrap_or_default();
    fields.0.iter().for_each(|(key, value)| writer.raw(key, value.get()));
}

/// Whether the role belongs into `system` as long as nothing else was said.
pub(super) fn is_system(role: Role) -> bool {
    matches!(role, Role::System | Role::Developer)
}

pub(super) fn refuse(what: &str) -> WriteError {
    WriteError { dialect: NAME, what: what.to_owned() }
}

/// Objects that are put together from canonical fields and what was left of them.
const MERGED: [&str; 4] =
    ["inferenceConfig", "toolConfig", "additionalModelRequestFields", "outputConfig"];
