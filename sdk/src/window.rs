//! Finding words in a text that comes in pieces: the way to look for anything that may span two
//! deltas. What could be the beginning of a word is kept back, nothing else: at most one byte less
//! than the longest word, however long the reply. So a reader waits for no more than that, and the
//! host's limit of held bytes is never near. The outcome does not depend on where the text was
//! cut.
//!
//! The words are the bound: words from options need a `maxLength` in the plugin's schema.

#[cfg(test)]
mod tests;

/// Words to look for. Where several begin at the same place the longest one counts.
#[derive(Debug, Clone)]
pub struct Patterns {
    words: Vec<String>,
    /// Which bytes a word begins with, so that most text is skipped at one look per byte.
    first: [bool; 256],
}

impl Patterns {
    /// Keeps the order: [`Piece::Match`] counts by it. An empty word never matches.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let words: Vec<String> = words.into_iter().map(Into::into).collect();
        let mut first = [false; 256];
        for byte in words.iter().filter_map(|word| word.bytes().next()) {
            if let Some(flag) = first.get_mut(usize::from(byte)) {
                *flag = true;
            }
        }
        Self { words, first }
    }

    /// Whether `text` begins with a word, or with what may become one.
    pub fn may_begin(&self, text: &str) -> bool {
        text.is_empty() || !matches!(self.at(text, false), Found::Nothing)
    }

    /// The first place where a word stands, or may stand unless the text is `complete`.
    fn seek(&self, text: &str, complete: bool) -> (usize, Found) {
        for (at, byte) in text.bytes().enumerate() {
            if !self.first.get(usize::from(byte)).is_some_and(|first| *first) {
                continue;
            }
            // A word begins with a character's first byte, so `at` is never inside a character.
            let found = text.get(at..).map_or(Found::Nothing, |rest| self.at(rest, complete));
            if !matches!(found, Found::Nothing) {
                return (at, found);
            }
        }
        (text.len(), Found::Nothing)
    }

    /// What stands at the start of `rest`.
    fn at(&self, rest: &str, complete: bool) -> Found {
        let mut longest = None;
        for (index, word) in self.words.iter().enumerate().filter(|(_, word)| !word.is_empty()) {
            if rest.starts_with(word.as_str()) {
                if longest.is_none_or(|(_, length)| word.len() > length) {
                    longest = Some((index, word.len()));
                }
            } else if !complete && word.starts_with(rest) {
                // It may yet become this longer word: nothing shorter is settled.
                return Found::Open;
            }
        }
        longest.map_or(Found::Nothing, |(index, length)| Found::Word { index, length })
    }
}

enum Found {
    Nothing,
    /// The text ends inside what may be a word.
    Open,
    Word {
        index: usize,
        length: usize,
    },
}

/// What [`Window::take`] finds next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text without any of the words.
    Text(String),
    /// The word with this index. Its text is gone.
    Match(usize),
}

/// The text that has come and is not settled. After each [`push`](Self::push), [`take`](Self::take)
/// until it gives `None`: what is left then is shorter than the longest word. [`Edit`](crate::Edit)
/// does the rest of a plugin that changes text.
///
/// ```
/// use patchbay_sdk::{Patterns, Piece, Window};
/// let (patterns, mut window) = (Patterns::new(["cat"]), Window::default());
/// window.push("a c");
/// assert_eq!(window.take(&patterns), Some(Piece::Text("a ".into())));
/// assert_eq!(window.take(&patterns), None);
/// window.push("at");
/// assert_eq!(window.take(&patterns), Some(Piece::Match(0)));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Window {
    text: String,
    /// What lies before it was taken.
    start: usize,
    complete: bool,
}

impl Window {
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// Whether `text` may go through as it is: nothing is kept, it has no word, and none begins
    /// at its end. Allocates nothing.
    pub fn passes(&self, text: &str, patterns: &Patterns) -> bool {
        self.is_empty() && matches!(patterns.seek(text, false).1, Found::Nothing)
    }

    /// More text.
    pub fn push(&mut self, text: &str) {
        self.text.drain(..self.start);
        self.start = 0;
        self.complete = false;
        self.text.push_str(text);
    }

    /// No more text belongs to this: the beginning of a word is text from now on. A later `push`
    /// begins anew, after what was kept has been taken.
    pub fn end(&mut self) {
        self.complete = true;
    }

    /// The next settled piece, or `None` until more comes. Other patterns may be asked each time.
    pub fn take(&mut self, patterns: &Patterns) -> Option<Piece> {
        if self.is_empty() {
            return None;
        }
        let (at, found) = patterns.seek(self.rest(), self.complete);
        match found {
            _ if at > 0 => Some(Piece::Text(self.advance(at))),
            Found::Word { index, length } => {
                self.start += length;
                Some(Piece::Match(index))
            }
            Found::Open | Found::Nothing => None,
        }
    }

    /// Everything that is kept, as text.
    pub fn take_all(&mut self) -> String {
        self.advance(self.rest().len())
    }

    fn rest(&self) -> &str {
        self.text.get(self.start..).unwrap_or_default()
    }

    fn advance(&mut self, length: usize) -> String {
        let taken = self.rest().get(..length).unwrap_or_default().to_owned();
        self.start += taken.len();
        taken
    }
}
