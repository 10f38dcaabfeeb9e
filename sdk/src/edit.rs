//! The common shape of plugins that change a choice's text: what to do with the deltas around it,
//! when to pass, when to hold.

use crate::{Delta, Error, Interest, Stream, TextDelta, Verdict};

/// Changes the text of one choice. [`Edit`] makes a [`Stream`] of it.
pub trait Editor {
    /// Whether `text` goes on as it is. Asked first and for nearly all text, so it should
    /// allocate nothing; false when something is held.
    fn passes(&mut self, text: &str) -> bool;

    /// Whether something is held.
    fn holds(&self) -> bool;

    /// Takes more text and adds to `out` what is settled. At an end (of the reply, or where
    /// something else than text follows) `text` is empty and all that is held must come out.
    fn edit(&mut self, text: &str, is_end: bool, out: &mut Vec<Delta>);

    /// Whether a delta reaches the client, be it one that came or one that `edit` made.
    fn keeps(&self, delta: &Delta) -> bool {
        let _ = delta;
        true
    }
}

/// A stream whose text an [`Editor`] changes. Other deltas go on unchanged and in order: before
/// each of them what is held is given out, since no word continues across it. Roles, annotations,
/// usage and the like have no place in the text, so they stay outside the sandbox.
pub struct Edit<E>(pub E);

impl<E: Editor> Stream for Edit<E> {
    fn interest(&self) -> Interest {
        Interest::TEXT
            | Interest::REASONING
            | Interest::TOOL_CALL
            | Interest::REFUSAL
            | Interest::IMAGE
            | Interest::AUDIO
            | Interest::FINISH
    }

    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        if batch.iter().all(|delta| self.passes(delta)) {
            return Ok(Verdict::Pass);
        }
        let mut out = Vec::with_capacity(batch.len());
        for delta in batch {
            if let Delta::Text(TextDelta { text, .. }) = &delta {
                self.0.edit(text, false, &mut out);
            } else {
                self.0.edit("", true, &mut out);
                out.push(delta);
            }
        }
        out.retain(|delta| self.0.keeps(delta));
        let held = out.is_empty() && self.0.holds();
        Ok(if held { Verdict::Hold } else { Verdict::Emit(out) })
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        let mut out = Vec::new();
        self.0.edit("", true, &mut out);
        out.retain(|delta| self.0.keeps(delta));
        Ok(if out.is_empty() { Verdict::Pass } else { Verdict::Emit(out) })
    }
}

impl<E: Editor> Edit<E> {
    fn passes(&mut self, delta: &Delta) -> bool {
        match delta {
            Delta::Text(delta) => self.0.passes(&delta.text),
            other => !self.0.holds() && self.0.keeps(other),
        }
    }
}
