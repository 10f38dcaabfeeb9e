//! `models/{model}:batchEmbedContents`. The vectors come in the order of the requests. Google takes
//! 100 texts in one call and refuses more.

use bytes::Bytes;
use serde::Serialize;

use super::fields::{Fields, under};
use super::{GeminiGenerate, error, usage};
use crate::dialect::Outgoing;
use crate::embed::{EmbedReply, EmbedRequest, Embeddings, check};
use crate::error::{ReadError, StreamError};

impl Embeddings for GeminiGenerate {
    fn write_texts(&self, request: &EmbedRequest, model: &str) -> Outgoing {
        let place = if model.contains('/') { "" } else { "models/" };
        let model = format!("{place}{model}");
        let requests = request.inputs.iter().map(|text| One {
            model: &model,
            content: Content { parts: [Text { text }] },
            output_dimensionality: request.dimensions,
        });
        let batch = Batch { requests: requests.collect() };
        // Texts and numbers can always be written.
        let body = serde_json::to_vec(&batch).unwrap_or_default();
        let path = format!("/{model}:batchEmbedContents");
        Outgoing { path, headers: Vec::new(), body: body.into() }
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

/// Where the vectors stand.
const LIST: &str = "embeddings";

#[cfg(test)]
mod tests;
