//! `POST /api/embed`. The vectors come in the order of the texts.

use bytes::Bytes;

use super::{NAME, OllamaChat, read_error};
use crate::chunk::Usage;
use crate::dialect::Outgoing;
use crate::embed::{EmbedReply, EmbedRequest, Embeddings, check};
use crate::error::{ReadError, StreamError, WriteError};
use crate::json::Object;
use crate::json_text::{ObjectWriter, present, read};
use crate::provider::Quirks;

impl Embeddings for OllamaChat {
    fn write_texts(
        &self,
        request: &EmbedRequest,
        model: &str,
        _: &Quirks,
    ) -> Result<Outgoing, WriteError> {
        let mut body = Vec::new();
        let mut writer = ObjectWriter::open(&mut body);
        writer.field("model", model);
        writer.field("input", &request.texts(NAME)?);
        writer.some("dimensions", request.dimensions.as_ref());
        writer.close();
        Ok(Outgoing { path: "/api/embed".to_owned(), headers: Vec::new(), body: body.into() })
    }

    fn read_vectors(
        &self,
        body: &Bytes,
        request: &EmbedRequest,
    ) -> Result<EmbedReply, StreamError> {
        let text = std::str::from_utf8(body)
            .map_err(|_| ReadError::new("body", "JSON in UTF-8", "other bytes"))?;
        let fields = Object::parse(text)
            .map_err(|error| ReadError::new("body", "a JSON object", error.to_string()))?;
        if present(&fields, "error").is_some() {
            return Err(StreamError::Upstream(read_error(200, body)));
        }
        let Some(embeddings) = present(&fields, LIST) else {
            return Err(ReadError::new(LIST, "a list of embeddings", "nothing").into());
        };
        let vectors: Vec<Vec<f32>> = read(embeddings, LIST, "a list of lists of numbers")?;
        check(&vectors, request, LIST)?;
        let prompt = present(&fields, "prompt_eval_count");
        let prompt = prompt.and_then(|count| serde_json::from_str(count.get()).ok());
        Ok(EmbedReply { vectors, usage: Usage { prompt, ..Usage::default() } })
    }
}

/// Where the vectors stand.
const LIST: &str = "embeddings";
