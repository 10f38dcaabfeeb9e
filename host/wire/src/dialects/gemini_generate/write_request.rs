//! The body for Gemini. Fields that Gemini has no word for (`min_p`, `logit_bias`, …) are left
//! out; content that it can't take is an error.

use bytes::Bytes;

use crate::controls;
use crate::dialect::{Outgoing, ReasoningStyle, Target};
use crate::error::WriteError;
use crate::json::Object;
use crate::request::{Content, Request};
use crate::server_tool;
use crate::source::Source;

use super::shape::{ContentOut, Draft};
use super::{FORMAT, NAME, config, contents_write, service, tools};

/// Writes the path and the body.
pub(super) fn write(request: &Request, to: &Target<'_>) -> Result<Outgoing, WriteError> {
    let source = Source::of_dialect(&request.source, NAME);
    let is_whole = !server_tool::are_among(request) && is_returnable(request);
    let body = match source.filter(|_| is_whole) {
        Some(body) => of_client(body),
        None => build(request, to)?,
    };
    let place = if to.model.contains('/') { "" } else { "models/" };
    let method = if to.stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    let path = format!("/{place}{}:{method}", to.model);
    Ok(Outgoing { path, headers: Vec::new(), body })
}

/// Whether the client's bytes hold no other model's proofs.
fn is_returnable(request: &Request) -> bool {
    let mut parts = request.messages.iter().flat_map(|message| &message.parts);
    parts.all(|part| match &part.content {
        Content::Reasoning { detail: Some(detail), .. } => {
            detail.signature.is_none() && detail.data.is_none()
                || detail.format.as_deref() == Some(FORMAT)
        }
        _ => true,
    })
}

/// A Gemini client's own bytes without what is for the gateway. Clients that name the model in the
/// body too would name ours.
fn of_client(body: Bytes) -> Bytes {
    let fields = std::str::from_utf8(&body).ok().and_then(|text| Object::parse(text).ok());
    let Some(fields) = fields else { return body };
    let is_ours =
        |key: &str| matches!(key, "model" | "stream") || controls::is_control(&service::snake(key));
    if !fields.0.iter().any(|(key, _)| is_ours(key)) {
        return body;
    }
    let kept = fields.0.iter().filter(|(key, _)| !is_ours(key));
    let kept = kept.map(|(key, raw)| (key.clone().into_owned(), (*raw).into())).collect();
    serde_json::to_vec(&Draft(kept)).map_or_else(|_| body.clone(), Bytes::from)
}

fn build(request: &Request, to: &Target<'_>) -> Result<Bytes, WriteError> {
    let wants_signatures = to.reasoning == ReasoningStyle::Effort;
    let conversation = contents_write::write(request, wants_signatures)?;
    let mut body = Draft::default();
    if !conversation.system.is_empty() {
        let system = ContentOut { parts: conversation.system, role: None };
        body.put("systemInstruction", &system);
    }
    body.put("contents", &conversation.contents);
    tools::write(request, &mut body)?;
    tools::write_choice(request, &mut body)?;
    config::write(request, to, &mut body)?;
    service::write_tier(&request.service, &mut body);
    let merged = ["toolConfig", "generationConfig"];
    for (key, value) in request.extra.fields_of(NAME) {
        if !merged.contains(&key.as_str()) {
            body.put(key, value);
        }
    }
    let body = serde_json::to_vec(&body);
    let body = body.map_err(|error| WriteError { dialect: NAME, what: error.to_string() })?;
    Ok(Bytes::from(body))
}
