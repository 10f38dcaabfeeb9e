//! Finds where the JSON begins: behind a fence, prose, thoughts, comments. Until then everything is
//! held as it came; if no JSON begins, it goes out unchanged.

use super::look::{Ahead, Look, is_quote, is_space};
use super::{Frame, Healer, State, Step};

/// What was seen before the JSON.
#[derive(Debug, Default)]
pub(super) struct Seek {
    /// Something else than a fence or white space, so that brackets may be prose.
    has_prose: bool,
    /// Something else than white space, so that the white space goes.
    has_text: bool,
    /// The tag that ends the model's thoughts.
    thoughts: Option<&'static str>,
    /// An object that is not the answer, with its brackets that are open and whether in a string.
    other: Option<(u32, bool, bool)>,
}

impl Seek {
    /// Behind other text.
    pub(super) fn behind() -> Self {
        Self { has_prose: true, has_text: true, ..Self::default() }
    }
}

const THOUGHTS: [(&str, &str); 3] =
    [("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<reasoning>", "</reasoning>")];

impl Healer {
    pub(super) fn step_seek(&mut self) -> Step {
        if let Some(tag) = self.seek.thoughts {
            return self.skip_thoughts(tag);
        }
        if self.seek.other.is_some() {
            return self.skip_other();
        }
        let character = self.next()?;
        if is_space(character) {
            self.seek_space(character);
            return Some(());
        }
        let found = match character {
            '{' => self.seek_object()?,
            '[' => self.seek_array()?,
            '`' | '~' => return self.skip_fence(character),
            quote if is_quote(quote) && !self.seek.has_prose => self.seek_quote()?,
            '<' if !self.seek.has_text => return self.seek_thoughts(),
            _ => false,
        };
        if !found && self.state == State::Seek {
            self.seek.has_prose = true;
            self.pass(character.len_utf8());
        }
        Some(())
    }

    /// Leaves out what is not the JSON.
    fn pass(&mut self, bytes: usize) {
        self.seek.has_text = true;
        self.held.clear();
        self.skip(bytes);
    }

    fn seek_space(&mut self, character: char) {
        let is_json = matches!(character, ' ' | '\t' | '\n' | '\r');
        if is_json && !self.seek.has_text {
            self.keep(character.len_utf8());
        } else {
            self.skip(character.len_utf8());
        }
    }

    fn begin(&mut self, state: State) {
        self.settle();
        self.state = state;
    }

    /// Whether an object begins here.
    fn seek_object(&mut self) -> Option<bool> {
        let inside = self.ahead().after_first().trimmed();
        let has_prose = self.seek.has_prose;
        let looks = match inside.first() {
            None if has_prose => inside.at_end(Look::No),
            None => inside.at_end(Look::Yes),
            Some('}' | ',' | '/' | '#') if !has_prose => Look::Yes,
            Some('\\') => {
                let escaped = inside.after_first().first();
                return self.seek_escaped(escaped);
            }
            Some(_) if has_prose => either(inside.is_member(), inside.is_bare_member()),
            Some(quote) if is_quote(quote) => Look::Yes,
            Some(_) => either(inside.is_bare_key(), inside.begins("...")),
        };
        match self.is_answer(inside, looks) {
            Look::More => None,
            Look::No if looks == Look::Yes => {
                self.seek.other = Some((0, false, false));
                Some(true)
            }
            Look::No => Some(false),
            Look::Yes => {
                self.keep(1);
                self.stack.push(Frame::Object);
                self.begin(State::Key);
                Some(true)
            }
        }
    }

    /// After prose an object with a key that the answer can't have is an example.
    fn is_answer(&self, inside: Ahead<'_>, looks: Look) -> Look {
        let (Look::Yes, true, Some(keys)) = (looks, self.seek.has_prose, &self.expected.keys)
        else {
            return looks;
        };
        let text = inside.text().trim_start_matches(is_quote);
        let end = text.find(|character| is_quote(character) || character == ':');
        let key = end.and_then(|end| text.get(..end)).unwrap_or(text);
        if keys.contains(key.trim()) { Look::Yes } else { Look::No }
    }

    /// `{\"a\": …` or `{\n  \"a\": …`, with the backslashes written out.
    fn seek_escaped(&mut self, escaped: Option<char>) -> Option<bool> {
        match escaped {
            None if !self.is_last => None,
            Some('"' | 'n' | 't' | 'r') => {
                self.begin_escaped(false);
                self.is_changed = true;
                Some(true)
            }
            _ => Some(false),
        }
    }

