//! `POST /audio/transcriptions`: a form with the file, and JSON back. Times and languages come in a
//! verbose reply only; usage is in seconds for models that are paid so, in tokens for the others.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::reply_read::excerpt;
use super::shape::{count, text};
use super::{OpenaiChat, error, usage};
use crate::chunk::Usage;
use crate::dialect::Outgoing;
use crate::error::{ReadError, StreamError, WriteError};
use crate::form::Form;
use crate::json::{Json, Object};
use crate::transcribe::{TranscribeReply, TranscribeRequest, Transcription};
use crate::units::Units;

impl Transcription for OpenaiChat {
    fn write_sound(
        &self,
        request: &TranscribeRequest,
        model: &str,
    ) -> Result<Outgoing, WriteError> {
        let mut form = Form::default();
        form.text("model", model);
        form.optional("language", request.language.as_ref());
        form.optional("temperature", request.temperature);
        form.text("response_format", if request.is_verbose { "verbose_json" } else { "json" });
        if request.is_verbose {
            for granularity in &request.granularities {
                form.text("timestamp_granularities[]", granularity);
            }
        }
        let format = &request.format;
        let (name, mime) = (format!("audio.{format}"), format!("audio/{format}"));
        form.file("file", &name, &mime, request.sound.to_vec());
        let (kind, body) = form.end();
        let path = "/audio/transcriptions".to_owned();
        Ok(Outgoing { path, headers: vec![("content-type", kind)], body })
    }

    fn read_text(&self, body: &Bytes) -> Result<TranscribeReply, StreamError> {
        let wrong = || ReadError::new("body", "a transcription", excerpt(body));
        let json = std::str::from_utf8(body).map_err(|_| wrong())?;
        let fields = Object::parse(json).map_err(|_| wrong())?;
        if let Some(error) = error::inside(&fields, body) {
            return Err(error);
        }
        let words = fields.field("text").and_then(|raw| text(Some(raw)));
        let words = words.ok_or_else(|| ReadError::new("text", "a string", excerpt(body)))?;
        let said = fields.field("usage");
        let counted = said.and_then(|raw| Object::parse(raw.get()).ok()).unwrap_or_default();
        let seconds = counted.field("seconds").or(fields.field("duration"));
        let details = fields.0.iter().filter(|(name, _)| DETAILS.contains(&&**name));
        Ok(TranscribeReply {
            text: words,
            details: details.map(|(name, raw)| (name.to_string(), Json::from(*raw))).collect(),
            usage: tokens(said, &counted),
            units: Units { sound_ms: seconds.and_then(milliseconds), ..Units::default() },
        })
    }
}

/// Tokens; those of sound stand in a detail of another name than in a conversation.
fn tokens(said: Option<&RawValue>, counted: &Object<'_>) -> Usage {
    let mut read = said.and_then(usage::read).unwrap_or_default();
    let details =
        counted.field("input_token_details").and_then(|raw| Object::parse(raw.get()).ok());
    read.audio_prompt = details.and_then(|details| count(details.field("audio_tokens")));
    read
}

/// Seconds as a number or, of some hosts, as text; exact to the millisecond.
fn milliseconds(raw: &RawValue) -> Option<u64> {
    let text = raw.get().trim_matches('"');
    let seconds: f64 = text.parse().ok().filter(|seconds: &f64| (0.0..1e9).contains(seconds))?;
    std::time::Duration::try_from_secs_f64(seconds)
        .ok()?
        .as_micros()
        .checked_add(500)
        .and_then(|micros| u64::try_from(micros / 1000).ok())
}

/// What a verbose reply has beside its text.
const DETAILS: [&str; 5] = ["task", "language", "duration", "segments", "words"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorType;

    fn read(body: &str) -> Result<TranscribeReply, StreamError> {
        OpenaiChat.read_text(&Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn the_sound_is_sent_as_a_file_of_a_form() {
        let request = TranscribeRequest {
            sound: Bytes::from_static(b"RIFF\xff"),
            format: "wav".to_owned(),
            language: Some("en".to_owned()),
            is_verbose: true,
            granularities: vec!["word".to_owned(), "segment".to_owned()],
            ..TranscribeRequest::default()
        };
        let outgoing = OpenaiChat.write_sound(&request, "whisper-1").unwrap();
        assert_eq!(outgoing.path, "/audio/transcriptions");
        let [(name, kind)] = outgoing.headers.as_slice() else { panic!("one header") };
        assert_eq!(*name, "content-type");
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let field = |name: &str, value: &str| {
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
        };
        let mut expected = [
            field("model", "whisper-1"),
            field("language", "en"),
            field("response_format", "verbose_json"),
            field("timestamp_granularities[]", "word"),
            field("timestamp_granularities[]", "segment"),
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; \
                 filename=\"audio.wav\"\r\nContent-Type: audio/wav\r\n\r\n"
            ),
        ]
        .concat()
        .into_bytes();
        expected.extend(b"RIFF\xff\r\n");
        expected.extend(format!("--{boundary}--\r\n").into_bytes());
        assert_eq!(outgoing.body, expected);
    }

    #[test]
    fn usage_is_in_seconds_or_in_tokens() {
        let body = r#"{"text":"Hello.","usage":{"type":"duration","seconds":9}}"#;
        let reply = read(body).unwrap();
        assert_eq!((reply.text.as_str(), reply.units.sound_ms), ("Hello.", Some(9000)));
        assert_eq!(reply.usage, Usage::default());
        let body = r#"{"text":"Hello.","usage":{"type":"tokens","total_tokens":113,"input_tokens":83,"output_tokens":30,"input_token_details":{"text_tokens":3,"audio_tokens":80}}}"#;
        let usage = read(body).unwrap().usage;
        assert_eq!(
            (usage.prompt, usage.completion, usage.audio_prompt),
            (Some(83), Some(30), Some(80))
        );
    }

    #[test]
    fn a_verbose_reply_keeps_its_details_as_they_are() {
        let body = r#"{"task":"transcribe","language":"english","duration":8.470000267028809,"text":"The beach","segments":[{"id":0,"avg_logprob":-0.2860}],"x_groq":{"id":"r"}}"#;
        let reply = read(body).unwrap();
        assert_eq!(reply.units.sound_ms, Some(8470));
        let details: Vec<_> =
            reply.details.iter().map(|(name, json)| (name.as_str(), json.as_str())).collect();
        let expected = [
            ("task", r#""transcribe""#),
            ("language", r#""english""#),
            ("duration", "8.470000267028809"),
            ("segments", r#"[{"id":0,"avg_logprob":-0.2860}]"#),
        ];
        assert_eq!(details, expected);
        assert_eq!(read(r#"{"text":"","duration":"1.5"}"#).unwrap().units.sound_ms, Some(1500));
    }

    #[test]
    fn what_is_no_transcription_is_refused() {
        for body in ["", "[]", "{}", r#"{"text":null}"#, r#"{"text":1}"#, "<html>"] {
            assert!(matches!(read(body), Err(StreamError::Read(_))), "{body}");
        }
        let body = r#"{"error":{"message":"Slow down","code":"rate_limit_exceeded"}}"#;
        let Err(StreamError::Upstream(failure)) = read(body) else { panic!("it is an error") };
        assert_eq!(failure.error_type, ErrorType::RateLimitExceeded);
    }
}
