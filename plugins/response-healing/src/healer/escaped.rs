//! JSON inside a JSON string: takes one level of escapes off, character by character.

use super::Healer;

/// Where the reading of an escaped text is.
#[derive(Debug)]
pub(super) struct Escaped {
    /// A quote opened the text, so a bare quote closes it.
    is_quoted: bool,
    /// The last character was a backslash that escapes the next.
    is_open: bool,
    is_over: bool,
}

impl Escaped {
    pub(super) fn new(is_quoted: bool) -> Self {
        Self { is_quoted, is_open: false, is_over: false }
    }

    fn decode(&mut self, character: char, out: &mut String) {
        if self.is_over {
            return out.push(character);
        }
        if !std::mem::take(&mut self.is_open) {
            match character {
                '\\' => self.is_open = true,
                '"' if self.is_quoted => self.is_over = true,
                other => out.push(other),
            }
            return;
        }
        match character {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '"' | '\\' | '/' => out.push(character),
            // A number of a character means the same one level deeper, in a string at least, and
            // elsewhere it stands for nothing that JSON needs.
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
}

impl Healer {
    /// Adds text to the input, without its escapes where the whole text is escaped.
    pub(super) fn feed(&mut self, text: &str) {
        match &mut self.escaped {
            None => self.input.push_str(text),
            Some(escaped) => {
                for character in text.chars() {
                    escaped.decode(character, &mut self.input);
                }
            }
        }
    }

    /// From here on the text is escaped once.
    pub(super) fn begin_escaped(&mut self, is_quoted: bool) {
        let rest = self.input.split_off(self.at);
        self.escaped = Some(Escaped::new(is_quoted));
        self.feed(&rest);
    }
}
