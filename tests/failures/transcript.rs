//! What an upstream of each dialect sends: the conformance suite's transcripts, taken apart so that
//! a test can change them, and put together as answers of the double.

use serde_json::{Value, json};

use crate::answers::with;
use crate::upstream::{folder, text};

/// One reply of a dialect, streamed and whole.
#[derive(Debug, Clone)]
pub(crate) struct Transcript {
    /// Who speaks so.
    pub(crate) dialect: &'static str,
    /// The stream's events as they stand in the file: text with its framing, or for binary frames
    /// the name and the data as JSON.
    pub(crate) events: Vec<String>,
    /// The whole reply's body.
    pub(crate) body: String,
    /// How its events are framed.
    pub(crate) form: Form,
}

/// How events are put on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Server-sent events.
    Sse,
    /// A line of JSON each.
    Lines,
    /// AWS's binary frames.
    Binary,
}

impl Transcript {
    /// The answer of a dialect to a plain question: "Hello from the other side.", 12 tokens read
    /// and 8 written.
    pub(crate) fn chat(dialect: &'static str) -> Self {
        let folder = folder("upstreams").join(dialect).join("chat");
        let body = text(&folder.join("reply.json"));
        let forms = [
            ("sse", Form::Sse, "\n\n"),
            ("ndjson", Form::Lines, "\n"),
            ("jsonl", Form::Binary, "\n"),
        ];
        let found = forms.iter().find_map(|(kind, form, end)| {
            let path = folder.join(format!("stream.{kind}"));
            path.exists().then(|| (*form, text(&path), *end))
        });
        let (form, stream, end) = found.unwrap();
        let events = stream.split_inclusive(end).map(str::to_owned).collect();
        Self { dialect, events, body, form }
    }

    /// The same with a text replaced wherever it stands. It must stand somewhere.
    pub(crate) fn replace(&self, from: &str, to: &str) -> Self {
        assert!(self.events.concat().contains(from), "{}: no {from}", self.dialect);
        let events = self.events.iter().map(|event| event.replace(from, to)).collect();
        Self { events, body: self.body.replace(from, to), ..self.clone() }
    }

    /// The stream as an answer, with more fields of the script.
    pub(crate) fn streamed(&self, more: &Value) -> Value {
        self.stream_of(&self.events, more)
    }

    /// The same of these events.
    pub(crate) fn stream_of(&self, events: &[String], more: &Value) -> Value {
        let (field, kind) = match self.form {
            Form::Sse => ("sse", "text/event-stream"),
            Form::Lines => ("sse", "application/x-ndjson"),
            Form::Binary => ("event_stream", "application/vnd.amazon.eventstream"),
        };
        let events = events.iter().map(|event| match self.form {
            Form::Binary => serde_json::from_str(event).unwrap(),
            Form::Sse | Form::Lines => json!({"raw": event}),
        });
        let mut answer = json!({"headers": {"content-type": kind}});
        answer[field] = events.collect();
        with(answer, more)
    }
}
