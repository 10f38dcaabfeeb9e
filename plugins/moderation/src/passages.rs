//! The reply: it is held passage by passage until the model has judged it. Where a passage ends
//! follows from the text alone, so the model is shown the same however the reply is cut.

use crate::judge::Judge;
use patchbay_sdk::{Delta, Error, Interest, ReasoningDelta, Rejection, Stream, Verdict};

/// One choice.
pub(crate) struct Passages {
    judge: Judge,
    question: String,
    /// How long a passage is at least; none: the whole reply.
    min_chars: Option<usize>,
    held: Vec<Delta>,
    /// What the held deltas say.
    text: String,
    chars: usize,
    last: Option<char>,
}

impl Passages {
    pub(crate) fn new(judge: Judge, question: String, min_chars: Option<usize>) -> Self {
        Self {
            judge,
            question,
            min_chars,
            held: Vec::new(),
            text: String::new(),
            chars: 0,
            last: None,
        }
    }

    /// Takes a delta; what is judged goes to `out`.
    fn take(&mut self, delta: Delta, out: &mut Vec<Delta>) -> Result<Option<Rejection>, Error> {
        match delta {
            Delta::Text(it) => self.pieces(&it.text, out, |text| Delta::text(it.choice, text)),
            Delta::Refusal(it) => {
                self.pieces(&it.text, out, |text| Delta::refusal(it.choice, text))
            }
            // What belongs to a block but its text has none goes with the block.
            Delta::Reasoning(it) if !it.text.is_empty() => {
                let ReasoningDelta { choice, text, detail } = it;
                self.pieces(&text, out, |text| {
                    Delta::Reasoning(ReasoningDelta { choice, text, detail: detail.clone() })
                })
            }
            Delta::ToolCall(it) => {
                self.text.push_str(it.name.as_deref().unwrap_or_default());
                self.text.push_str(&it.arguments);
                self.held.push(Delta::ToolCall(it));
                Ok(None)
            }
            Delta::Finish(_) => {
                let rejection = self.judge(out)?;
                out.push(delta);
                Ok(rejection)
            }
            other => {
                self.held.push(other);
                Ok(None)
            }
        }
    }

    /// Holds a text, and judges wherever a passage ends in it.
    fn pieces(
        &mut self,
        text: &str,
        out: &mut Vec<Delta>,
        delta: impl Fn(String) -> Delta,
    ) -> Result<Option<Rejection>, Error> {
        let mut start = 0;
        for (at, character) in text.char_indices() {
            self.chars += 1;
            let ends = self.ends_with(character);
            self.last = Some(character);
            let end = at + character.len_utf8();
            if ends {
                self.hold(text.get(start..end).unwrap_or_default(), &delta);
                start = end;
                if let Some(rejection) = self.judge(out)? {
                    return Ok(Some(rejection));
                }
            }
        }
        self.hold(text.get(start..).unwrap_or_default(), &delta);
        Ok(None)
    }

    /// Whether the passage ends with this character: after a sentence, or after any word when no
    /// sentence ends, or at last anywhere.
    fn ends_with(&self, character: char) -> bool {
        let Some(min) = self.min_chars.filter(|min| self.chars >= *min) else { return false };
        let is_after_sentence = matches!(self.last, Some('.' | '!' | '?' | ':' | ';'));
        matches!(character, '\n' | '。' | '！' | '？')
            || (character.is_whitespace() && (is_after_sentence || self.chars >= min * 2))
            || self.chars >= min * 3
    }

    fn hold(&mut self, text: &str, delta: impl Fn(String) -> Delta) {
        if !text.is_empty() {
            self.text.push_str(text);
            self.held.push(delta(text.to_owned()));
        }
    }

    /// Shows the model what is held, and lets it go unless it objects.
    fn judge(&mut self, out: &mut Vec<Delta>) -> Result<Option<Rejection>, Error> {
        let text = std::mem::take(&mut self.text);
        self.chars = 0;
        if !text.trim().is_empty()
            && let Some(objection) = self.judge.ask(&self.question, Some(&text))?
            && let Some(rejection) = self.judge.object(objection, "output")
        {
            return Ok(Some(rejection));
        }
        out.append(&mut self.held);
        Ok(None)
    }
}

impl Stream for Passages {
    fn interest(&self) -> Interest {
        Interest::all() - (Interest::ROLE | Interest::USAGE)
    }

    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        let mut out = Vec::new();
        for delta in batch {
            if let Some(rejection) = self.take(delta, &mut out)? {
                return Ok(Verdict::Stop(rejection));
            }
        }
        Ok(if out.is_empty() { Verdict::Hold } else { Verdict::Emit(out) })
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        let mut out = Vec::new();
        Ok(match self.judge(&mut out)? {
            Some(rejection) => Verdict::Stop(rejection),
            None if out.is_empty() => Verdict::Pass,
            None => Verdict::Emit(out),
        })
    }
}
