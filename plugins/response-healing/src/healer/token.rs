//! Numbers and bare words. They are held until they are over, since only then their meaning is
//! known: `tru` or `true`, `12` or `12%`.

use super::look::{Look, begun_literal, is_quote, is_space, literal};
use super::number::{is_begun, number};
use super::{Frame, Healer, Last, State, Step};

impl Healer {
    pub(super) fn step_number(&mut self) -> Step {
        let Some(character) = self.next() else {
            return if self.is_last { self.last_number() } else { None };
        };
        let is_part =
            character.is_alphanumeric() || matches!(character, '-' | '+' | '.' | '_' | ':');
        if is_part {
            return self.lengthen(character);
        }
        match character {
            ',' if self.stack.last() == Some(&Frame::Object) => {
                // In an object no member begins with a digit right behind the comma.
                match self.ahead().after_first().first() {
                    None if !self.is_last => None,
                    Some('0'..='9') => self.lengthen(','),
                    _ => self.end_number(),
                }
            }
            ',' | '，' | '}' | ']' | ')' | '#' => self.end_number(),
            space if is_space(space) => self.end_number(),
            '/' => match self.ahead().begins_comment() {
                Look::More => None,
                Look::No => self.refuse(),
                Look::Yes => self.end_number(),
            },
            _ => self.refuse(),
        }
    }

    fn lengthen(&mut self, character: char) -> Step {
        self.token.push(character);
        let end = self.at.saturating_add(character.len_utf8());
        self.raw.push(character);
        self.at = end;
        if self.token.len() > TOKEN_MAX { self.refuse() } else { Some(()) }
    }

    fn end_number(&mut self) -> Step {
        let token = std::mem::take(&mut self.token);
        let Some(written) = number(&token) else { return self.refuse() };
        // `007` is seven where a schema wants a number; else it may be text.
        let is_padded = token.trim_start_matches(['+', '-']).starts_with('0') && token != written;
        if is_padded && !self.expected.is_checked && !is_based(&token) {
            return self.refuse();
        }
        // `[1,000` and `[1 000` may be thousands, and `[1, 000` too.
        let is_group = token.len() == 3 && token.bytes().all(|byte| byte.is_ascii_digit());
        let is_list = self.stack.last().is_some_and(|frame| frame.is_list());
        let may_belong = is_list && is_group && self.last == Last::Number;
        let is_apart = self.joined == Some(true) || (self.joined.is_none() && token == written);
        if may_belong && !is_apart {
            return self.refuse();
        }
        self.is_changed |= token != written;
        self.held.push_str(&written);
        self.end_value(Last::Number)
    }

    /// A number at the end of the text: whole, unless the model was cut off.
    fn last_number(&mut self) -> Step {
        if self.is_cut || is_begun(&self.token) && number(&self.token).is_none() {
            // `complete` leaves it out with its key.
            return None;
        }
        self.end_number()
    }

    pub(super) fn step_word(&mut self) -> Step {
        let Some(character) = self.next() else {
            return if self.is_last { self.last_word() } else { None };
        };
        match character {
            ',' | '，' | '}' | ']' | ')' | '\n' | '\r' => self.end_word(),
            quote if is_quote(quote) && matches!(self.token.as_str(), "u" | "b" | "r") => {
                self.token.clear();
                self.is_changed = true;
                self.state = State::Value;
                Some(())
            }
            '"' => self.quoted_word(),
            '/' | '#' if self.token.ends_with(' ') => match self.ahead().begins_comment() {
                Look::More => None,
                Look::No => self.refuse(),
                Look::Yes => self.end_word(),
            },
            part if part.is_alphanumeric()
                || matches!(part, ' ' | '\t' | '_' | '-' | '.' | '\'') =>
            {
                // Behind a literal comes no second word: it is the next key, without its comma.
                let is_over = part != ' ' && self.token.ends_with([' ', '\t']);
                if is_over && literal(self.token.trim_end()).is_some() {
                    return self.end_word();
                }
                self.lengthen(part)
            }
            _ if literal(self.token.trim_end()).is_some() => self.end_word(),
            _ => self.refuse(),
        }
    }

    /// A word with a quote behind it: the first quote is missing, or the comma behind a literal.
    fn quoted_word(&mut self) -> Step {
        if literal(self.token.trim_end()).is_some() && self.token.ends_with([' ', '\t']) {
            return self.end_word();
        }
        if self.last == Last::Word {
            // `[one, two"]`: two words, or one text without its first quote.
            return self.refuse();
        }
        match self.ahead().after_first().trimmed().first() {
            None if !self.is_last => return None,
            None | Some(',' | '}' | ']') => {}
            Some(_) => return self.refuse(),
        }
        let token = std::mem::take(&mut self.token);
        self.skip(1);
        self.put(&format!("\"{token}\""));
        self.end_value(Last::Text)
    }

    fn end_word(&mut self) -> Step {
        let token = std::mem::take(&mut self.token);
        let word = token.trim_end();
        let space = token.get(word.len()..).unwrap_or_default();
        match literal(word) {
            Some(json) => {
                self.is_changed |= json != word;
                self.held.push_str(json);
                self.held.push_str(space);
            }
            // Whether a truth value or a text is meant is open.
            None if AMBIGUOUS.contains(&word.to_lowercase().as_str()) => {
                return self.refuse();
            }
            None => self.put(&format!("\"{word}\"{space}")),
        }
        self.end_value(Last::Word)?;
        self.joined = (!space.is_empty()).then_some(false);
        Some(())
    }

    /// A word at the end of the text: the literal that it began, or a text.
    fn last_word(&mut self) -> Step {
        let word = self.token.trim_end();
        if let Some(json) = begun_literal(word) {
            self.is_changed |= json != word;
            self.held.push_str(json);
            self.token.clear();
            return self.end_value(Last::Word);
        }
        if self.is_cut { None } else { self.end_word() }
    }

    fn end_value(&mut self, last: Last) -> Step {
        self.settle();
        self.last = last;
        self.joined = None;
        self.state = State::After;
        Some(())
    }
}

/// Whether zeros in front are part of the notation: `0x1F`, `0.`.
fn is_based(token: &str) -> bool {
    let rest = token.trim_start_matches(['+', '-']).get(1..).unwrap_or_default();
    !rest.starts_with(|next: char| next.is_ascii_digit())
}

/// Longer numbers and words, in bytes, are none.
const TOKEN_MAX: usize = 1 << 10;

const AMBIGUOUS: [&str; 9] = ["yes", "no", "on", "off", "nil", "na", "t", "f", "y"];
