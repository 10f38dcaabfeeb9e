//! Splits one choice's text into thoughts and answer by tags, as it comes.

mod tags;
#[cfg(test)]
mod tests;

pub(crate) use tags::Tags;

use crate::split::Settled;
use patchbay_sdk::{Patterns, Piece, Window};
use std::rc::Rc;
use tags::Mark;

/// Where the text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the answer's first visible character.
    Start,
    /// In a block of this pair.
    Inside(usize),
    Answer,
    /// In an answer that this wrapper stands around.
    Wrapped(usize),
    /// A token of Harmony was met.
    Channels,
}

/// The splitter. Text goes in by `push`; settled pieces come out of `take`.
pub(crate) struct Blocks {
    tags: Rc<Tags>,
    place: Place,
    /// What ends the block or the wrapper that the text is in.
    end: Patterns,
    window: Window,
    /// White space at the start, which a block would make vanish.
    blank: String,
    /// Line breaks are dropped: directly after an opening tag, or after a block at the start.
    trims: bool,
    /// Whether there was a block.
    has_thought: bool,
    /// Whether anything of the answer was given out.
    answered: bool,
    /// A wrapper's closing tag and the white space after it: nothing, if the answer ends there.
    tail: Tail,
    /// The token of Harmony that was met.
    channels: Option<&'static str>,
    ended: bool,
}

#[derive(Default)]
struct Tail {
    text: String,
    /// How much of it is the tag.
    tag_bytes: usize,
}

impl Blocks {
    /// At the beginning of a reply; `opened` says that it begins inside the first pair's block.
    pub(crate) fn new(tags: Rc<Tags>, opened: bool) -> Self {
        let end = if opened { tags.block_end(0) } else { nothing() };
        Self {
            tags,
            end,
            place: if opened { Place::Inside(0) } else { Place::Start },
            window: Window::default(),
            blank: String::new(),
            trims: opened,
            has_thought: opened,
            answered: false,
            tail: Tail::default(),
            channels: None,
            ended: false,
        }
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.window.is_empty() && self.blank.is_empty() && self.tail.text.is_empty()
    }

