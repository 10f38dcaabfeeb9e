//! The text of one stream that has come and is not settled, with a little of what lies before it.

use crate::edge::BACK;
use crate::look::{Look, Seen};

/// What [`Tape::take`] finds next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<T> {
    /// Text in which nothing begins.
    Text(String),
    /// What was found, and as what.
    Match(String, T),
}

/// Unsettled text. After each `push`, `take` until it gives `None`.
#[derive(Default)]
pub(crate) struct Tape {
    text: String,
    /// What lies before it is settled.
    start: usize,
    complete: bool,
}

impl Tape {
    /// More text.
    pub(crate) fn push(&mut self, more: &str) {
        if self.complete {
            // What follows an end is a text of its own.
            self.text.drain(..self.start);
            self.start = 0;
            self.complete = false;
        }
        let past = self.text.floor_char_boundary(self.start.saturating_sub(BACK));
        self.text.drain(..past);
        self.start -= past;
        self.text.push_str(more);
    }

    /// The text ends here: what may have become something is settled.
    pub(crate) fn end(&mut self) {
        self.complete = true;
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.text.len()
    }

    /// The next settled piece.
    pub(crate) fn take<T>(&mut self, seek: impl Fn(Look<'_>) -> Seen<T>) -> Option<Piece<T>> {
        if self.is_empty() {
            return None;
        }
        let (at, seen) = first(&self.text, self.start, self.complete, seek);
        if at > self.start {
            return Some(Piece::Text(self.advance(at)));
        }
        match seen {
            Seen::Match(end, what) => Some(Piece::Match(self.advance(end), what)),
            Seen::No | Seen::Open => None,
        }
    }

    fn advance(&mut self, end: usize) -> String {
        let taken = self.text.get(self.start..end).unwrap_or_default().to_owned();
        self.start = end;
        taken
    }
}

/// The first place from `from` on where something begins, or may begin. Nothing begins at a space
/// or inside a word, so most places are passed at one look.
pub(crate) fn first<T>(
    text: &str,
    from: usize,
    complete: bool,
    seek: impl Fn(Look<'_>) -> Seen<T>,
) -> (usize, Seen<T>) {
    let bytes = text.as_bytes();
    // An escape is the exception: a word begins after its letters. There may be one before.
    let mut escape = from;
    let mut in_word = false;
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        let is_word = byte.is_ascii_alphanumeric();
        let is_inside = is_word && in_word && at - escape > ESCAPE_BYTES;
        in_word = is_word;
        if matches!(byte, b'\\' | b'%') {
            escape = at;
        }
        if is_inside || *byte == b' ' || !text.is_char_boundary(at) {
            continue;
        }
        let seen = seek(Look { text, at, complete });
        if !matches!(seen, Seen::No) {
            return (at, seen);
        }
    }
    (text.len(), Seen::No)
}

/// The length of `\u003c`.
const ESCAPE_BYTES: usize = 6;
