//! Backslashes in strings. Those that JSON knows stay; what follows the others tells what is meant.

use super::super::{Healer, Step};

impl Healer {
    /// A backslash and what it escapes.
    pub(super) fn escape(&mut self) -> Step {
        let Some(escaped) = self.ahead().after_first().first() else {
            // At the end of the text half an escape is left out.
            return None;
        };
        match escaped {
            'b' | 'f' | 'n' | 'r' | 't' => {
                // `C:\Users\new`: the backslash before `n` is no more an escape than the other.
                if self.text.has_bad_escape {
                    return self.refuse();
                }
                self.text.has_letter_escape = true;
                self.keep(2);
            }
            '"' | '\\' | '/' => self.keep(2),
            '\'' => {
                self.skip(2);
                self.put("'");
            }
            'u' => return self.escape_number(),
            'x' => return self.escape_byte(),
            // A continued line: JavaScript joins it, others do not.
            '\n' | '\r' => return self.refuse(),
            _ => return self.bad_escape(),
        }
        self.content(escaped)
    }

    /// `\u` and four digits; a pair of them stays together. Half of it waits, and at the end of the
    /// text nothing comes of it.
    fn escape_number(&mut self) -> Step {
        let rest = self.rest();
        let Some(first) = unit(rest) else {
            return if rest.len() < 6 && is_begun(rest) { None } else { self.bad_escape() };
        };
        if !(0xD800..0xDC00).contains(&first) {
            self.keep(6);
            return self.content('u');
        }
        let second = rest.get(6..).unwrap_or_default();
        let is_pair = unit(second).is_some_and(|unit| (0xDC00..0xE000).contains(&unit));
        if !is_pair && second.len() < 6 && (second.is_empty() || is_begun(second)) {
            return None;
        }
        self.keep(if is_pair { 12 } else { 6 });
        self.content('u')
    }

    /// `\xe9`, as Python and JavaScript write it.
    fn escape_byte(&mut self) -> Step {
        let digits = self.rest().get(2..).unwrap_or_default();
        let length = digits.bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
        if length < 2 {
            return if digits.len() == length { None } else { self.bad_escape() };
        }
        let code = digits.get(..2).unwrap_or_default().to_lowercase();
        self.skip(4);
        self.put(&format!("\\u00{code}"));
        self.content('x')
    }

    /// A backslash that escapes nothing is itself meant. That is said of the whole string, so
    /// escapes in it that JSON knows are then dubious.
    fn bad_escape(&mut self) -> Step {
        if self.text.has_letter_escape {
            return self.refuse();
        }
        self.text.has_bad_escape = true;
        self.doubt();
        self.skip(1);
        self.put("\\\\");
        self.content('\\')
    }
}

/// The number of `\uXXXX`.
fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { u32::from_str_radix(digits, 16).ok() } else { None }
}

/// Whether a text may become `\uXXXX`.
fn is_begun(text: &str) -> bool {
    let digits = text.strip_prefix("\\u").unwrap_or_default();
    text == "\\" || text.starts_with("\\u") && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}
