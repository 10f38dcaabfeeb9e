//! Ranking: documents put in order of how well they answer a query. A seam beside the generation
//! of text, for the dialects that have such a call.

use bytes::Bytes;

use crate::chunk::Usage;
use crate::dialect::Outgoing;
use crate::error::{ReadError, StreamError, WriteError};
use crate::json::Json;
use crate::units::Units;

mod cohere_form;

pub(crate) use cohere_form::CohereForm;

/// Documents to rank.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RerankRequest {
    /// The model as the client names it.
    pub model: String,
    /// What they shall answer.
    pub query: String,
    /// The documents, at least one.
    pub documents: Vec<Document>,
    /// How many of the best are wanted; all without it.
    pub top_n: Option<usize>,
    /// Who asks, in the client's own words.
    pub user: Option<String>,
    /// The client's `provider` object.
    pub provider: Option<Json>,
}

/// One document. It has a text, an image, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Its text.
    pub text: Option<String>,
    /// The address of its image, or a data URL.
    pub image: Option<String>,
}

/// The ranking.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RerankReply {
    /// The best first; each document at most once, at most `top_n` of them.
    pub ranks: Vec<Rank>,
    /// Tokens, where the upstream counts them.
    pub usage: Usage,
    /// Search units, where the upstream counts them.
    pub units: Units,
}

/// A document's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rank {
    /// Which document, from 0.
    pub index: usize,
    /// How well it answers; larger is better.
    pub score: f64,
}

/// The call of a dialect that ranks. Errors with a status are read by the dialect itself.
pub trait Rerank: Send + Sync {
    /// Writes the body. `model` is the upstream's own name of the model.
    ///
    /// # Errors
    /// Names a document that the dialect has no form for.
    fn write_documents(&self, request: &RerankRequest, model: &str)
    -> Result<Outgoing, WriteError>;

    /// Reads the reply to `request`.
    ///
    /// # Errors
    /// A reply that ranks what it was not given. A body that is an error (inside a 200) is
    /// `StreamError::Upstream`.
    fn read_ranks(&self, body: &Bytes, request: &RerankRequest)
    -> Result<RerankReply, StreamError>;
}

/// Puts ranks in order and leaves those that were asked for. `path` is what the dialect calls the
/// list.
pub(crate) fn in_order(
    mut ranks: Vec<Rank>,
    request: &RerankRequest,
    path: &str,
) -> Result<Vec<Rank>, ReadError> {
    let mut is_ranked = vec![false; request.documents.len()];
    for (at, rank) in ranks.iter().enumerate() {
        match is_ranked.get_mut(rank.index) {
            Some(is_ranked) if !*is_ranked => *is_ranked = true,
            _ => {
                let expected = format!("each number below {} once", request.documents.len());
                let path = format!("{path}[{at}].index");
                return Err(ReadError::new(path, expected, rank.index.to_string()));
            }
        }
    }
    // Stable: of two that are equally good, the one that the upstream names first.
    ranks.sort_by(|left, right| right.score.total_cmp(&left.score));
    ranks.truncate(request.top_n.unwrap_or(usize::MAX));
    Ok(ranks)
}
