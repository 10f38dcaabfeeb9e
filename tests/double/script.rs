//! What a test can make the double do: `PUT /_double/script/{name}` with
//! - one answer, `{"status": 429, "body": {…}}`;
//! - a list of answers, given in turn, the last one again and again; the first one whose `when`
//!   texts all occur in the request goes before the others;
//! - `{"stream": …, "whole": …}` with either of these for each kind of request.
//!
//! The fields of an answer are those of [`Answer`]; an unknown one is refused by name.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

use crate::encoding::Encoding;
use crate::event_stream;
use crate::recording::{self, Recording};

/// All that is answered under one name.
pub(crate) struct Script {
    stream: Turns,
    whole: Turns,
}

impl Script {
    /// Reads a script and the recordings that it names.
    ///
    /// # Errors
    /// Names the field or the file that is wrong.
    pub(crate) fn read(json: &[u8]) -> Result<Self, anyhow::Error> {
        let json: Value = serde_json::from_slice(json).context("a script is JSON")?;
        let part = |name: &str| json.get(name).cloned();
        match (part("stream"), part("whole")) {
            (None, None) => Ok(Self { stream: Turns::read(&json)?, whole: Turns::read(&json)? }),
            (stream, whole) => Ok(Self {
                stream: Turns::read(&stream.unwrap_or(Value::Array(Vec::new())))
                    .context("stream")?,
                whole: Turns::read(&whole.unwrap_or(Value::Array(Vec::new()))).context("whole")?,
            }),
        }
    }

    /// The answer to a request, which is given as a text of its first line, its headers and its
    /// body as compact JSON; `None` when there is none for this kind of request.
    pub(crate) fn choose(&self, is_stream: bool, request: &str) -> Option<&Answer> {
        if is_stream { self.stream.next(request) } else { self.whole.next(request) }
    }
}

struct Turns {
    answers: Vec<Answer>,
    given: AtomicUsize,
}

impl Turns {
    fn read(json: &Value) -> Result<Self, anyhow::Error> {
        let list = match json {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        let mut answers = Vec::new();
        for (at, one) in list.into_iter().enumerate() {
            let answer = serde_json::from_value(one).map_err(anyhow::Error::from);
            answers
                .push(answer.and_then(Answer::complete).with_context(|| format!("answer {at}"))?);
        }
        Ok(Self { answers, given: AtomicUsize::new(0) })
    }

    fn next(&self, request: &str) -> Option<&Answer> {
        let fits = |answer: &&Answer| answer.when.as_ref().is_some_and(|when| when.fits(request));
        if let Some(answer) = self.answers.iter().find(fits) {
            return Some(answer);
        }
        let in_turn: Vec<_> = self.answers.iter().filter(|one| one.when.is_none()).collect();
        let turn = self.given.fetch_add(1, Ordering::Relaxed);
        in_turn.get(turn).or(in_turn.last()).copied()
    }
}

/// One answer. Exactly one of `body`, `sse`, `event_stream` and `recording` says what is sent; none
/// is an empty body.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Answer {
    /// Text, or a list of texts, that the request must hold for this answer to be chosen: in its
    /// first line (`POST /v1/messages`), a header (`x-api-key: abc`, the name in lower case) or its
    /// body as compact JSON (`"role":"tool"`).
    pub(crate) when: Option<When>,
    /// The status; 200 without it.
    pub(crate) status: Option<u16>,
    /// Headers over the usual ones.
    pub(crate) headers: BTreeMap<String, String>,
    /// A whole body: text as it is, any other JSON written out.
    pub(crate) body: Option<Value>,
    /// A stream: a text is one event's data as it is; `{"event": …, "data": …}` has a name;
    /// `{"raw": …}` is put on the wire untouched; any other JSON is an event's data.
    pub(crate) sse: Option<Vec<Value>>,
    /// A stream in AWS's binary framing, of `{"event": …, "data": …}`; with `"is_exception": true`
    /// it is an error of that name.
    pub(crate) event_stream: Option<Vec<Named>>,
    /// A recorded reply's file.
    pub(crate) recording: Option<PathBuf>,
    /// Silence before the status line.
    pub(crate) head_ms: u64,
    /// Silence between the head and the first event.
    pub(crate) first_ms: u64,
    /// Silence between events.
    pub(crate) pace_ms: u64,
    /// Events sent before the stream waits for `POST /_double/release/{name}`.
    pub(crate) gate_after: Option<usize>,
    /// Events after which the connection is closed without an end.
    pub(crate) cut_after: Option<usize>,
    /// Bytes of the body after which the connection is closed without an end.
    pub(crate) cut_bytes: Option<usize>,
    /// `head`: never answer; `end`: send all there is and never end.
    pub(crate) hang: Option<Hang>,
    /// Write in pieces of so many bytes, each flushed by itself.
    pub(crate) split: Option<usize>,
    /// `gzip`, `br` or `zstd`: the body is sent in it.
    pub(crate) content_encoding: Option<Encoding>,
    /// What is sent, filled in when the script is read.
    #[serde(skip)]
    pub(crate) content: Content,
}

