//! Replies for a Gemini client: events of `GenerateContentResponse`, or one for the whole. An
//! upstream's own events go through as they came.

use serde::Serialize;

use crate::chunk::{Chunk, Delta, Usage};
use crate::dialect::{Cost, Head, WriteStream};
use crate::error::Failure;
use crate::json::Json;
use crate::reply::Reply;
use crate::source::Source;
use crate::sse;

use super::read_stream::REPLY;
use super::shape::{Draft, PartOut, settle_lone};
use super::write_choice::{CandidateOut, ChoiceWriter};
use super::{NAME, error, usage};

/// Writes a stream.
pub(super) struct Writer {
    id: String,
    model: String,
    choices: Vec<ChoiceWriter>,
    /// What stands beside the candidates.
    fields: Draft,
    /// Whether the upstream's own counts went through.
    is_counted: bool,
}

impl Writer {
    /// A stream that begins.
    pub(super) fn new(head: &Head) -> Self {
        let (id, model) = (head.id.clone(), head.model.clone());
        Self { id, model, choices: Vec::new(), fields: Draft::default(), is_counted: false }
    }

    /// Takes a change; what can be told at once is appended to its choice's parts.
    fn push(&mut self, delta: &Delta, told: &mut Vec<(u16, Vec<PartOut<'static>>)>) {
        let Some(number) = delta.choice() else {
            self.keep(delta);
            return;
        };
        if !told.iter().any(|(known, _)| *known == number) {
            told.push((number, Vec::new()));
        }
        if let Some((_, parts)) = told.iter_mut().find(|(known, _)| *known == number) {
            self.choice(number, |choice| choice.push(delta, parts));
        }
    }

    fn keep(&mut self, delta: &Delta) {
        if let Delta::Other { choice: None, kind, json } = delta
            && let Some(name) = kind.strip_prefix(NAME)
            && let Some(name) = name.strip_prefix('.').and_then(|name| name.strip_prefix(REPLY))
        {
            self.fields.0.retain(|(known, _)| known != name);
            self.fields.put(name, json);
        }
    }

    fn choice(&mut self, number: u16, act: impl FnOnce(&mut ChoiceWriter)) {
        if !self.choices.iter().any(|choice| choice.number() == number) {
            self.choices.push(ChoiceWriter::new(number));
        }
        if let Some(choice) = self.choices.iter_mut().find(|choice| choice.number() == number) {
            act(choice);
        }
    }

    /// The candidates that have something to tell.
    fn candidates(&self, told: Vec<(u16, Vec<PartOut<'static>>)>) -> Vec<CandidateOut> {
        let candidates = told.into_iter().filter_map(|(number, parts)| {
            let choice = self.choices.iter().find(|choice| choice.number() == number)?;
            Some(choice.candidate(parts))
        });
        candidates.collect()
    }

    fn reply(
        &mut self,
        candidates: &[CandidateOut],
        usage: Option<&Usage>,
    ) -> impl Serialize + use<> {
        let mut reply = Draft::default();
        if !candidates.is_empty() {
            reply.put("candidates", &candidates);
        }
        if let Some(usage) = usage {
            reply.0.append(&mut self.fields.0);
            reply.put("usageMetadata", &usage::write(usage));
        }
        reply.put("modelVersion", &self.model);
        reply.put("responseId", &self.id);
        reply
    }

    /// Tells the calls that were open, before something else is told.
    fn complete(&mut self, out: &mut Vec<u8>) {
        let mut told = Vec::new();
        for choice in &mut self.choices {
            let mut parts = Vec::new();
            choice.complete(&mut parts);
            if !parts.is_empty() {
                told.push((choice.number(), parts));
            }
        }
        self.tell(told, out);
    }

    fn tell(&mut self, mut told: Vec<(u16, Vec<PartOut<'static>>)>, out: &mut Vec<u8>) {
        told.retain(|(_, parts)| !parts.is_empty());
        if !told.is_empty() {
            let candidates = self.candidates(told);
            let reply = self.reply(&candidates, None);
            sse::write_data(out, Json::of(&reply).as_str().as_bytes());
        }
    }
}

impl WriteStream for Writer {
    fn chunk(&mut self, chunk: &Chunk, out: &mut Vec<u8>) {
        if let Some(bytes) = Source::of_dialect(&chunk.source, NAME) {
            self.complete(out);
            for delta in &chunk.deltas {
                self.is_counted |= matches!(delta, Delta::Usage(_));
                if let Some(number) = delta.choice() {
                    self.choice(number, |choice| choice.note(delta));
                }
            }
            sse::write_data(out, &bytes);
            return;
        }
        let mut told = Vec::new();
        for delta in &chunk.deltas {
            self.push(delta, &mut told);
        }
        self.tell(told, out);
    }

    fn end(&mut self, usage: &Usage, _cost: &Cost, out: &mut Vec<u8>) {
        let mut choices = std::mem::take(&mut self.choices);
        let ends: Vec<CandidateOut> =
            choices.iter_mut().filter_map(|choice| choice.end(Vec::new())).collect();
        if ends.is_empty() && self.is_counted {
            return;
        }
        let reply = self.reply(&ends, Some(usage));
        sse::write_data(out, Json::of(&reply).as_str().as_bytes());
    }

    fn error(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        self.complete(out);
        sse::write_data(out, &error::write(failure));
    }

    fn keep_alive(&mut self, out: &mut Vec<u8>) {
        sse::write_comment(out, "keep-alive");
    }
}

/// Writes a whole reply: the upstream's own body, or one made of the reply's choices.
pub(super) fn write_reply(reply: &Reply, head: &Head) -> Vec<u8> {
    if let Some(bytes) = Source::of_dialect(&reply.source, NAME) {
        return bytes.to_vec();
    }
    let mut writer = Writer::new(head);
    let mut told = Vec::new();
    for delta in reply.chunks().iter().flat_map(|chunk| &chunk.deltas) {
        writer.push(delta, &mut told);
    }
    let mut choices = std::mem::take(&mut writer.choices);
    let candidates: Vec<CandidateOut> = choices
        .iter_mut()
        .filter_map(|choice| {
            let at = told.iter().position(|(number, _)| *number == choice.number());
            let mut parts = at.map(|at| told.swap_remove(at).1).unwrap_or_default();
            settle_lone(&mut parts);
            choice.end(parts)
        })
        .collect();
    Json::of(&writer.reply(&candidates, Some(&reply.usage))).as_str().as_bytes().to_vec()
}
