//! Gemini's replies as chunks: each event is a `GenerateContentResponse`, and so is a whole
//! reply. Counts are of the whole reply so far; there is no terminal event.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::chunk::{Chunk, Delta, FinishReason, Role, Usage};
use crate::dialect::ReadStream;
use crate::error::{ReadError, StreamError};
use crate::json::Json;
use crate::source::Source;
use crate::sse::Event;

use super::fields::{Fields, under};
use super::read_choice::ChoiceReader;
use super::{NAME, error, usage};

/// Reads a whole reply: one chunk for each delta.
pub(super) fn read_reply(body: &Bytes) -> Result<Vec<Chunk>, StreamError> {
    let mut reader = Reader::default();
    let read = reader.read_event(body)?;
    let whole: Vec<Chunk> = read.deltas.into_iter().map(|delta| Chunk::of(vec![delta])).collect();
    if !reader.is_blocked && reader.choices.is_empty() {
        let expected = "a candidate, or promptFeedback.blockReason";
        return Err(ReadError::new("candidates", expected, "none").into());
    }
    Ok(whole)
}

/// Reads a stream, and a whole reply as a stream of one event.
#[derive(Default)]
pub(super) struct Reader {
    choices: BTreeMap<u16, ChoiceReader>,
    /// Begins the ids of calls that came without one; differs from reply to reply.
    id_stem: Option<String>,
    /// The last value of each field that is kept as it came.
    seen: Vec<(String, Json)>,
    is_blocked: bool,
}

/// What one event holds.
struct ReadEvent {
    deltas: Vec<Delta>,
    /// Whether the event can be passed on as it came: not with a piece of a call in it, because
    /// the call is told whole later.
    is_whole: bool,
}

impl ReadStream for Reader {
    fn read(&mut self, event: &Event, chunks: &mut Vec<Chunk>) -> Result<(), StreamError> {
        if event.data.is_empty() || event.data.as_ref() == b"[DONE]" {
            return Ok(());
        }
        let read = self.read_event(&event.data)?;
        let source = read.is_whole.then(|| Source { dialect: NAME, bytes: event.data.clone() });
        if source.is_some() || !read.deltas.is_empty() {
            chunks.push(Chunk { deltas: read.deltas, source });
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.is_blocked
            || !self.choices.is_empty() && self.choices.values().all(ChoiceReader::is_done)
    }
}

impl Reader {
    fn read_event(&mut self, bytes: &Bytes) -> Result<ReadEvent, StreamError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| ReadError::new("event", "JSON in UTF-8", "other bytes"))?;
        let event = Fields::parse(text).map_err(|error| under(error, "event"))?;
        if event.raw("error").is_some() {
            return Err(StreamError::Upstream(error::read(200, bytes)));
        }
        Ok(self.read_fields(&event, bytes)?)
    }

    fn read_fields(&mut self, event: &Fields<'_>, bytes: &[u8]) -> Result<ReadEvent, ReadError> {
        let mut read = ReadEvent { deltas: Vec::new(), is_whole: true };
        if self.id_stem.is_none() {
            self.id_stem = Some(id_stem(event.text("responseId")?.as_deref(), bytes));
        }
        for (at, candidate) in event.objects("candidates")?.iter().enumerate() {
            let here = |error| under(error, &format!("candidates[{at}]"));
            let number = candidate.integer::<u16>("index").map_err(here)?;
            let number = number.or_else(|| u16::try_from(at).ok());
            let number = number.filter(|number| *number < CHOICES_MAX).ok_or_else(|| {
                here(ReadError::new("index", format!("less than {CHOICES_MAX}"), "more"))
            })?;
            let stem = self.id_stem.as_deref().unwrap_or_default();
            let choice = self.choices.entry(number).or_insert_with(|| {
                read.deltas.push(Delta::Role { choice: number, role: Role::Assistant });
                ChoiceReader::new(number, stem)
            });
            read.is_whole &= choice.read(candidate, &mut read.deltas).map_err(here)?;
        }
        if let Some(feedback) = event.object("promptFeedback")? {
            let reason = feedback.text("blockReason");
            let reason = reason.map_err(|error| under(error, "promptFeedback"))?;
            if let Some(native) = reason.filter(|_| self.choices.is_empty() && !self.is_blocked) {
                self.is_blocked = true;
                let reason = FinishReason::ContentFilter;
                read.deltas.push(Delta::Role { choice: 0, role: Role::Assistant });
                read.deltas.push(Delta::Finish { choice: 0, reason, native: Some(native) });
            }
        }
        for (key, raw) in event.others(&CANONICAL) {
            let json = Json::from(raw);
            if !self.is_repeated(key, &json) {
                let kind = format!("{NAME}.{REPLY}{key}");
                read.deltas.push(Delta::Other { choice: None, kind, json });
            }
        }
        self.read_usage(event, &mut read.deltas)?;
        Ok(read)
    }

    fn read_usage(&mut self, event: &Fields<'_>, deltas: &mut Vec<Delta>) -> Result<(), ReadError> {
        let mut counts = match event.object("usageMetadata")? {
            Some(fields) => usage::read(&fields).map_err(|error| under(error, "usageMetadata"))?,
            None => Usage::default(),
        };
        let searches: u64 = self.choices.values().map(ChoiceReader::searches).sum();
        if event.raw("candidates").is_some() && searches > 0 {
            counts.web_searches = Some(searches);
        }
        if counts != Usage::default() {
            deltas.push(Delta::Usage(counts));
        }
        Ok(())
    }

    /// Fields such as `createTime` stand in every event; once is enough.
    fn is_repeated(&mut self, key: &str, json: &Json) -> bool {
        match self.seen.iter_mut().find(|(known, _)| known == key) {
            Some((_, last)) if last == json => true,
            Some((_, last)) => {
                last.clone_from(json);
                false
            }
            None => {
                self.seen.push((key.to_owned(), json.clone()));
                false
            }
        }
    }
}

/// The reply's own id, cut to what call ids may hold; without one, a hash of its first event,
/// which differs between turns because it counts the prompt.
fn id_stem(response_id: Option<&str>, bytes: &[u8]) -> String {
    let is_allowed = |letter: &char| letter.is_ascii_alphanumeric() || "-_".contains(*letter);
    let id: String = response_id.unwrap_or_default().chars().filter(is_allowed).collect();
    if !id.is_empty() {
        return id.chars().take(STEM_CHARS_MAX).collect();
    }
    let hash = bytes
        .iter()
        .fold(FNV_START, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_FACTOR));
    format!("{hash:016x}")
}

/// Begins the kinds of what stands beside the candidates.
pub(super) const REPLY: &str = "reply.";

/// More choices than any client may ask for.
const CHOICES_MAX: u16 = 128;

/// Keeps call ids below the 40 characters that other dialects allow.
const STEM_CHARS_MAX: usize = 28;

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_FACTOR: u64 = 0x0100_0000_01b3;

/// What is read into deltas, or written anew for each client.
const CANONICAL: [&str; 4] = ["candidates", "usageMetadata", "modelVersion", "responseId"];
