//! Transcription: sound written down. A seam beside the generation of text, for the dialects that
//! have such a call.

use bytes::Bytes;

use crate::chunk::Usage;
use crate::dialect::Outgoing;
use crate::error::{StreamError, WriteError};
use crate::json::Json;
use crate::units::Units;

/// What to write down.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TranscribeRequest {
    /// The model as the client names it.
    pub model: String,
    /// The sound.
    pub sound: Bytes,
    /// Its form, as a file name would end (`wav`, `mp3`): letters and digits only.
    pub format: String,
    /// The language spoken, as an ISO 639-1 code.
    pub language: Option<String>,
    /// How freely it is written down.
    pub temperature: Option<f64>,
    /// Whether segments, language and duration are wanted, too.
    pub is_verbose: bool,
    /// `segment`, `word`: what shall have times, in a verbose reply.
    pub granularities: Vec<String>,
    /// Who asks, in the client's own words.
    pub user: Option<String>,
    /// The client's `provider` object.
    pub provider: Option<Json>,
}

impl TranscribeRequest {
    /// The most that the sound can last, in milliseconds, and about how long it does: by its own
    /// head where it is a plain WAV file, else by its size.
    pub fn length(&self) -> Length {
        let bytes = u64::try_from(self.sound.len()).unwrap_or(u64::MAX);
        let at = |bytes_per_second: u64| bytes.saturating_mul(1000).div_ceil(bytes_per_second);
        let most_ms = at(BYTES_PER_SECOND_MIN);
        let about_ms = wav_bytes_per_second(&self.sound).map_or(at(BYTES_PER_SECOND_USUAL), at);
        Length { about_ms: about_ms.min(most_ms), most_ms }
    }
}

/// How long a sound lasts, as far as its bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// About so long, in milliseconds.
    pub about_ms: u64,
    /// No longer than this, in milliseconds.
    pub most_ms: u64,
}

/// The byte rate that a WAV file's head names.
fn wav_bytes_per_second(sound: &[u8]) -> Option<u64> {
    let is_wav = sound.starts_with(b"RIFF") && sound.get(8..16) == Some(b"WAVEfmt ");
    let rate = sound.get(28..32).filter(|_| is_wav)?;
    let rate = u32::from_le_bytes(rate.try_into().ok()?);
    Some(u64::from(rate)).filter(|rate| *rate > 0)
}

/// The thriftiest codec for voices (AMR, 4.75 kbit/s) takes more.
const BYTES_PER_SECOND_MIN: u64 = 500;

/// 128 kbit/s, which recordings have that are made to be shared.
const BYTES_PER_SECOND_USUAL: u64 = 16_000;

/// What was said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TranscribeReply {
    /// The words.
    pub text: String,
    /// What a verbose reply says beside (`task`, `language`, `duration`, `segments`, `words`), in
    /// OpenAI's form and order.
    pub details: Vec<(String, Json)>,
    /// Tokens, where the upstream counts them.
    pub usage: Usage,
    /// The sound's length, where the upstream says.
    pub units: Units,
}

/// The call of a dialect that writes sound down. Errors with a status are read by the dialect.
pub trait Transcription: Send + Sync {
    /// Writes the body. `model` is the upstream's own name of the model.
    ///
    /// # Errors
    /// Names what the dialect has no form for.
    fn write_sound(&self, request: &TranscribeRequest, model: &str)
    -> Result<Outgoing, WriteError>;

    /// Reads the reply.
    ///
    /// # Errors
    /// A reply without a text. A body that is an error (inside a 200) is `StreamError::Upstream`.
    fn read_text(&self, body: &Bytes) -> Result<TranscribeReply, StreamError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wav_file_says_how_long_it_is() {
        let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wav.extend(16_000_u32.to_le_bytes());
        wav.extend(32_000_u32.to_le_bytes());
        wav.resize(64_000, 0);
        let request = TranscribeRequest { sound: wav.into(), ..TranscribeRequest::default() };
        assert_eq!(request.length(), Length { about_ms: 2_000, most_ms: 128_000 });
    }

    #[test]
    fn what_says_nothing_is_judged_by_its_size() {
        for sound in [&b""[..], b"RIFF", &[0; 32_000]] {
            let sound = Bytes::from_static(Box::leak(sound.to_vec().into_boxed_slice()));
            let bytes = u64::try_from(sound.len()).unwrap();
            let request = TranscribeRequest { sound, ..TranscribeRequest::default() };
            let expected =
                Length { about_ms: bytes.div_ceil(16), most_ms: bytes.saturating_mul(2) };
            assert_eq!(request.length(), expected);
        }
    }
}
