//! Where a word begins. What stands before it may be an escape: in JSON and in source code the `n`
//! of `\njohn@example.com` is no letter of the address, in a link `%20` is a space.
//!
//! All questions look back at most [`BACK`] bytes, so that a stream has to remember no more.

/// How far back anything looks.
pub(crate) const BACK: usize = 48;

/// Whether a word may begin at `at`: no ASCII letter or digit of the same word stands before it.
pub(crate) fn is_free(text: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|at| text.get(at)) else { return true };
    if *before == b'\\' {
        return !is_escape(text, at);
    }
    if !before.is_ascii_alphanumeric() {
        return true;
    }
    let follows_escape = *before != b'u' && is_escape(text, at - 1);
    follows_escape || before.is_ascii_hexdigit() && ends_code(text, at)
}

/// Whether the byte at `at` is the letter of an escape such as `\n`.
pub(crate) fn is_escape(text: &[u8], at: usize) -> bool {
    let is_letter = text.get(at).is_some_and(|byte| b"nrtbfu".contains(byte));
    is_letter && is_escaped(text, at)
}

/// Whether an odd number of backslashes stands before `at`.
fn is_escaped(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(BACKSLASHES)..at).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Whether the text before `at` ends with `\u003c` or `%20`.
fn ends_code(text: &[u8], at: usize) -> bool {
    let is_code = |mark: u8, length: usize| {
        let code = at.checked_sub(length).and_then(|from| text.get(from..at));
        code.and_then(<[u8]>::split_first).is_some_and(|(first, digits)| {
            *first == mark && digits.iter().all(u8::is_ascii_hexdigit)
        })
    };
    is_code(b'%', 3) || is_code(b'u', 5) && is_escaped(text, at - 5)
}

const BACKSLASHES: usize = 16;

#[cfg(test)]
mod tests {
    use super::is_free;

    #[test]
    fn a_word_begins_after_what_is_no_letter_and_after_an_escape() {
        let begins = ["", " ", "-", "(", "ü", "\\n", "\\\\\\t", "a\\u003c", "%20", "\\\\"];
        for before in begins {
            assert!(is_free(format!("{before}x").as_bytes(), before.len()), "{before}");
        }
        for before in ["a", "9", "\\\\n", "u003c", "n", "\\x41", "\\u", "\\u0"] {
            assert!(!is_free(format!("{before}x").as_bytes(), before.len()), "{before}");
        }
        assert!(!is_free(br"\nx", 1), "the escape's own letter");
    }
}