    /// Whether `text` is answer as it stands. Takes note that the answer has begun.
    pub(crate) fn passes(&mut self, text: &str) -> bool {
        if !self.is_empty() {
            return false;
        }
        let passes = match self.place {
            Place::Inside(_) | Place::Channels => false,
            Place::Start if self.trims || text.trim_start().is_empty() => false,
            Place::Start if !self.tags.anywhere => !self.tags.start.may_begin(text.trim_start()),
            Place::Start => self.window.passes(text, &self.tags.start),
            Place::Wrapped(_) => !self.trims && self.window.passes(text, &self.end),
            Place::Answer if !self.tags.anywhere => true,
            Place::Answer => self.window.passes(text, &self.tags.opening),
        };
        if passes && self.place == Place::Start {
            self.place = Place::Answer;
        }
        self.answered |= passes;
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

    /// Whether the text turned out to be Harmony: what is left of it, from the token on, and
    /// whether it has ended.
    pub(crate) fn take_channels(&mut self) -> Option<(String, bool)> {
        let token = self.channels.take()?;
        Some((format!("{token}{}", self.window.take_all()), self.ended))
    }

    /// The next settled piece, or `None` until more text comes.
    pub(crate) fn take(&mut self) -> Option<Settled> {
        loop {
            if self.place == Place::Channels {
                return None;
            }
            if self.place == Place::Answer && !self.tags.anywhere {
                let text = self.window.take_all();
                return (!text.is_empty()).then_some(Settled::Answer(text));
            }
            let sought = match self.place {
                Place::Inside(_) | Place::Wrapped(_) => &self.end,
                Place::Start => &self.tags.start,
                Place::Answer | Place::Channels => &self.tags.opening,
            };
            let Some(piece) = self.window.take(sought) else {
                return if self.ended { self.give_rest() } else { None };
            };
            let settled = match piece {
                Piece::Match(index) => self.meet(index),
                Piece::Text(text) => self.text(text),
            };
            if settled.is_some() {
                return settled;
            }
        }
    }

    /// A mark was found.
    fn meet(&mut self, index: usize) -> Option<Settled> {
        match self.place {
            Place::Inside(_) => self.leave(),
            Place::Wrapped(wrapper) => {
                self.trims = false;
                let tag = self.tags.wrapper_ends(wrapper).into_iter().nth(index);
                let tail = Tail::of(tag.unwrap_or_default());
                let before = std::mem::replace(&mut self.tail, tail).text;
                return (!before.is_empty()).then_some(Settled::Answer(before));
            }
            Place::Answer => self.enter(index),
            Place::Start | Place::Channels => return self.meet_at_start(index),
        }
        None
    }

    fn meet_at_start(&mut self, index: usize) -> Option<Settled> {
        match self.tags.mark(index) {
            Mark::Opening(pair) => self.enter(pair),
            Mark::Closing => {
                self.blank.clear();
                self.has_thought = true;
                self.trims = true;
            }
            Mark::Wrapper(wrapper) => {
                let tag = self.tags.wrapper(wrapper);
                // The client may have asked for such a tag; for a token it can't.
                if !self.has_thought && !tag.starts_with("<|") {
                    self.blank.push_str(tag);
                    return self.give_rest();
                }
                self.blank.clear();
                self.end = Patterns::new(self.tags.wrapper_ends(wrapper));
                self.place = Place::Wrapped(wrapper);
                self.trims = true;
            }
            Mark::Channels(token) => {
                self.blank.clear();
                self.place = Place::Channels;
                self.channels = Some(token);
            }
        }
        None
    }

    fn enter(&mut self, pair: usize) {
        self.has_thought = true;
        self.blank.clear();
        self.end = self.tags.block_end(pair);
        self.place = Place::Inside(pair);
        self.trims = true;
    }

    fn leave(&mut self) {
        self.place = if self.answered { Place::Answer } else { Place::Start };
        self.trims = !self.answered;
    }

    fn text(&mut self, text: String) -> Option<Settled> {
        match self.place {
            Place::Inside(_) => self.trimmed(text).map(Settled::Thought),
            Place::Start => self.begin(&text),
            Place::Wrapped(_) => self.wrapped(text),
            Place::Answer | Place::Channels => Some(Settled::Answer(text)),
        }
    }

    /// Text before the answer: white space waits for what follows it.
    fn begin(&mut self, text: &str) -> Option<Settled> {
        let text = if self.blank.is_empty() { self.trimmed(text.to_owned())? } else { text.into() };
        self.blank.push_str(&text);
        if is_blank(&self.blank) { None } else { self.give_rest() }
    }

    /// Text of a wrapped answer, or behind it.
    fn wrapped(&mut self, text: String) -> Option<Settled> {
        if self.tail.text.is_empty() {
            let text = self.trimmed(text)?;
            self.answered = true;
            return Some(Settled::Answer(text));
        }
        self.tail.text.push_str(&text);
        let behind = self.tail.text.get(self.tail.tag_bytes..).unwrap_or_default();
        // The answer goes on: the tag was part of it.
        (!is_blank(behind)).then(|| Settled::Answer(std::mem::take(&mut self.tail).text))
    }

    /// What is held and is no mark.
    fn give_rest(&mut self) -> Option<Settled> {
        self.tail = Tail::default();
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

impl Tail {
    fn of(tag: String) -> Self {
        Self { tag_bytes: tag.len(), text: tag }
    }
}

fn nothing() -> Patterns {
    Patterns::new([""; 0])
}

/// Whether `text` is white space that may wait for what follows it. Too much of it is meant to be
/// seen. The bound counts the white space alone, so that it does not depend on where the text was
/// cut.
fn is_blank(text: &str) -> bool {
    text.len() <= BLANK_BYTES_MAX && text.trim_start().is_empty()
}

/// How much white space may stand before a block.
const BLANK_BYTES_MAX: usize = 64;
