//! What stands ahead. An answer that is given does not change when more text comes; where it could,
//! the answer is [`Look::More`]. How far is looked ahead is bounded.

/// An answer about the text ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Yes,
    No,
    /// It depends on text that has not come.
    More,
}

/// The text ahead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ahead<'a> {
    rest: &'a str,
    is_last: bool,
}

/// How far is looked, in bytes. Keys are shorter, and so is white space between tokens.
const FAR: usize = 512;

impl<'a> Ahead<'a> {
    pub(super) fn new(rest: &'a str, is_last: bool) -> Self {
        Self { rest, is_last }
    }

    /// What the answer is where the text ends: more may come, unless it is over.
    pub(super) fn at_end(self, at_last: Look) -> Look {
        if self.is_last { at_last } else { Look::More }
    }

    pub(super) fn text(self) -> &'a str {
        self.rest
    }

    pub(super) fn first(self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Behind the first character.
    pub(super) fn after_first(self) -> Self {
        let mut characters = self.rest.chars();
        characters.next();
        Self { rest: characters.as_str(), ..self }
    }

    /// Behind this many bytes.
    pub(super) fn after(self, bytes: usize) -> Self {
        Self { rest: self.rest.get(bytes..).unwrap_or_default(), ..self }
    }

    /// Behind white space.
    pub(super) fn trimmed(self) -> Self {
        Self { rest: self.rest.trim_start_matches(is_space), ..self }
    }

    /// Whether it begins with `word`.
    pub(super) fn begins(self, word: &str) -> Look {
        if self.rest.starts_with(word) {
            return Look::Yes;
        }
        if word.starts_with(self.rest) { self.at_end(Look::No) } else { Look::No }
    }

    /// Whether a comment begins here.
    pub(super) fn begins_comment(self) -> Look {
        match self.first() {
            Some('#') => Look::Yes,
            Some('/') => match self.after_first().first() {
                Some('/' | '*') => Look::Yes,
                Some(_) => Look::No,
                None => self.at_end(Look::No),
            },
            Some(_) => Look::No,
            None => self.at_end(Look::No),
        }
    }

    /// Whether a key that looks like one, its colon and the beginning of a value stand here:
    /// `"name": "`. No string of a valid text has that right behind a quote of its own.
    pub(super) fn is_member(self) -> Look {
        let Some(quote) = self.first() else { return self.at_end(Look::No) };
        if !is_quote(quote) {
            return Look::No;
        }
        let key = self.after_first();
        let length = identifier_length(key.rest, true);
        if length > FAR {
            return Look::No;
        }
        let behind = key.after(length);
        match behind.first() {
            None => self.at_end(Look::No),
            Some(_) if length == 0 => Look::No,
            Some(end) if is_closing(quote, end) => behind.after_first().is_colon_and_value(),
            Some(_) => Look::No,
        }
    }

    /// Whether a bare key, its colon and the beginning of a value stand here: `name: "`.
    pub(super) fn is_bare_member(self) -> Look {
        let length = identifier_length(self.rest, false);
        if length > FAR {
            return Look::No;
        }
        let behind = self.after(length);
        match behind.first() {
            None => self.at_end(Look::No),
            Some(_) if length == 0 => Look::No,
            Some(_) => behind.is_colon_and_value(),
        }
    }

    fn is_colon_and_value(self) -> Look {
        let behind = self.trimmed();
        match behind.first() {
            None => self.at_end(Look::No),
            Some(':' | '：') => {
                let value = behind.after_first().trimmed();
                match value.first() {
                    None => self.at_end(Look::No),
                    Some(character) if begins_value(character) => Look::Yes,
                    Some(_) => value.is_literal(),
                }
            }
            Some(_) => Look::No,
        }
    }

    /// Whether a literal stands here, Python's included.
    pub(super) fn is_literal(self) -> Look {
        let length = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let word = self.rest.get(..length).unwrap_or_default();
        if self.rest.len() == length && length <= 9 {
            let is_begun = LITERALS.iter().any(|(name, _)| name.starts_with(word));
            return if is_begun { self.at_end(Look::Yes) } else { Look::No };
        }
        if literal(word).is_some() { Look::Yes } else { Look::No }
    }

    /// Whether a quoted key ends with a colon: what stands behind a comma in every valid object.
    /// What is too long to tell is taken for one.
    pub(super) fn is_quoted_key(self) -> Look {
        let Some(quote) = self.first() else { return self.at_end(Look::Yes) };
        let mut escaped = false;
        let key = self.after_first();
        for (at, character) in key.rest.char_indices() {
            if at > FAR {
                return Look::Yes;
            }
            if std::mem::take(&mut escaped) {
                continue;
            }
            match character {
                '\\' => escaped = true,
                '\n' => return Look::No,
                end if is_closing(quote, end) => {
                    let content = key.rest.get(..at).unwrap_or_default();
                    return key.after(at).after_first().is_colon(content);
                }
                _ => {}
            }
        }
        self.at_end(Look::Yes)
    }

    /// Whether a colon follows; or stood inside already, before the quote of the value: `"name: "`.
    fn is_colon(self, content: &str) -> Look {
        match self.trimmed().first() {
            Some(':' | '：') => Look::Yes,
            Some(_) => match swallowed(content) {
                Some(_) => Look::Yes,
                None => Look::No,
            },
            None => self.at_end(Look::Yes),
        }
    }

    /// Whether a bare key and a colon stand here, perhaps with the quote that should close it.
    pub(super) fn is_bare_key(self) -> Look {
        if self.first() == Some('u') && self.after_first().first().is_some_and(is_quote) {
            return self.after_first().is_quoted_key();
        }
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let length = if digits > 0 { digits } else { identifier_length(self.rest, false) };
        if length > FAR {
            return Look::No;
        }
        let mut behind = self.after(length);
        match behind.first() {
            None => return self.at_end(Look::No),
            Some(_) if length == 0 => return Look::No,
            Some(quote) if is_quote(quote) => behind = behind.after_first(),
            Some(_) => {}
        }
        match behind.trimmed().first() {
            None => self.at_end(Look::No),
            Some(':' | '：') => Look::Yes,
            Some(_) => Look::No,
        }
    }
}

