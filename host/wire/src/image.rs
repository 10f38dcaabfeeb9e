//! Pictures made from a prompt. A seam beside the generation of text, for the dialects that have a
//! call of its own for it; pictures that a conversation brings along are `Delta::Image`.

use bytes::Bytes;

use crate::chunk::Usage;
use crate::dialect::Outgoing;
use crate::error::{StreamError, WriteError};
use crate::json::Json;
use crate::provider::Quirks;
use crate::request::Media;
use crate::units::Units;

/// What to draw.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImageRequest {
    /// The model as the client names it.
    pub model: String,
    /// What shall be seen.
    pub prompt: String,
    /// How many pictures at most, 1 to 10.
    pub n: u32,
    /// How large.
    pub size: Size,
    /// `auto`, `low`, `medium`, `high`, or a word of the provider's.
    pub quality: Option<String>,
    /// `png`, `jpeg`, `webp` or `svg`.
    pub output_format: Option<String>,
    /// 0 to 100, for formats that lose.
    pub output_compression: Option<u32>,
    /// `auto`, `transparent` or `opaque`.
    pub background: Option<String>,
    /// For the same pictures again, where the provider can.
    pub seed: Option<i64>,
    /// Pictures to go by, at most 16.
    pub references: Vec<Media>,
    /// Whether the client reads events.
    pub stream: bool,
    /// Who asks, in the client's own words.
    pub user: Option<String>,
    /// The client's `provider` object.
    pub provider: Option<Json>,
}

/// How large a picture shall be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Size {
    /// As the provider likes.
    #[default]
    Auto,
    /// Exactly so many pixels wide and high.
    Pixels(u32, u32),
    /// About so large, and of that shape; providers take what is nearest.
    About {
        /// `512`, `1K`, `2K` or `4K`.
        resolution: Option<String>,
        /// Width and height (`16:9`), times ten where one is no whole number.
        aspect: Option<(u32, u32)>,
    },
}

/// What was drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImageReply {
    /// The pictures, at least one.
    pub pictures: Vec<Picture>,
    /// What the upstream counted.
    pub usage: Usage,
    /// The number of pictures, and the tokens of those that were read.
    pub units: Units,
}

/// A picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// Its bytes in standard base64, never decoded on the way.
    pub base64: String,
    /// Its MIME type, where that is known.
    pub mime: Option<String>,
}

/// The call of a dialect that draws. Errors with a status are read by the dialect itself.
pub trait Images: Send + Sync {
    /// Writes the body. `model` is the upstream's own name of the model.
    ///
    /// # Errors
    /// Names a reference that the dialect has no form for.
    fn write_prompt(
        &self,
        request: &ImageRequest,
        model: &str,
        quirks: &Quirks,
    ) -> Result<Outgoing, WriteError>;

    /// Reads the reply.
    ///
    /// # Errors
    /// A reply without a picture. A body that is an error (inside a 200) is
    /// `StreamError::Upstream`.
    fn read_pictures(&self, body: &Bytes) -> Result<ImageReply, StreamError>;
}
