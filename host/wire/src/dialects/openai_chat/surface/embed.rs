//! `POST /embeddings`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::super::emit::Object as Writer;
use super::super::field::At;
use super::super::message_read::read_part;
use super::super::usage;
use super::Body;
use crate::dialect::{Cost, Head};
use crate::embed::{EmbedInput, EmbedReply, EmbedRequest, Encoding};
use crate::error::ReadError;

/// Reads a client's body.
///
/// # Errors
/// Names the field that is wrong.
pub fn read(body: &[u8]) -> Result<EmbedRequest, ReadError> {
    let body = Body::parse(body)?;
    let encoding = match body.word("encoding_format", &["float", "base64"])?.as_deref() {
        Some("base64") => Encoding::Base64,
        _ => Encoding::Float,
    };
    Ok(EmbedRequest {
        model: body.model()?,
        inputs: inputs(body.need("input", EXPECTED)?)?,
        dimensions: body.whole("dimensions", 1, u32::MAX)?,
        input_type: body.text("input_type")?,
        encoding,
        user: body.text("user")?,
        provider: body.provider(),
    })
}

/// One text, or a list of texts, of token ids, of lists of these, or of objects with parts.
fn inputs(at: At<'_, '_>) -> Result<Vec<EmbedInput>, ReadError> {
    if at.is_text() {
        return Ok(vec![text(at)?]);
    }
    let list = at.list().map_err(|_| at.error(EXPECTED))?;
    let Some(first) = list.first() else { return Err(at.error(EXPECTED)) };
    if first.get().starts_with(|first: char| first.is_ascii_digit()) {
        return Ok(vec![tokens(at)?]);
    }
    list.into_iter().enumerate().map(|(number, raw)| input(at.index(number, raw))).collect()
}

fn input(at: At<'_, '_>) -> Result<EmbedInput, ReadError> {
    match at.first_byte() {
        b'"' => text(at),
        b'[' => tokens(at),
        b'{' => {
            let fields = at.object()?;
            let content = fields.field("content");
            let content = content.ok_or_else(|| at.missing("content", "a list of parts"))?;
            let content = at.key("content", content);
            let parts = content.list()?.into_iter().enumerate();
            let parts: Vec<_> = parts
                .map(|(number, raw): (usize, &RawValue)| read_part(content.index(number, raw)))
                .collect::<Result<_, _>>()?;
            if parts.is_empty() {
                return Err(content.error("at least one part"));
            }
            Ok(EmbedInput::Parts(parts))
        }
        _ => Err(at.error("a text, a list of token ids, or an object with `content`")),
    }
}

fn text(at: At<'_, '_>) -> Result<EmbedInput, ReadError> {
    let text = at.text()?;
    if text.is_empty() { Err(at.error("a text that is not empty")) } else { Ok(text.into()) }
}

fn tokens(at: At<'_, '_>) -> Result<EmbedInput, ReadError> {
    let list = at.list()?.into_iter().enumerate();
    let ids: Vec<u32> =
        list.map(|(number, raw)| at.index(number, raw).whole()).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        Err(at.error("at least one token id"))
    } else {
        Ok(EmbedInput::Tokens(ids))
    }
}

const EXPECTED: &str = "a text, or a list of texts, of token ids, or of objects with `content`";

/// Writes the reply as the client asked for it. `reply.usage` is what is billed.
pub fn write(reply: &EmbedReply, request: &EmbedRequest, head: &Head, cost: &Cost) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    object.value("id", &head.id);
    object.value("object", "list");
    object.value("model", &head.model);
    object.value("provider", &head.provider);
    object.list("data", reply.vectors.iter().enumerate(), |(index, vector), out| {
        let mut row = Writer::begin(out);
        row.value("object", "embedding");
        row.value("index", &index);
        match request.encoding {
            Encoding::Float => row.value("embedding", vector),
            Encoding::Base64 => {
                let bytes: Vec<u8> = vector.iter().flat_map(|it| it.to_le_bytes()).collect();
                row.value("embedding", &STANDARD.encode(bytes));
            }
        }
        row.end();
    });
    let prompt = reply.usage.prompt.unwrap_or(0);
    object.object("usage", |usage| {
        usage.value("prompt_tokens", &prompt);
        usage.value("total_tokens", &prompt);
        usage::write_cost(cost, usage);
    });
    object.end();
    out
}
