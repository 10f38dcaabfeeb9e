//! Writing OpenAI's stream: the response begins, its items come piece by piece, the whole response
//! ends it, and then `[DONE]`.

use super::output::Output;
use super::response::{self, State};
use super::{LOGPROBS, OTHER_RESPONSE};
use crate::chunk::{Chunk, Delta, FinishReason, Usage};
use crate::dialect::{Cost, Head, WriteStream};
use crate::error::Failure;
use crate::json::Json;
use crate::sse;

/// A stream so far.
#[derive(Debug)]
pub(super) struct Stream {
    head: Head,
    output: Output,
    /// What an upstream of this dialect said of its response.
    echo: Vec<Json>,
    reason: Option<FinishReason>,
    has_begun: bool,
}

impl Stream {
    /// A stream that begins.
    pub(super) fn new(head: &Head) -> Self {
        let output = Output::new(head);
        Self { head: head.clone(), output, echo: Vec::new(), reason: None, has_begun: false }
    }

    /// The whole response, once everything was said.
    pub(super) fn response(&self, state: State<'_>, out: &mut Vec<u8>) {
        response::write(&self.head, state, &self.echo, self.output.items(), out);
    }

    /// Why it ended; a reply that does not say so ended well.
    pub(super) fn reason(&self) -> FinishReason {
        self.reason.unwrap_or(FinishReason::Stop)
    }

    /// Closes what is open.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        self.output.close(out);
    }

    fn deltas(&mut self, deltas: &[Delta], out: &mut Vec<u8>) {
        let is_text = |delta: &Delta| matches!(delta, Delta::Text { .. });
        // Probabilities are of the words that they come with.
        let mut logprobs = deltas.iter().find_map(logprobs_of);
        let has_text = deltas.iter().any(is_text);
        for delta in deltas {
            match delta {
                Delta::Finish { choice: 0, reason, .. } => self.reason = Some(*reason),
                Delta::Other { kind, .. } if kind == LOGPROBS && has_text => continue,
                _ => {}
            }
            let its = if is_text(delta) { logprobs.take() } else { None };
            self.output.delta(delta, its, out);
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        self.event("response.created", State::Begun, out);
        self.event("response.in_progress", State::Begun, out);
    }

    fn event(&mut self, kind: &str, state: State<'_>, out: &mut Vec<u8>) {
        let mut response = Vec::new();
        self.response(state, &mut response);
        self.output.event(kind, out, |event| event.key("response").extend(response));
    }

    fn finish(&mut self, state: State<'_>, out: &mut Vec<u8>) {
        self.event(&format!("response.{}", state.status()), state, out);
        sse::write_data(out, b"[DONE]");
    }
}

impl WriteStream for Stream {
    fn chunk(&mut self, chunk: &Chunk, out: &mut Vec<u8>) {
        self.echo.extend(chunk.deltas.iter().filter_map(|delta| match delta {
            Delta::Other { kind, json, .. } if kind == OTHER_RESPONSE => Some(json.clone()),
            _ => None,
        }));
        self.begin(out);
        self.deltas(&chunk.deltas, out);
    }

    fn tell(&mut self, metadata: Json) {
        self.head.metadata = Some(metadata);
    }

    fn end(&mut self, usage: &Usage, cost: &Cost, out: &mut Vec<u8>) {
        self.begin(out);
        self.close(out);
        self.finish(State::Ended(self.reason(), usage, cost), out);
    }

    fn error(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        self.begin(out);
        self.output.cut(out);
        self.finish(State::Failed(failure), out);
    }

    fn keep_alive(&mut self, out: &mut Vec<u8>) {
        sse::write_comment(out, "OPENROUTER PROCESSING");
    }
}

fn logprobs_of(delta: &Delta) -> Option<&Json> {
    match delta {
        Delta::Other { choice: Some(0), kind, json } if kind == LOGPROBS => Some(json),
        _ => None,
    }
}
