//! Embeddings: texts turned into vectors. A seam beside the generation of text, for the dialects
//! that have such a call. What clients send is read by [`crate::surface`].

use std::borrow::Cow;

use bytes::Bytes;

use crate::chunk::Usage;
use crate::dialect::Outgoing;
use crate::error::{ReadError, StreamError, WriteError};
use crate::json::Json;
use crate::provider::Quirks;
use crate::request::{Content, MediaKind, Part};

/// What to turn into vectors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmbedRequest {
    /// The model as the client names it.
    pub model: String,
    /// The texts, in order.
    pub inputs: Vec<EmbedInput>,
    /// How long each vector shall be; the model's own length without it.
    pub dimensions: Option<u32>,
    /// What the vectors are for (`search_query`, `search_document`); models that know none are
    /// not told.
    pub input_type: Option<String>,
    /// How the client wants to read them. Upstreams are asked in a form of their dialect's choice.
    pub encoding: Encoding,
    /// Who asks, in the client's own words.
    pub user: Option<String>,
    /// The client's `provider` object.
    pub provider: Option<Json>,
}

/// One thing to turn into one vector.
#[derive(Debug, Clone, PartialEq)]
pub enum EmbedInput {
    /// A text.
    Text(String),
    /// A text that the client cut into the model's own tokens.
    Tokens(Vec<u32>),
    /// Texts and media that make one vector together.
    Parts(Vec<Part>),
}

/// How vectors are written for a client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// A list of numbers.
    #[default]
    Float,
    /// Base64 of 32 bits for each number, the lowest byte first.
    Base64,
}

impl EmbedRequest {
    /// The inputs as texts, for a dialect that takes nothing else. The texts of parts are joined
    /// by a line's end.
    ///
    /// # Errors
    /// Names the first input that is no text.
    pub fn texts(&self, dialect: &'static str) -> Result<Vec<Cow<'_, str>>, WriteError> {
        let inputs = self.inputs.iter().enumerate();
        let texts = inputs.map(|(at, input)| {
            input
                .text()
                .map_err(|what| WriteError { dialect, what: format!("{what} in input[{at}]") })
        });
        texts.collect()
    }
}

impl EmbedInput {
    /// The input as a text; an error is what it holds instead.
    fn text(&self) -> Result<Cow<'_, str>, &'static str> {
        let parts = match self {
            Self::Text(text) => return Ok(Cow::Borrowed(text)),
            Self::Tokens(_) => return Err("token ids"),
            Self::Parts(parts) => parts,
        };
        let texts = parts.iter().map(|part| match &part.content {
            Content::Text(text) => Ok(text.as_str()),
            Content::Media(media) => Err(match media.kind {
                MediaKind::Image => "an image",
                MediaKind::Audio => "sound",
                MediaKind::Video => "a video",
                MediaKind::File => "a file",
            }),
            _ => Err("a part that is no text"),
        });
        match texts.collect::<Result<Vec<_>, _>>()?.as_slice() {
            [text] => Ok(Cow::Borrowed(text)),
            texts => Ok(Cow::Owned(texts.join("\n"))),
        }
    }
}

impl From<String> for EmbedInput {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// The vectors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmbedReply {
    /// One for each input, in their order; all of one length, every number finite.
    pub vectors: Vec<Vec<f32>>,
    /// What the upstream counted.
    pub usage: Usage,
}

/// The call of a dialect that makes embeddings. Errors are read by the dialect itself.
pub trait Embeddings: Send + Sync {
    /// The most inputs that one call takes. More are asked for in several calls.
    fn batch_max(&self) -> usize {
        BATCH_MAX
    }

    /// Writes the body. `model` is the upstream's own name of the model.
    ///
    /// # Errors
    /// Names an input that the dialect has no form for.
    fn write_texts(
        &self,
        request: &EmbedRequest,
        model: &str,
        quirks: &Quirks,
    ) -> Result<Outgoing, WriteError>;

    /// Reads the reply to `request`.
    ///
    /// # Errors
    /// A reply that is not one vector for each input. A body that is an error (inside a 200) is
    /// `StreamError::Upstream`.
    fn read_vectors(&self, body: &Bytes, request: &EmbedRequest)
    -> Result<EmbedReply, StreamError>;
}

/// Four times as many go into one call of OpenAI's; vectors of 3072 numbers written as text would
/// make 70 MB of them.
const BATCH_MAX: usize = 512;

/// Checks that vectors answer a request: as many as inputs, of one length (the one asked for),
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