    /// Whether an array begins here. After prose only one of objects, strings or arrays.
    fn seek_array(&mut self) -> Option<bool> {
        if self.seek.has_prose && self.expected.is_object {
            return Some(false);
        }
        let inside = self.ahead().after_first().trimmed();
        let looks = match inside.first() {
            None if self.seek.has_prose => inside.at_end(Look::No),
            None => inside.at_end(Look::Yes),
            Some('{' | '[' | '"') => Look::Yes,
            Some(_) if self.seek.has_prose => Look::No,
            Some(']' | '\'' | '“' | '-' | '0'..='9') => Look::Yes,
            Some(_) => inside.is_literal(),
        };
        match looks {
            Look::More => None,
            Look::No => Some(false),
            Look::Yes => {
                self.keep(1);
                self.stack.push(Frame::Array);
                self.begin(State::Item);
                Some(true)
            }
        }
    }

    /// A string that holds JSON, or the first key of an object without its brace.
    fn seek_quote(&mut self) -> Option<bool> {
        match self.ahead().is_member() {
            Look::More => return None,
            Look::No => {}
            Look::Yes => {
                self.put("{");
                self.stack.push(Frame::Object);
                self.begin(State::Key);
                return Some(true);
            }
        }
        let mut inside = self.ahead().after_first();
        while matches!(inside.begins("\\n"), Look::Yes) || inside.first().is_some_and(is_space) {
            inside = inside.after(if inside.first() == Some('\\') { 2 } else { 1 });
        }
        match inside.first() {
            None if inside.at_end(Look::No) == Look::More => None,
            Some('\\') if inside.after_first().first().is_none() && !self.is_last => None,
            Some('{' | '[') if !self.expected.is_text && self.next() == Some('"') => {
                self.pass(1);
                self.begin_escaped(true);
                Some(true)
            }
            _ => Some(false),
        }
    }

    /// Fences and single backticks; a fence's language goes with it.
    fn skip_fence(&mut self, mark: char) -> Step {
        let fence: String = std::iter::repeat_n(mark, 3).collect();
        match self.ahead().begins(&fence) {
            Look::More => return None,
            Look::No => {
                self.seek.has_prose |= mark == '~';
                self.pass(1);
                return Some(());
            }
            Look::Yes => {}
        }
        let line = self.ahead().after(3);
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-' | '.');
        let word = line.text().trim_start_matches(is_word);
        if word.is_empty() && !self.is_last {
            return None;
        }
        let length = line.text().len().saturating_sub(word.len());
        self.pass(length.saturating_add(3));
        self.seek.has_prose = false;
        Some(())
    }

    fn seek_thoughts(&mut self) -> Step {
        for (open, close) in THOUGHTS {
            match self.ahead().begins(open) {
                Look::More => return None,
                Look::No => {}
                Look::Yes => {
                    self.pass(open.len());
                    self.seek.thoughts = Some(close);
                    return Some(());
                }
            }
        }
        self.seek.has_prose = true;
        self.pass(1);
        Some(())
    }

    fn skip_thoughts(&mut self, tag: &'static str) -> Step {
        match self.rest().find(tag) {
            Some(at) => {
                self.pass(at.saturating_add(tag.len()));
                self.seek = Seek { has_text: true, ..Seek::default() };
                Some(())
            }
            None => {
                let rest = self.rest();
                let kept = (0..tag.len())
                    .rev()
                    .find(|length| tag.get(..*length).is_some_and(|begin| rest.ends_with(begin)));
                let length = rest.len().saturating_sub(kept.unwrap_or(0));
                self.pass(length);
                None
            }
        }
    }

    /// Goes over an object that is not the answer, to its last bracket.
    fn skip_other(&mut self) -> Step {
        let (mut depth, mut is_text, mut is_escaped) = self.seek.other?;
        let character = self.next()?;
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_text => is_escaped = true,
            '"' => is_text = !is_text,
            '{' | '[' if !is_text => depth = depth.saturating_add(1),
            '}' | ']' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        self.pass(character.len_utf8());
        self.seek.has_prose = true;
        self.seek.other = (depth > 0).then_some((depth, is_text, is_escaped));
        Some(())
    }

    pub(super) fn ahead(&self) -> Ahead<'_> {
        Ahead::new(self.rest(), self.is_last)
    }
}

fn either(one: Look, other: Look) -> Look {
    match (one, other) {
        (Look::Yes, _) | (_, Look::Yes) => Look::Yes,
        (Look::More, _) | (_, Look::More) => Look::More,
        (Look::No, Look::No) => Look::No,
    }
}
