//! What a generation used: the upstream's own counts where it gives them, ours where it does not.

use std::time::{Duration, Instant};

use ledger::Counts;
use wire::{Chunk, Delta, FinishReason, Request, Units, Usage};

use crate::tokens;

mod kept;

use kept::Kept;

/// Counts while chunks go by.
#[derive(Debug)]
pub(crate) struct Meter {
    started: Instant,
    /// From the request to the first chunk with something to read.
    pub(crate) first_token: Option<Duration>,
    /// What the upstream reported.
    reported: Usage,
    /// Bytes of prompt, for where it did not.
    prompt_bytes: usize,
    /// Bytes of text, thought and tool arguments that came.
    completion_bytes: usize,
    /// What can still be counted here; none when no model answers.
    kept: Option<Kept>,
    /// How the first choice ended.
    pub(crate) finish: Option<(FinishReason, Option<String>)>,
}

/// What is billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metered {
    /// Token counts: of a conversation both, of other calls those that they have.
    pub(crate) usage: Usage,
    /// What is paid by the piece.
    pub(crate) units: Units,
    /// Whether any of it was counted here.
    pub(crate) is_estimated: bool,
}

impl Meter {
    /// Starts at the request's arrival.
    pub(crate) fn new(started: Instant, prompt_bytes: usize) -> Self {
        Self {
            started,
            first_token: None,
            reported: Usage::default(),
            prompt_bytes,
            completion_bytes: 0,
            kept: None,
            finish: None,
        }
    }

    /// Keeps what a model was asked, and from now on what it writes, until the upstream has said
    /// how many tokens that is.
    pub(crate) fn keep(&mut self, model: &str, request: Request) {
        self.kept = Some(Kept::new(model, request));
    }

    /// Begins anew for another round of the same generation.
    pub(crate) fn renew(&mut self, prompt_bytes: usize) {
        *self = Self { first_token: self.first_token, ..Self::new(self.started, prompt_bytes) };
    }

    /// Notes what a chunk from the upstream brought.
    pub(crate) fn note(&mut self, chunk: &Chunk, now: impl Fn() -> Instant) {
        let before = self.completion_bytes;
        for delta in &chunk.deltas {
            match delta {
                Delta::Text { text, .. }
                | Delta::Reasoning { text, .. }
                | Delta::Refusal { text, .. } => self.note_text(text),
                Delta::ToolCall { name, arguments, .. } => {
                    self.note_text(name.as_deref().unwrap_or_default());
                    self.note_text(arguments);
                }
                Delta::Finish { choice: 0, reason, native } => {
                    self.finish = Some((*reason, native.clone()));
                }
                Delta::Usage(usage) => self.reported.update(usage),
                Delta::Role { .. }
                | Delta::Annotation { .. }
                | Delta::Image { .. }
                | Delta::Audio { .. }
                | Delta::Finish { .. }
                | Delta::Other { .. } => {}
            }
        }
        if self.first_token.is_none() && self.completion_bytes > before {
            self.first_token = Some(now().duration_since(self.started));
        }
        if let Some(kept) = &mut self.kept {
            if self.reported.prompt.is_some() {
                kept.forget_request();
            }
            if self.finish.is_some() && self.reported.completion.is_some() {
                kept.forget_text();
            }
        }
    }

    fn note_text(&mut self, text: &str) {
        self.completion_bytes += text.len();
        if let Some(kept) = &mut self.kept {
            kept.push(text);
        }
    }

    /// About what there would be to bill if the reply ended here; takes no time.
    pub(crate) fn so_far(&self) -> Metered {
        self.metered(None, None)
    }

    /// The counts to bill. Where the upstream was cut off before it reported, what went by is
    /// counted with the tokenizer that fits the model; where no model answers, about.
    pub(crate) async fn read(&mut self) -> Metered {
        match self.kept.take() {
            Some(kept) => {
                let (prompt, completion) = kept.count().await;
                self.metered(prompt, completion)
            }
            None => self.so_far(),
        }
    }

    /// The upstream's counts, completed by ours.
    fn metered(&self, prompt: Option<u64>, completion: Option<u64>) -> Metered {
        let mut usage = self.reported.clone();
        let is_cut = self.finish.is_none();
        let counted = completion.unwrap_or_else(|| tokens::about(self.completion_bytes));
        // A report in mid-stream is of what was written until then, so the larger count holds.
        let completion = match usage.completion {
            Some(reported) if is_cut => reported.max(counted),
            Some(reported) => reported,
            None => counted,
        };
        let is_estimated = usage.prompt.is_none() || usage.completion != Some(completion);
        let about = || tokens::about(self.prompt_bytes);
        usage.prompt = Some(usage.prompt.or(prompt).unwrap_or_else(about));
        usage.completion = Some(completion);
        Metered { usage, units: Units::default(), is_estimated }
    }
}

impl Metered {
    /// The counts in the ledger's form.
    pub(crate) fn counts(&self) -> Counts {
        let (usage, units) = (&self.usage, &self.units);
        Counts {
            prompt: usage.prompt.unwrap_or(0),
            completion: usage.completion.unwrap_or(0),
            cached: usage.cached.unwrap_or(0),
            cache_write: usage.cache_write.unwrap_or(0),
            cache_write_1h: usage.cache_write_1h.unwrap_or(0),
            audio_prompt: usage.audio_prompt.unwrap_or(0),
            reasoning: usage.reasoning.unwrap_or(0),
            audio_completion: usage.audio_completion.unwrap_or(0),
            image_completion: usage.image_completion.unwrap_or(0),
            web_searches: usage.web_searches.unwrap_or(0),
            requests: 1,
            image_prompt: units.image_prompt,
            characters: units.characters,
            sound_ms: units.sound_ms.unwrap_or(0),
            images: units.images,
            search_units: units.search_units.unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests;
