//! One thing that the model says (the answer, the thoughts or the refusal), on its way past the
//! rules. What may still become a match waits, whatever else comes meanwhile: a term whose pieces
//! alternate with other text is no other term.

use crate::line::{Line, Passed};
use patchbay_sdk::{Delta, JsonDelta, Places, ReasoningDelta, ReasoningDetail};
use std::collections::VecDeque;

/// All that a choice says in one field.
pub(crate) struct Prose {
    choice: u16,
    field: Field,
    line: Line,
    /// What has not gone on, in order. It begins with text.
    waiting: VecDeque<Part>,
    /// Where masks made the text longer or shorter, which moves what annotations cite.
    places: Places,
}

/// Which field.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    Answer,
    Thoughts,
    Refusal,
}

enum Part {
    /// So many bytes of text, in this block of thoughts.
    Text(usize, Option<ReasoningDetail>),
    /// Something else, which must not overtake the text before it.
    Mark(Delta),
}

impl Prose {
    pub(crate) fn new(choice: u16, field: Field, line: Line) -> Self {
        Self { choice, field, line, waiting: VecDeque::new(), places: Places::default() }
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// More text. True says that it goes on as it is, and `out` is unchanged; otherwise what may
    /// go on by now is in `out`.
    pub(crate) fn push(
        &mut self,
        text: &str,
        block: Option<&ReasoningDetail>,
        out: &mut Vec<Delta>,
    ) -> bool {
        let mut passed = Vec::new();
        if self.line.push(text, &mut passed) {
            self.places.add(text, text);
            return true;
        }
        if !text.is_empty() {
            self.waiting.push_back(Part::Text(text.len(), block.cloned()));
        }
        self.write(passed, out);
        false
    }

    /// Something that stands behind the text so far, an annotation say. True says that it goes on
    /// as it is.
    pub(crate) fn mark(&mut self, delta: Delta, out: &mut Vec<Delta>) -> bool {
        if self.is_empty() {
            return self.give(delta, out);
        }
        self.waiting.push_back(Part::Mark(delta));
        false
    }

    /// Gives out a mark. What it cites has moved with the text; false says so.
    fn give(&self, delta: Delta, out: &mut Vec<Delta>) -> bool {
        let moved = match &delta {
            Delta::Annotation(it) => self.places.moved(&it.json),
            _ => None,
        };
        let is_same = moved.is_none();
        out.push(match moved {
            Some(json) => Delta::Annotation(JsonDelta { choice: self.choice, json }),
            None => delta,
        });
        is_same
    }

    /// The last piece of a block of thoughts, with what proves it: all of the block goes before it,
    /// though it may still become a match. True says that it goes on as it is.
    pub(crate) fn close(&mut self, last: ReasoningDelta, out: &mut Vec<Delta>) -> bool {
        let bare = |it: ReasoningDetail| ReasoningDetail { signature: None, data: None, ..it };
        let block = last.detail.clone().map(bare);
        let passes = self.push(&last.text, block.as_ref(), out);
        if passes {
            out.push(Delta::Reasoning(last));
            return true;
        }
        let mut passed = Vec::new();
        self.line.release(&mut passed);
        self.write(passed, out);
        match out.last_mut() {
            Some(Delta::Reasoning(it)) if it.detail == block && !last.text.is_empty() => {
                it.detail = last.detail;
            }
            _ => out.push(Delta::Reasoning(ReasoningDelta { text: String::new(), ..last })),
        }
        false
    }

    /// The text ends here.
    pub(crate) fn end(&mut self, out: &mut Vec<Delta>) {
        let mut passed = Vec::new();
        self.line.end(&mut passed);
        self.write(passed, out);
    }

    /// Gives out what was passed: a piece that comes is at most one that goes, per block.
    fn write(&mut self, passed: Vec<Passed>, out: &mut Vec<Delta>) {
        let from = out.len();
        for piece in passed {
            match piece {
                Passed::Text(text) => {
                    self.places.add(&text, &text);
                    let mut rest = text.as_str();
                    while let Some((bytes, block)) = self.next(rest.len(), out) {
                        let (said, after) = rest.split_at_checked(bytes).unwrap_or((rest, ""));
                        self.say(said, block, from, out);
                        rest = after;
                    }
                }
                Passed::Mask(label, masked) => {
                    self.pass_marks(out);
                    self.places.add(&masked, &label);
                    let mut label = Some(label);
                    let mut left = masked.len();
                    while let Some((bytes, block)) = self.next(left, out) {
                        self.say(&label.take().unwrap_or_default(), block, from, out);
                        left = left.saturating_sub(bytes);
                    }
                    self.say(&label.unwrap_or_default(), None, from, out);
                }
            }
        }
        self.pass_marks(out);
    }

    /// Takes at most so many bytes of one block from what waits; `None` when there are none to take.
    fn next(
        &mut self,
        most: usize,
        out: &mut Vec<Delta>,
    ) -> Option<(usize, Option<ReasoningDetail>)> {
        if most == 0 {
            return None;
        }
        self.pass_marks(out);
        let Some(Part::Text(bytes, block)) = self.waiting.front_mut() else { return None };
        if *bytes > most {
            *bytes -= most;
            return Some((most, block.clone()));
        }
        let taken = (*bytes, block.take());
        self.waiting.pop_front();
        Some(taken)
    }

    /// Gives out the marks that no text stands before.
    fn pass_marks(&mut self, out: &mut Vec<Delta>) {
        while let Some(Part::Mark(_)) = self.waiting.front() {
            if let Some(Part::Mark(delta)) = self.waiting.pop_front() {
                self.give(delta, out);
            }
        }
    }

    /// Gives out text, in the delta before it where that is of the same block and not before `from`.
    fn say(&self, text: &str, block: Option<ReasoningDetail>, from: usize, out: &mut Vec<Delta>) {
        if text.is_empty() {
            return;
        }
        match (self.field, out.get_mut(from..).and_then(|new| new.last_mut())) {
            (Field::Answer, Some(Delta::Text(last)))
            | (Field::Refusal, Some(Delta::Refusal(last))) => last.text.push_str(text),
            (Field::Thoughts, Some(Delta::Reasoning(last))) if last.detail == block => {
                last.text.push_str(text);
            }
            (Field::Answer, _) => out.push(Delta::text(self.choice, text)),
            (Field::Refusal, _) => out.push(Delta::refusal(self.choice, text)),
            (Field::Thoughts, _) => {
                let (choice, text, detail) = (self.choice, text.to_owned(), block);
                out.push(Delta::Reasoning(ReasoningDelta { choice, text, detail }));
            }
        }
    }
}
