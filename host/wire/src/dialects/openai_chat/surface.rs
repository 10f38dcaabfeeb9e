//! The surfaces beside text generation: what clients send, read into the canonical requests, and
//! what they read. Unknown fields are passed over, for no upstream is sent a client's own body.

use serde_json::value::RawValue;

use super::field::{At, refuse_repeated};
use super::reply_read::excerpt;
use crate::error::ReadError;
use crate::json::{Json, Object};

mod embed;
mod image;
mod rerank;
mod speech;
mod transcribe;

pub use embed::{read as read_embed, write as write_embed};
pub use image::{
    read as read_image, stream as image_stream, write as write_image,
    write_events as write_image_events,
};
pub use rerank::{read as read_rerank, write as write_rerank};
pub use speech::read as read_speech;
pub use transcribe::{Upload, read as read_transcribe, read_upload, write as write_transcribe};

/// A client's body, taken apart.
struct Body<'a>(Object<'a>);

impl<'a> Body<'a> {
    fn parse(body: &'a [u8]) -> Result<Self, ReadError> {
        let wrong = |expected: String| ReadError::new("body", expected, excerpt(body));
        let text = std::str::from_utf8(body).map_err(|_| wrong("JSON in UTF-8".to_owned()))?;
        let fields =
            Object::parse(text).map_err(|error| wrong(format!("a JSON object ({error})")))?;
        refuse_repeated(&fields)?;
        Ok(Self(fields))
    }

    /// A field, unless it is absent or `null`.
    fn raw(&self, key: &str) -> Option<&'a RawValue> {
        self.0.field(key).filter(|raw| raw.get() != "null")
    }

    /// A field that must be there.
    fn need<'k>(&self, key: &'k str, expected: &str) -> Result<At<'k, 'a>, ReadError> {
        let raw = self.raw(key).ok_or_else(|| ReadError::new(key, expected, "nothing"))?;
        Ok(At::top(key, raw))
    }

    /// A text that must be there, and not be empty.
    fn need_text(&self, key: &str, expected: &str) -> Result<String, ReadError> {
        let at = self.need(key, expected)?;
        let text = at.text()?;
        if text.is_empty() { Err(at.error(expected)) } else { Ok(text) }
    }

    fn read<T>(
        &self,
        key: &str,
        read: impl FnOnce(At<'_, 'a>) -> Result<T, ReadError>,
    ) -> Result<Option<T>, ReadError> {
        self.raw(key).map(|raw| read(At::top(key, raw))).transpose()
    }

    fn text(&self, key: &str) -> Result<Option<String>, ReadError> {
        self.read(key, |at| at.text())
    }

    fn number(&self, key: &str, least: f64, most: f64) -> Result<Option<f64>, ReadError> {
        self.read(key, |at| at.number(least, most))
    }

    /// A whole number within bounds.
    fn whole(&self, key: &str, least: u32, most: u32) -> Result<Option<u32>, ReadError> {
        self.read(key, |at| {
            let number: u32 = at.whole()?;
            if (least..=most).contains(&number) {
                return Ok(number);
            }
            Err(at.error(match most {
                u32::MAX => format!("a whole number of at least {least}"),
                _ => format!("a whole number from {least} to {most}"),
            }))
        })
    }

    /// One of a few words.
    fn word(&self, key: &str, known: &[&str]) -> Result<Option<String>, ReadError> {
        self.read(key, |at| {
            let word = at.text()?;
            let is_known = known.contains(&word.as_str());
            if is_known { Ok(word) } else { Err(at.error(known.join(", "))) }
        })
    }

    fn model(&self) -> Result<String, ReadError> {
        self.need_text("model", "a model's id")
    }

    fn provider(&self) -> Option<Json> {
        self.raw("provider").map(Json::from)
    }
}

#[cfg(test)]
mod tests;
