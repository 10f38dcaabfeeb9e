//! A place in a text, of which more may come: what every recogniser looks at. What it answers must
//! follow from the text alone, not from where it was cut: where the text ends before the answer is
//! certain, the answer is [`Seen::Open`].

/// What begins at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen<T> {
    No,
    /// The text ends inside what may be one.
    Open,
    /// It ends before this byte.
    Match(usize, T),
}

/// A place in a text.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
    /// No more text comes.
    pub(crate) complete: bool,
}

impl<'a> Look<'a> {
    /// The byte at an absolute place.
    pub(crate) fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The character at an absolute place.
    pub(crate) fn character(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    /// The text from here to an absolute place.
    pub(crate) fn until(&self, end: usize) -> &'a str {
        self.text.get(self.at..end).unwrap_or_default()
    }

    /// The rest of the text, from an absolute place.
    pub(crate) fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    /// The last bytes before here, at most so many.
    pub(crate) fn back(&self, bytes: usize) -> &'a str {
        let from = self.text.ceil_char_boundary(self.at.saturating_sub(bytes));
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// The answer where the text ends too early.
    pub(crate) fn cut<T>(&self) -> Seen<T> {
        if self.complete { Seen::No } else { Seen::Open }
    }
}
