//! `POST /embeddings`: numbers as a list or, where a host sends them so, as base64 of 32 bits each.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::emit::Object as Writer;
use super::reply_read::excerpt;
use super::{NAME, OpenaiChat, error, usage};
use crate::dialect::Outgoing;
use crate::embed::{EmbedInput, EmbedReply, EmbedRequest, Embeddings, check};
use crate::error::{ReadError, StreamError, WriteError};
use crate::provider::Quirks;

impl Embeddings for OpenaiChat {
    fn write_texts(
        &self,
        request: &EmbedRequest,
        model: &str,
        quirks: &Quirks,
    ) -> Result<Outgoing, WriteError> {
        let mut body = Vec::new();
        let mut object = Writer::begin(&mut body);
        object.value("model", model);
        match tokens(&request.inputs) {
            Some(tokens) => object.value("input", &tokens),
            None => object.value("input", &request.texts(NAME)?),
        }
        // Every host knows it; not every one knows `base64`.
        object.value("encoding_format", "float");
        object.optional("dimensions", request.dimensions.as_ref());
        let input_type = request.input_type.as_ref().filter(|_| quirks.embed_input_type);
        object.optional("input_type", input_type);
        object.optional("user", request.user.as_ref());
        object.end();
        Ok(Outgoing { path: "/embeddings".to_owned(), headers: Vec::new(), body: body.into() })
    }

    fn read_vectors(
        &self,
        body: &Bytes,
        request: &EmbedRequest,
    ) -> Result<EmbedReply, StreamError> {
        let shape = parse(body)?;
        let is_error = |raw: &&RawValue| !matches!(raw.get(), "false" | "\"\"" | "{}");
        if shape.error.filter(is_error).is_some() {
            return Err(StreamError::Upstream(error::read(200, body)));
        }
        let Some(rows) = shape.data else {
            return Err(ReadError::new("data", "a list of embeddings", excerpt(body)).into());
        };
        let wanted = request.inputs.len();
        if rows.len() != wanted {
            let expected = format!("{wanted} embeddings");
            return Err(ReadError::new("data", expected, rows.len().to_string()).into());
        }
        let vectors = in_order(&rows)?;
        check(&vectors, request, "data")?;
        Ok(EmbedReply { vectors, usage: shape.usage.and_then(usage::read).unwrap_or_default() })
    }
}

/// The inputs, if all are token ids. A host that takes both takes no mixture.
fn tokens(inputs: &[EmbedInput]) -> Option<Vec<&[u32]>> {
    let tokens = inputs.iter().map(|input| match input {
        EmbedInput::Tokens(tokens) => Some(tokens.as_slice()),
        EmbedInput::Text(_) | EmbedInput::Parts(_) => None,
    });
    tokens.collect::<Option<Vec<_>>>().filter(|tokens| !tokens.is_empty())
}

#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow, default)]
    data: Option<Vec<Row<'a>>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(default)]
    index: Option<usize>,
    #[serde(borrow)]
    embedding: &'a RawValue,
}

fn parse(body: &[u8]) -> Result<Shape<'_>, ReadError> {
    let wrong = |problem: String| {
        ReadError::new("body", format!("a list of embeddings ({problem})"), excerpt(body))
    };
    let text = std::str::from_utf8(body).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(text).map_err(|error| wrong(error.to_string()))
}

/// The vectors in the order of the texts. A host may send them in another and say so by `index`;
/// then every place is taken once.
fn in_order(rows: &[Row<'_>]) -> Result<Vec<Vec<f32>>, ReadError> {
    let mut places: Vec<Option<Vec<f32>>> = vec![None; rows.len()];
    for (at, row) in rows.iter().enumerate() {
        let index = row.index.unwrap_or(at);
        match places.get_mut(index) {
            Some(place) if place.is_none() => *place = Some(numbers(row.embedding, at)?),
            _ => {
                let path = format!("data[{at}].index");
                let expected = format!("each number below {} once", rows.len());
                return Err(ReadError::new(path, expected, index.to_string()));
            }
        }
    }
    Ok(places.into_iter().flatten().collect())
}

fn numbers(raw: &RawValue, at: usize) -> Result<Vec<f32>, ReadError> {
    let wrong = || {
        let expected = "a list of numbers, or base64 of such";
        ReadError::new(format!("data[{at}].embedding"), expected, excerpt(raw.get().as_bytes()))
    };
    if !raw.get().starts_with('"') {
        return serde_json::from_str(raw.get()).map_err(|_| wrong());
    }
    let text: String = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
    let bytes = STANDARD.decode(text).map_err(|_| wrong())?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    match rest {
        [] => Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests;
