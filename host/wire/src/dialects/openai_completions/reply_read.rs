//! Reading replies. Text completions say what chat completions say with the text in another place,
//! which the chat reader knows; what is left is the form of probabilities and what a template's
//! text holds.

use bytes::Bytes;

use super::super::openai_chat::OpenaiChat;
use super::NAME;
use super::logprobs;
use super::prompt::Rules;
use super::text::Text;
use crate::chunk::{Chunk, Delta, FinishReason};
use crate::dialect::{Dialect as _, ReadStream};
use crate::error::StreamError;
use crate::source::Source;
use crate::sse::Event;

/// Reads a whole reply.
pub(super) fn read(body: &Bytes, rules: Option<Rules>) -> Result<Vec<Chunk>, StreamError> {
    let mut texts = Texts::new(rules);
    let mut deltas = Vec::new();
    for chunk in OpenaiChat.read_reply(body)? {
        texts.take(chunk.deltas, &mut deltas);
    }
    texts.end(&mut deltas);
    Ok(deltas.into_iter().map(|delta| Chunk::of(vec![delta])).collect())
}

/// A stream so far.
pub(super) struct Stream {
    inner: Box<dyn ReadStream>,
    texts: Texts,
}

impl Stream {
    /// A stream that begins.
    pub(super) fn new(rules: Option<Rules>) -> Self {
        Self { inner: OpenaiChat.read_stream(), texts: Texts::new(rules) }
    }
}

impl ReadStream for Stream {
    fn read(&mut self, event: &Event, chunks: &mut Vec<Chunk>) -> Result<(), StreamError> {
        let mut read = Vec::new();
        let step = self.inner.read(event, &mut read);
        for chunk in read {
            let mut deltas = Vec::with_capacity(chunk.deltas.len());
            self.texts.take(chunk.deltas, &mut deltas);
            if !deltas.is_empty() {
                let source = chunk.source.filter(|_| self.texts.rules.is_none());
                let source = source.map(|source| Source { dialect: NAME, ..source });
                chunks.push(Chunk { deltas, source });
            }
        }
        if step.is_err() || self.inner.is_done() {
            let mut deltas = Vec::new();
            self.texts.end(&mut deltas);
            if !deltas.is_empty() {
                chunks.push(Chunk::of(deltas));
            }
        }
        step
    }

    fn is_done(&self) -> bool {
        self.inner.is_done()
    }
}

/// The texts of a reply's choices so far.
struct Texts {
    rules: Option<Rules>,
    choices: Vec<Text>,
}

impl Texts {
    fn new(rules: Option<Rules>) -> Self {
        Self { rules, choices: Vec::new() }
    }

    fn take(&mut self, deltas: Vec<Delta>, out: &mut Vec<Delta>) {
        for delta in deltas {
            match (delta, &self.rules) {
                (Delta::Text { choice, text }, Some(rules)) => {
                    let known = self.choices.len();
                    let new = (0..=choice).skip(known).map(Text::new);
                    self.choices.extend(new);
                    if let Some(state) = self.choices.get_mut(usize::from(choice)) {
                        state.push(&text, rules, out);
                    }
                }
                (Delta::Finish { choice, reason, native }, Some(rules)) => {
                    let mut state = self.choices.get_mut(usize::from(choice));
                    if let Some(state) = &mut state {
                        state.end(rules, out);
                    }
                    let reason = state.map_or(reason, |state| finished(state, reason));
                    out.push(Delta::Finish { choice, reason, native });
                }
                (Delta::Other { choice, kind, json }, _) if kind == LOGPROBS => {
                    let json = logprobs::read(&json).unwrap_or(json);
                    out.push(Delta::Other { choice, kind, json });
                }
                (delta, _) => out.push(delta),
            }
        }
    }

    /// Gives what choices hold that never said that they ended.
    fn end(&mut self, out: &mut Vec<Delta>) {
        let Some(rules) = &self.rules else { return };
        for state in &mut self.choices {
            state.end(rules, out);
        }
    }
}

/// Why a choice ended, as its text shows it: hosts see neither calls nor stop texts that were not
/// asked for.
fn finished(state: &Text, reason: FinishReason) -> FinishReason {
    match reason {
        FinishReason::Stop if state.has_calls() => FinishReason::ToolCalls,
        FinishReason::Length if state.is_cut() && state.has_calls() => FinishReason::ToolCalls,
        FinishReason::Length if state.is_cut() => FinishReason::Stop,
        reason => reason,
    }
}

/// Probabilities, as every dialect knows them.
const LOGPROBS: &str = "openai-chat.logprobs";
