//! A Gemini client's body. The model and whether it streams stand in the address, so they are
//! left empty. Fields for the gateway are OpenRouter's, in either case, as in every dialect.

use bytes::Bytes;

use crate::controls;
use crate::error::ReadError;
use crate::json::{Extra, Json};
use crate::request::Request;
use crate::source::Source;

use super::fields::{Fields, shorten, under};
use super::{NAME, config, contents_read, service, tools};

/// Reads a body.
pub(super) fn read(body: &Bytes) -> Result<Request, ReadError> {
    let text = std::str::from_utf8(body)
        .map_err(|_| ReadError::new("body", "JSON in UTF-8", "other bytes"))?;
    let fields = serde_json::from_str::<&serde_json::value::RawValue>(text)
        .map_err(|error| ReadError::new("body", "a JSON object", error.to_string()))
        .and_then(|raw| Fields::parse(raw.get()).map_err(|error| under(error, "body")))?;
    if fields.raw("contents").is_none() {
        return Err(ReadError::new("contents", "a list of turns", "nothing"));
    }
    let mut request = Request {
        messages: contents_read::read(&fields)?,
        tools: tools::read(&fields)?,
        ..Request::default()
    };
    let mut extra = Vec::new();
    for (key, raw) in fields.others(&CANONICAL) {
        if !controls::read(&mut request.controls, &service::snake(key), raw)? {
            extra.push((key.to_owned(), raw.into()));
        }
    }
    let (choice, tool_rest) = tools::read_choice(&fields)?;
    request.tool_choice = choice;
    let config_rest = config::read(&fields, &mut request)?;
    service::read_tier(&fields, &mut request.service)?;
    for (key, rest) in [("toolConfig", tool_rest), ("generationConfig", config_rest)] {
        if !rest.0.is_empty() {
            extra.push((key.to_owned(), Json::of(&rest)));
        }
    }
    if request.messages.is_empty() {
        let found = fields.raw("contents").map_or_else(String::new, |raw| shorten(raw.get()));
        return Err(ReadError::new("contents", "at least one turn with a part", found));
    }
    if !extra.is_empty() {
        request.extra = Extra { dialect: NAME, fields: extra };
    }
    request.source = Some(Source { dialect: NAME, bytes: body.clone() });
    Ok(request)
}

/// What is read into canonical fields. `model` repeats the address.
const CANONICAL: [&str; 7] = [
    "model",
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "generationConfig",
    "serviceTier",
];