/// The key and what follows its colon in the content of a string that swallowed both: `name: `,
/// `n: 12, `. What follows is nothing yet, or a value that can't be meant as part of a key.
pub(super) fn swallowed(content: &str) -> Option<(&str, &str)> {
    let (before, rest) = content.split_once(':')?;
    let key = before.strip_suffix(is_quote).unwrap_or(before);
    let value = rest.trim_start_matches(is_space);
    let is_key = !key.is_empty() && identifier_length(key, value.is_empty()) == key.len();
    let is_value = value.is_empty()
        || value.starts_with(|c: char| matches!(c, '{' | '[' | '-') || c.is_ascii_digit())
        || Ahead::new(value, true).is_literal() == Look::Yes;
    (is_key && is_value).then_some((key, rest))
}

/// JSON's white space and what models write in its place.
pub(super) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{a0}' | '\u{feff}' | '\u{3000}' | '\u{200b}')
}

/// A character that opens a string.
pub(super) fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\'' | '`' | '“' | '”' | '‘' | '’')
}

/// Whether `end` may close a string that `quote` opened.
pub(super) fn is_closing(quote: char, end: char) -> bool {
    match quote {
        '“' | '”' => matches!(end, '”' | '“' | '"'),
        '‘' | '’' => matches!(end, '’' | '\''),
        same => same == end,
    }
}

/// What a value begins with, words left aside.
pub(super) fn begins_value(character: char) -> bool {
    is_quote(character) || matches!(character, '{' | '[' | '(' | '-' | '+' | '.' | '0'..='9')
}

/// The length of a name: letters, digits, `_`, `$`, `-`, beginning with no digit or dash. In a
/// quoted name single spaces and dots may stand too.
pub(super) fn identifier_length(text: &str, is_quoted: bool) -> usize {
    let is_part = |at: usize, character: char| match character {
        '_' | '$' => true,
        '-' | '.' => at > 0,
        ' ' => at > 0 && is_quoted,
        digit if digit.is_ascii_digit() => at > 0,
        other => other.is_alphanumeric(),
    };
    let end = text.char_indices().find(|(at, character)| !is_part(*at, *character));
    end.map_or(text.len(), |(at, _)| at)
}

/// What a bare word means, if it is a literal of JSON, Python or JavaScript.
pub(super) fn literal(word: &str) -> Option<&'static str> {
    LITERALS.iter().find(|(name, _)| *name == word).map(|(_, json)| *json)
}

/// The literal that a word at the end of a text was to become.
pub(super) fn begun_literal(word: &str) -> Option<&'static str> {
    LITERALS.iter().find(|(name, _)| name.starts_with(word)).map(|(_, json)| *json)
}

const LITERALS: [(&str, &str); 15] = [
    ("true", "true"),
    ("false", "false"),
    ("null", "null"),
    ("True", "true"),
    ("False", "false"),
    ("None", "null"),
    ("TRUE", "true"),
    ("FALSE", "false"),
    ("NULL", "null"),
    ("Null", "null"),
    ("NaN", "null"),
    ("nan", "null"),
    ("Infinity", "null"),
    ("inf", "null"),
    ("undefined", "null"),
];
