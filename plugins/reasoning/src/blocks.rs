//! Splits one choice's text into thoughts and answer, as it comes.

#[cfg(test)]
mod tests;

use patchbay_sdk::{Patterns, Piece, Window};

/// The tag pairs: all opening tags, and each pair's closing tag.
pub(crate) struct Tags {
    opening: Patterns,
    closing: Vec<Patterns>,
}

impl Tags {
    /// Keeps the pairs' order.
    pub(crate) fn new(pairs: Vec<(String, String)>) -> Self {
        let (opening, closing): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let closing = closing.into_iter().map(|tag| Patterns::new([tag])).collect();
        Self { opening: Patterns::new(opening), closing }
    }

    /// What ends the text at this place.
    fn sought(&self, place: Place) -> &Patterns {
        match place {
            Place::Inside(pair) => self.closing.get(pair).unwrap_or(&self.opening),
            Place::Start | Place::Answer => &self.opening,
        }
    }
}

/// Where the text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the answer's first visible character.
    Start,
    /// In a block of this pair.
    Inside(usize),
    Answer,
}

/// A piece that no later text changes.
pub(crate) enum Settled {
    Thought(String),
    Answer(String),
}

/// The splitter. Text goes in by `push`; settled pieces come out of `take`.
pub(crate) struct Blocks {
    tags: Tags,
    anywhere: bool,
    place: Place,
    window: Window,
    /// White space at the start, which a block would make vanish.
    blank: String,
    /// Line breaks are dropped: directly after an opening tag, or after a block at the start.
    trims: bool,
    /// Whether anything of the answer was given out.
    answered: bool,
    ended: bool,
}

impl Blocks {
    /// At the beginning of a reply; `opened` says that it begins inside the first pair's block.
    pub(crate) fn new(tags: Tags, anywhere: bool, opened: bool) -> Self {
        Self {
            tags,
            anywhere,
            place: if opened { Place::Inside(0) } else { Place::Start },
            window: Window::default(),
            blank: String::new(),
            trims: opened,
            answered: false,
            ended: false,
        }
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.window.is_empty() && self.blank.is_empty()
    }

    /// Whether `text` is answer as it stands. Takes note that the answer has begun.
    pub(crate) fn passes(&mut self, text: &str) -> bool {
        if !self.is_empty() {
            return false;
        }
        let passes = match self.place {
            Place::Inside(_) => false,
            Place::Start if self.trims || text.trim_start().is_empty() => false,
            Place::Start if !self.anywhere => !self.tags.opening.may_begin(text.trim_start()),
            Place::Answer if !self.anywhere => true,
            Place::Start | Place::Answer => self.window.passes(text, &self.tags.opening),
        };
        if passes {
            self.place = Place::Answer;
            self.answered = true;
        }
        passes
    }

    /// More text.
    pub(crate) fn push(&mut self, text: &str) {
        self.ended = false;
        self.window.push(text);
    }

    /// The text ends here, or is interrupted: what is held is settled.
    pub(crate) fn end(&mut self) {
        self.ended = true;
        self.window.end();
    }

    /// The next settled piece, or `None` until more text comes.
    pub(crate) fn take(&mut self) -> Option<Settled> {
        loop {
            if self.place == Place::Answer && !self.anywhere {
                let text = self.window.take_all();
                return (!text.is_empty()).then_some(Settled::Answer(text));
            }
            let Some(piece) = self.window.take(self.tags.sought(self.place)) else {
                return if self.ended { self.give_blank() } else { None };
            };
            let settled = match (piece, self.place) {
                (Piece::Match(pair), Place::Start | Place::Answer) => {
                    self.blank.clear();
                    self.place = Place::Inside(pair);
                    self.trims = true;
                    None
                }
                (Piece::Match(_), Place::Inside(_)) => {
                    self.place = if self.answered { Place::Answer } else { Place::Start };
                    self.trims = !self.answered;
                    None
                }
                (Piece::Text(text), Place::Inside(_)) => self.trimmed(text).map(Settled::Thought),
                (Piece::Text(text), Place::Start) => self.begin(&text),
                (Piece::Text(text), Place::Answer) => Some(Settled::Answer(text)),
            };
            if settled.is_some() {
                return settled;
            }
        }
    }

    /// Text before the answer: white space waits for what follows it.
    fn begin(&mut self, text: &str) -> Option<Settled> {
        let text = if self.blank.is_empty() { self.trimmed(text.to_owned())? } else { text.into() };
        self.blank.push_str(&text);
        // A beginning this blank is meant to be seen, whatever follows. The bound counts the
        // white space alone, so that it does not depend on where the text was cut.
        let blank = self.blank.len() - self.blank.trim_start().len();
        if blank == self.blank.len() && blank <= BLANK_BYTES_MAX { None } else { self.give_blank() }
    }

    fn give_blank(&mut self) -> Option<Settled> {
        if self.blank.is_empty() {
            return None;
        }
        self.place = Place::Answer;
        self.answered = true;
        self.trims = false;
        Some(Settled::Answer(std::mem::take(&mut self.blank)))
    }

    /// Without the line breaks at its start, while those are dropped.
    fn trimmed(&mut self, text: String) -> Option<String> {
        if !self.trims {
            return Some(text);
        }
        let rest = text.trim_start_matches(['\r', '\n']);
        self.trims = rest.is_empty();
        (!rest.is_empty()).then(|| rest.to_owned())
    }
}

/// How much white space may stand before a block.
const BLANK_BYTES_MAX: usize = 64;
