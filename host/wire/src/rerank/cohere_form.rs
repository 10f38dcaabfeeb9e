//! `POST /rerank` in the form that Cohere brought up and that Together, Jina, Voyage and others
//! share: no dialect of its own, but a call that providers of several dialects have.
//! <https://docs.cohere.com/reference/rerank>, <https://docs.voyageai.com/reference/reranker-api>

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Document, Rank, Rerank, RerankReply, RerankRequest, in_order};
use crate::chunk::Usage;
use crate::dialect::Outgoing;
use crate::error::{ErrorType, Failure, ReadError, StreamError, WriteError};
use crate::units::Units;

/// The shared call.
#[derive(Debug)]
pub(crate) struct CohereForm;

impl Rerank for CohereForm {
    fn write_documents(
        &self,
        request: &RerankRequest,
        model: &str,
    ) -> Result<Outgoing, WriteError> {
        let documents = request.documents.iter().map(|document| match document {
            Document { text: Some(text), image: None } => Sent::Text(text),
            Document { text, image } => {
                Sent::Parts { text: text.as_deref(), image: image.as_deref() }
            }
        });
        let body = Body {
            model,
            query: &request.query,
            documents: documents.collect(),
            top_n: request.top_n,
        };
        // Texts and numbers can always be written.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        Ok(Outgoing { path: "/rerank".to_owned(), headers: Vec::new(), body: body.into() })
    }

    fn read_ranks(
        &self,
        body: &Bytes,
        request: &RerankRequest,
    ) -> Result<RerankReply, StreamError> {
        let wrong = |found: String| ReadError::new("body", "a ranking", found);
        let shape: Shape =
            serde_json::from_slice(body).map_err(|error| wrong(error.to_string()))?;
        // Voyage calls the list `data`, the others `results`.
        let (path, rows) = match (shape.results, shape.data) {
            (Some(rows), _) => ("results", rows),
            (None, Some(rows)) => ("data", rows),
            (None, None) => {
                return Err(shape.message.map_or_else(
                    || wrong("neither `results` nor `data`".to_owned()).into(),
                    |text| {
                        StreamError::Upstream(Failure::new(ErrorType::ProviderUnavailable, text))
                    },
                ));
            }
        };
        let ranks = rows.iter().map(|row| Rank { index: row.index, score: row.relevance_score });
        let ranks = in_order(ranks.collect(), request, path)?;
        let usage = shape.usage.unwrap_or_default();
        let billed = shape.meta.and_then(|meta| meta.billed_units).unwrap_or_default();
        let prompt = usage.prompt_tokens.or(usage.total_tokens).or(billed.input_tokens);
        Ok(RerankReply {
            ranks,
            usage: Usage { prompt, ..Usage::default() },
            units: Units { search_units: billed.search_units, ..Units::default() },
        })
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    query: &'a str,
    documents: Vec<Sent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_n: Option<usize>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Sent<'a> {
    Text(&'a str),
    Parts {
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        image: Option<&'a str>,
    },
}

#[derive(Deserialize)]
struct Shape {
    results: Option<Vec<Row>>,
    data: Option<Vec<Row>>,
    usage: Option<Counted>,
    meta: Option<Meta>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    relevance_score: f64,
}

#[derive(Default, Deserialize)]
struct Counted {
    prompt_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Meta {
    billed_units: Option<BilledUnits>,
}

#[derive(Default, Deserialize)]
struct BilledUnits {
    search_units: Option<u64>,
    input_tokens: Option<u64>,
}

#[cfg(test)]
mod tests;
