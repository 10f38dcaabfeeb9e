//! `models/{model}:batchEmbedContents`. The vectors come in the order of the requests. Google takes
//! 100 texts in one call and refuses more.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;

use super::fields::{Fields, under};
use super::{GeminiGenerate, NAME, error, usage};
use crate::dialect::Outgoing;
use crate::embed::{EmbedReply, EmbedRequest, Embeddings, check};
use crate::error::{ReadError, StreamError, WriteError};
use crate::provider::Quirks;

impl Embeddings for GeminiGenerate {
    fn batch_max(&self) -> usize {
        100
    }

    fn write_texts(
        &self,
        request: &EmbedRequest,
        model: &str,
        _: &Quirks,
    ) -> Result<Outgoing, WriteError> {
        let texts = request.texts(NAME)?;
        let task_type = request.input_type.as_deref().map(task_type);
        let place = if model.contains('/') { "" } else { "models/" };
        let model = format!("{place}{model}");
        let requests = texts.iter().map(|text| One {
            model: &model,
            content: Content { parts: [Text { text }] },
            task_type: task_type.as_deref(),
            output_dimensionality: request.dimensions,
        });
        let batch = Batch { requests: requests.collect() };
        // Texts and numbers can always be written.
        let body = serde_json::to_vec(&batch).unwrap_or_default();
        let path = format!("/{model}:batchEmbedContents");
        Ok(Outgoing { path, headers: Vec::new(), body: body.into() })
    }

    fn read_vectors(
        &self,
        body: &Bytes,
        request: &EmbedRequest,
    ) -> Result<EmbedReply, StreamError> {
        let text = std::str::from_utf8(body)
            .map_err(|_| ReadError::new("body", "JSON in UTF-8", "other bytes"))?;
        let fields = Fields::parse(text).map_err(|error| under(error, "body"))?;
        if fields.raw("error").is_some() {
            return Err(StreamError::Upstream(error::read(200, body)));
        }
        let mut vectors = Vec::with_capacity(request.inputs.len());
        for (at, embedding) in fields.objects(LIST)?.iter().enumerate() {
            let numbers = embedding.numbers("values");
            vectors.push(numbers.map_err(|error| under(error, &format!("{LIST}[{at}]")))?);
        }
        check(&vectors, request, LIST)?;
        let counts = fields.object("usageMetadata")?.map(|counts| usage::read(&counts));
        Ok(EmbedReply { vectors, usage: counts.transpose()?.unwrap_or_default() })
    }
}

#[derive(Serialize)]
struct Batch<'a> {
    requests: Vec<One<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct One<'a> {
    model: &'a str,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u32>,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Text<'a>; 1],
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

/// Google's word for what the vectors are for. Its own words are in capitals and go as they are.
fn task_type(input_type: &str) -> Cow<'_, str> {
    match input_type {
        "search_query" | "query" => "RETRIEVAL_QUERY".into(),
        "search_document" | "document" | "passage" => "RETRIEVAL_DOCUMENT".into(),
        other => other.to_ascii_uppercase().into(),
    }
}

/// Where the vectors stand.
const LIST: &str = "embeddings";

#[cfg(test)]
mod tests;
