//! `POST /audio/speech`. What is answered is the sound itself.

use super::Body;
use crate::error::ReadError;
use crate::speech::{SoundFormat, SpeechRequest};

/// Reads a client's body.
///
/// # Errors
/// Names the field that is wrong.
pub fn read(body: &[u8]) -> Result<SpeechRequest, ReadError> {
    let body = Body::parse(body)?;
    let known = SoundFormat::ALL.map(|(_, name, _)| name);
    let format = body.word("response_format", &known)?;
    let format = SoundFormat::ALL.iter().find(|(_, name, _)| Some(*name) == format.as_deref());
    let references =
        body.read("input_references", |at| Ok((!at.list()?.is_empty()).then(|| at.json())))?;
    Ok(SpeechRequest {
        model: body.model()?,
        input: body.need_text("input", "the text to read aloud")?,
        voice: body.text("voice")?,
        format: format.map(|(format, ..)| *format).unwrap_or_default(),
        speed: body.number("speed", 0.25, 4.0)?,
        instructions: body.text("instructions")?,
        references: references.flatten(),
        user: body.text("user")?,
        provider: body.provider(),
    })
}
