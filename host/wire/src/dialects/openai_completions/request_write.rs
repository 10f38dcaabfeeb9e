//! Writing requests for hosts that complete text. Sampling is written as a chat request says it,
//! with the rendered prompt where the messages would stand.

use bytes::Bytes;

use super::super::openai_chat::OpenaiChat;
use super::super::openai_chat::emit::Object as Writer;
use super::request_read::LOGPROBS_MAX;
use super::{NAME, prompt};
use crate::dialect::{Dialect as _, Outgoing, Target};
use crate::error::WriteError;
use crate::json::Object;
use crate::request::{Request, ResponseFormat, Sampling};

/// Writes a request for an upstream.
pub(super) fn write(request: &Request, to: &Target<'_>) -> Result<Outgoing, WriteError> {
    check(request)?;
    let text = prompt::write(request, to)?;
    let is_rendered = prompt::is_rendered(request);
    let mut sampling = request.sampling.clone();
    if is_rendered {
        let stops = prompt::stops(to).iter().map(|stop| (*stop).to_owned());
        sampling.stop.extend(stops.filter(|stop| !request.sampling.stop.contains(stop)));
        // Hosts without a limit write 16 tokens, which is no answer.
        sampling.max_tokens = sampling.max_tokens.or(to.max_output_tokens);
    }
    let chat = Request {
        sampling,
        response_format: request.response_format.clone(),
        user: request.user.clone(),
        ..Request::default()
    };
    let chat = OpenaiChat
        .write_request(&chat, to)
        .map_err(|error| WriteError { dialect: NAME, what: error.what })?;
    let extra = if is_rendered { &[] } else { request.extra.fields_of(NAME) };
    let mut out = Vec::new();
    let mut body = Writer::begin(&mut out);
    for (name, raw) in &written(&chat.body).0 {
        match &**name {
            "messages" => body.value("prompt", &text),
            "max_completion_tokens" => body.raw("max_tokens", raw.get()),
            // Text completions have one field for both.
            "logprobs" => body.optional("logprobs", alternatives(&request.sampling).as_ref()),
            "top_logprobs" => {}
            _ => body.raw(name, raw.get()),
        }
    }
    for (name, json) in extra {
        body.raw(name, json.as_str());
    }
    body.end();
    Ok(Outgoing { path: "/completions".to_owned(), headers: chat.headers, body: out.into() })
}

/// What no text completion can say.
fn check(request: &Request) -> Result<(), WriteError> {
    if let Some(kind) = request.service.modalities.iter().find(|kind| *kind != "text") {
        return Err(cannot(format!("a reply of {kind}")));
    }
    match &request.response_format {
        Some(ResponseFormat::Other(other)) => {
            Err(cannot(format!("a response format of {}", other.dialect)))
        }
        _ => Ok(()),
    }
}

fn alternatives(sampling: &Sampling) -> Option<u32> {
    let wanted = sampling.top_logprobs.unwrap_or_default().min(LOGPROBS_MAX);
    (sampling.logprobs == Some(true)).then_some(wanted)
}

fn written(body: &Bytes) -> Object<'_> {
    std::str::from_utf8(body).ok().and_then(|text| Object::parse(text).ok()).unwrap_or_default()
}

/// The error that this dialect has no form for it.
pub(super) fn cannot(what: impl Into<String>) -> WriteError {
    WriteError { dialect: NAME, what: what.into() }
}
