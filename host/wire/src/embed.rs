//! Embeddings: texts turned into vectors. A seam beside the generation of text, for the dialects
//! that have such a call. Only towards upstreams; no surface speaks it yet.

use bytes::Bytes;

use crate::chunk::Usage;
use crate::dialect::Outgoing;
use crate::error::{ReadError, StreamError};

/// Texts to turn into vectors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmbedRequest {
    /// The model as the client names it.
    pub model: String,
    /// The texts, in order.
    pub inputs: Vec<String>,
    /// How long each vector shall be; the model's own length without it.
    pub dimensions: Option<u32>,
}

/// The vectors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmbedReply {
    /// One for each text, in their order; all of one length, every number finite.
    pub vectors: Vec<Vec<f32>>,
    /// What the upstream counted.
    pub usage: Usage,
}

/// The call of a dialect that makes embeddings. Errors are read by the dialect itself.
pub trait Embeddings: Send + Sync {
    /// Writes the body. `model` is the upstream's own name of the model.
    fn write_texts(&self, request: &EmbedRequest, model: &str) -> Outgoing;

    /// Reads the reply to `request`.
    ///
    /// # Errors
    /// A reply that is not one vector for each text. A body that is an error (inside a 200) is
    /// `StreamError::Upstream`.
    fn read_vectors(&self, body: &Bytes, request: &EmbedRequest)
    -> Result<EmbedReply, StreamError>;
}

/// Checks that vectors answer a request: as many as texts, of one length (the one asked for),
/// every number finite. `path` is what the dialect calls the list.
pub(crate) fn check(
    vectors: &[Vec<f32>],
    request: &EmbedRequest,
    path: &str,
) -> Result<(), ReadError> {
    let wanted = request.inputs.len();
    if vectors.len() != wanted {
        return Err(ReadError::new(path, format!("{wanted} vectors"), vectors.len().to_string()));
    }
    let first = vectors.first().map_or(0, Vec::len);
    let length = request.dimensions.and_then(|it| usize::try_from(it).ok()).unwrap_or(first);
    for (at, vector) in vectors.iter().enumerate() {
        let wrong = |expected: String, found: String| {
            Err(ReadError::new(format!("{path}[{at}]"), expected, found))
        };
        if vector.is_empty() || vector.len() != length {
            return wrong(format!("{} numbers", length.max(1)), vector.len().to_string());
        }
        if let Some(number) = vector.iter().find(|number| !number.is_finite()) {
            return wrong("numbers within 32 bits".to_owned(), number.to_string());
        }
    }
    Ok(())
}
