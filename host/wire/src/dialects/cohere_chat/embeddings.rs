//! `POST /embed`. The vectors come in the order of the texts. Cohere takes 96 texts in one call and
//! refuses more.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{CohereChat, NAME, read_error};
use crate::chunk::Usage;
use crate::dialect::Outgoing;
use crate::embed::{EmbedReply, EmbedRequest, Embeddings, check};
use crate::error::{ReadError, StreamError, WriteError};
use crate::json::Object;
use crate::json_text::{ObjectWriter, present, read, required};
use crate::provider::Quirks;

impl Embeddings for CohereChat {
    fn batch_max(&self) -> usize {
        96
    }

    fn write_texts(
        &self,
        request: &EmbedRequest,
        model: &str,
        _: &Quirks,
    ) -> Result<Outgoing, WriteError> {
        let mut body = Vec::new();
        let mut writer = ObjectWriter::open(&mut body);
        writer.field("model", model);
        writer.field("texts", &request.texts(NAME)?);
        // Cohere wants to know what the vectors are for. Most are kept to be searched.
        let input_type = request.input_type.as_deref().unwrap_or("search_document");
        writer.field("input_type", input_type);
        writer.field("embedding_types", &["float"]);
        writer.some("output_dimension", request.dimensions.as_ref());
        writer.close();
        Ok(Outgoing { path: "/embed".to_owned(), headers: Vec::new(), body: body.into() })
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
        let Some(embeddings) = present(&fields, "embeddings") else {
            return Err(match present(&fields, "message") {
                Some(_) => StreamError::Upstream(read_error(200, body)),
                None => ReadError::new("embeddings", "an object", "nothing").into(),
            });
        };
        let embeddings: Object<'_> = read(embeddings, "embeddings", "an object")?;
        let vectors: Vec<Vec<f32>> =
            required(&embeddings, "float", "embeddings", "a list of lists of numbers")?;
        check(&vectors, request, "embeddings.float")?;
        let prompt = present(&fields, "meta").and_then(billed_tokens);
        Ok(EmbedReply { vectors, usage: Usage { prompt, ..Usage::default() } })
    }
}

fn billed_tokens(meta: &RawValue) -> Option<u64> {
    let meta = Object::parse(meta.get()).ok()?;
    let billed = Object::parse(present(&meta, "billed_units")?.get()).ok()?;
    serde_json::from_str(present(&billed, "input_tokens")?.get()).ok()
}
