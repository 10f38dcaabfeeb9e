//! Reading a client's completion request: one prompt becomes one user message, and the rest is
//! read like a chat request, since OpenRouter's fields are the same on both.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::super::openai_chat::OpenaiChat;
use super::super::openai_chat::emit::Object as Writer;
use super::super::openai_chat::reply_read::excerpt;
use super::NAME;
use crate::dialect::Dialect as _;
use crate::error::ReadError;
use crate::json::{Extra, Json, Object};
use crate::request::{Message, Request};
use crate::source::Source;

/// Reads a client's body.
pub(super) fn read(body: &Bytes) -> Result<Request, ReadError> {
    let wrong = |expected: String| ReadError::new("body", expected, excerpt(body));
    let text = std::str::from_utf8(body).map_err(|_| wrong("JSON in UTF-8".to_owned()))?;
    let fields = Object::parse(text).map_err(|error| wrong(format!("a JSON object ({error})")))?;
    let mut request = OpenaiChat.read_request(&as_chat(&fields)?.into())?;
    if !request.extra.fields.is_empty() {
        request.extra.dialect = NAME;
    }
    for message in &mut request.messages {
        message.extra =
            Extra { dialect: NAME, fields: vec![(AS_IT_IS.to_owned(), Json::of(&true))] };
    }
    request.source = Some(Source { dialect: NAME, bytes: body.clone() });
    Ok(request)
}

/// Whether a message is a client's prompt, which no template is put around.
pub(super) fn is_prompt(message: &Message) -> bool {
    message.extra.fields_of(NAME).iter().any(|(name, _)| name == AS_IT_IS)
}

/// The body with what differs from a chat request put as one says it there.
fn as_chat(fields: &Object<'_>) -> Result<Vec<u8>, ReadError> {
    let mut out = Vec::new();
    let mut body = Writer::begin(&mut out);
    let mut has_prompt = false;
    for (name, raw) in &fields.0 {
        let raw = *raw;
        match &**name {
            "prompt" => {
                body.value(name, &read_prompt(raw)?);
                has_prompt = true;
            }
            "messages" if raw.get() != "null" => {
                let expected = "no messages beside the prompt: POST /chat/completions takes them";
                return Err(wrong(name, expected, raw));
            }
            "logprobs" if !matches!(raw.get(), "true" | "false" | "null") => {
                body.raw(name, "true");
                body.value("top_logprobs", &read_logprobs(raw)?);
            }
            "suffix" => keep::<Option<Cow<'_, str>>>(name, raw, "a string", &mut body)?,
            "echo" => keep::<Option<bool>>(name, raw, "true or false", &mut body)?,
            "best_of" => keep::<Option<u32>>(name, raw, "a whole number", &mut body)?,
            _ => body.raw(name, raw.get()),
        }
    }
    body.end();
    if has_prompt { Ok(out) } else { Err(ReadError::new("prompt", ONE_PROMPT, "nothing")) }
}

/// A string, or the only one of a list.
fn read_prompt(raw: &RawValue) -> Result<String, ReadError> {
    if let Ok(text) = serde_json::from_str(raw.get()) {
        return Ok(text);
    }
    let texts: Result<Vec<String>, _> = serde_json::from_str(raw.get());
    match texts.unwrap_or_default().as_mut_slice() {
        [text] => Ok(std::mem::take(text)),
        _ => Err(wrong("prompt", ONE_PROMPT, raw)),
    }
}

/// How many alternatives each token is to have. It asks for its own probability, even with none.
fn read_logprobs(raw: &RawValue) -> Result<u32, ReadError> {
    let wanted = serde_json::from_str(raw.get()).ok();
    let expected = format!("a whole number from 0 to {LOGPROBS_MAX}");
    wanted.filter(|wanted| *wanted <= LOGPROBS_MAX).ok_or_else(|| wrong("logprobs", &expected, raw))
}

/// Checks a field that only this dialect knows, and keeps it.
fn keep<'a, T: serde::Deserialize<'a>>(
    name: &str,
    raw: &'a RawValue,
    expected: &str,
    body: &mut Writer<'_>,
) -> Result<(), ReadError> {
    serde_json::from_str::<T>(raw.get()).map_err(|_| wrong(name, expected, raw))?;
    body.raw(name, raw.get());
    Ok(())
}

fn wrong(name: &str, expected: &str, raw: &RawValue) -> ReadError {
    ReadError::new(name, expected, excerpt(raw.get().as_bytes()))
}

/// Most alternatives that text completions give.
pub(super) const LOGPROBS_MAX: u32 = 5;
/// Marks a message that is a prompt.
const AS_IT_IS: &str = "prompt";
const ONE_PROMPT: &str =
    "a string or a list of one string (several prompts or token ids are not served)";