/// What a request must hold.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum When {
    /// This text.
    One(String),
    /// Each of these.
    All(Vec<String>),
}

impl When {
    fn fits(&self, request: &str) -> bool {
        match self {
            Self::One(text) => request.contains(text),
            Self::All(texts) => texts.iter().all(|text| request.contains(text)),
        }
    }
}

/// One event of a stream whose events all have names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    event: String,
    data: Value,
    #[serde(default)]
    is_exception: bool,
}

/// Where an answer stops for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hang {
    /// Before the status line.
    Head,
    /// After all content, before the end of the body.
    End,
}

/// What an answer sends.
#[derive(Debug)]
pub(crate) enum Content {
    /// A body in one piece.
    Whole(String),
    /// Events.
    Stream(Vec<Event>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Whole(String::new())
    }
}

/// One SSE event.
#[derive(Debug)]
pub(crate) enum Event {
    /// With its framing made here.
    Data { name: Option<String>, payload: String },
    /// Text that brings its own framing.
    Raw(String),
    /// Bytes that do.
    Framed(Vec<u8>),
}

impl Event {
    /// The event's bytes on the wire.
    pub(crate) fn frame(&self) -> Vec<u8> {
        match self {
            Self::Framed(bytes) => bytes.clone(),
            Self::Raw(text) => text.clone().into_bytes(),
            Self::Data { name: Some(name), payload } => {
                format!("event: {name}\ndata: {payload}\n\n").into_bytes()
            }
            Self::Data { name: None, payload } => format!("data: {payload}\n\n").into_bytes(),
        }
    }

    fn read(json: &Value) -> Self {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let Some(fields) = json.as_object() {
            if let (1, Some(raw)) = (fields.len(), fields.get("raw")) {
                return Self::Raw(text(raw));
            }
            if let (2, Some(name), Some(data)) =
                (fields.len(), fields.get("event"), fields.get("data"))
            {
                return Self::Data { name: Some(text(name)), payload: text(data) };
            }
        }
        Self::Data { name: None, payload: text(json) }
    }
}

impl Answer {
    fn complete(mut self) -> Result<Self, anyhow::Error> {
        let sources = [
            self.body.is_some(),
            self.sse.is_some(),
            self.event_stream.is_some(),
            self.recording.is_some(),
        ];
        anyhow::ensure!(
            sources.iter().filter(|given| **given).count() <= 1,
            "give one of `body`, `sse`, `event_stream` and `recording`"
        );
        anyhow::ensure!(self.split != Some(0), "`split` is at least 1");
        if let Some(body) = self.body.take() {
            let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
            self.content = Content::Whole(text);
        } else if let Some(events) = self.sse.take() {
            self.content = Content::Stream(events.iter().map(Event::read).collect());
        } else if let Some(events) = self.event_stream.take() {
            let frame = |one: &Named| {
                Event::Framed(event_stream::frame(&one.event, &one.data, one.is_exception))
            };
            self.content = Content::Stream(events.iter().map(frame).collect());
        } else if let Some(path) = self.recording.take() {
            self.content = match recording::read(&path)? {
                Recording::Whole(text) => Content::Whole(text),
                Recording::Stream(events) => Content::Stream(events),
            };
        }
        Ok(self)
    }
}
