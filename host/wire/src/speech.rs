//! Speech: a text read aloud. A seam beside the generation of text, for the dialects that have such
//! a call. The sound itself goes through as it comes, so nothing here reads it.

use crate::dialect::Outgoing;
use crate::error::WriteError;
use crate::json::Json;

/// What to read aloud.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpeechRequest {
    /// The model as the client names it.
    pub model: String,
    /// The text.
    pub input: String,
    /// Whose voice, in the provider's words.
    pub voice: Option<String>,
    /// In which form.
    pub format: SoundFormat,
    /// How fast; 1 is usual.
    pub speed: Option<f64>,
    /// How it shall sound, for models that can be told.
    pub instructions: Option<String>,
    /// A voice to imitate: the client's own parts.
    pub references: Option<Json>,
    /// Who asks, in the client's own words.
    pub user: Option<String>,
    /// The client's `provider` object.
    pub provider: Option<Json>,
}

impl SpeechRequest {
    /// How many characters are read aloud, which is what is paid for.
    pub fn characters(&self) -> u64 {
        u64::try_from(self.input.chars().count()).unwrap_or(u64::MAX)
    }
}

/// The form of sound that is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SoundFormat {
    Mp3,
    Opus,
    Aac,
    Flac,
    Wav,
    /// Bare samples of 16 bits, the lower byte first. Unlike OpenAI's, OpenRouter's default.
    #[default]
    Pcm,
}

impl SoundFormat {
    /// Every form, with its name on the wire and its MIME type.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Mp3, "mp3", "audio/mpeg"),
        (Self::Opus, "opus", "audio/opus"),
        (Self::Aac, "aac", "audio/aac"),
        (Self::Flac, "flac", "audio/flac"),
        (Self::Wav, "wav", "audio/wav"),
        (Self::Pcm, "pcm", "audio/pcm"),
    ];

    fn row(self) -> (&'static str, &'static str) {
        let row = Self::ALL.iter().find(|(known, ..)| *known == self);
        row.map_or(("pcm", "audio/pcm"), |(_, name, mime)| (name, mime))
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The MIME type.
    pub fn mime(self) -> &'static str {
        self.row().1
    }
}

/// The call of a dialect that speaks. Errors are read by the dialect itself.
pub trait Speech: Send + Sync {
    /// Writes the body. `model` is the upstream's own name of the model. The reply is the sound.
    ///
    /// # Errors
    /// Names what the dialect has no form for.
    fn write_speech(&self, request: &SpeechRequest, model: &str) -> Result<Outgoing, WriteError>;
}
