//! Strings. A sound string goes out as it comes; behind a quote, a bracket or a comma it waits for
//! what follows, since that tells whether the string ends there. From a dubious spot on the string
//! is held to its end: only then it is known whether the repair holds.

mod close;
mod escapes;

use super::look::{Look, is_closing, is_quote, swallowed};
use super::{Healer, Last, State, Step};
use close::Closing;

/// The string that is open.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) quote: char,
    pub(super) role: Role,
    /// Three quotes open it, as in Python, and three close it.
    is_triple: bool,
    /// Where in `held` its content begins; for keys.
    start: usize,
    /// The last character of its content.
    last: Option<char>,
    /// Whether its last word is a number, so that a quote behind it may be an inch mark.
    measure: Measure,
    /// It has a comma, so in an array it may be more than one.
    has_comma: bool,
    /// Quotes inside that are no inch marks. An odd number of them is ambiguous.
    quotes: usize,
    /// Something dubious was repaired, so the string is held.
    is_dubious: bool,
    /// It has a backslash that escapes nothing.
    has_bad_escape: bool,
    /// It has an escape that would mean something else in a path: `\n` in `C:\new`.
    has_letter_escape: bool,
    /// It has an opening bracket, so closing ones may belong to it.
    has_bracket: bool,
    /// It begins with a bracket: `"{"a": 1}"` may be text, or an object with quotes too many.
    is_like_json: bool,
}

/// What the last word of a string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Measure {
    #[default]
    Empty,
    Number,
    Word,
}

/// What a string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Role {
    Key,
    #[default]
    Value,
    Item,
}

impl Healer {
    /// Begins a string at its opening quote.
    pub(super) fn begin_text(&mut self, role: Role) -> Step {
        let quote = self.next()?;
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let is_triple = match self.ahead().begins(&triple) {
            _ if role == Role::Key || !matches!(quote, '"' | '\'') => false,
            Look::Yes => true,
            Look::No => false,
            // Two quotes may be an empty string, one may be any.
            Look::More => return None,
        };
        if is_triple {
            self.skip(3);
            self.put("\"");
        } else {
            self.open_quote(quote);
        }
        if role != Role::Key {
            self.settle();
        }
        self.text = Text { quote, role, is_triple, start: self.held.len(), ..Text::default() };
        self.state = State::Text;
        Some(())
    }

    fn open_quote(&mut self, quote: char) {
        if quote == '"' {
            self.keep(1);
        } else {
            self.replace(quote, "\"");
        }
    }

    pub(super) fn step_text(&mut self) -> Step {
        let Some(character) = self.next() else { return self.last_key() };
        if self.text.is_triple && character == self.text.quote {
            return self.triple_quote();
        }
        if !self.text.is_triple && is_closing(self.text.quote, character) {
            return self.quote(character);
        }
        match character {
            '\\' => self.escape(),
            '"' => self.other_quote(),
            ',' | '}' | ']' | '\n' | '\r' if self.text.role != Role::Key => self.run_of_ends(),
            control if control < ' ' => {
                self.replace(control, &written(control));
                self.content(control)
            }
            _ => self.plain(),
        }
    }

    /// A double quote in single quotes: a character like others, unless the string ends there.
    fn other_quote(&mut self) -> Step {
        let behind = self.ahead().after_first();
        let closing = match self.text.role {
            _ if self.text.is_triple => Closing::Inside,
            Role::Key => close::key(behind),
            Role::Value => close::value(behind, false, &self.stack),
            Role::Item => close::item(behind, false, &self.stack),
        };
        match closing {
            Closing::More => None,
            // What follows is sure: only the two quotes differ.
            Closing::Ends => {
                self.close_quote('"');
                self.close_text()
            }
            Closing::Inside | Closing::Unknown => {
                self.replace('"', "\\\"");
                self.content('"')
            }
        }
    }

    /// Content up to the next character that may be something else.
    fn plain(&mut self) -> Step {
        let quote = self.text.quote;
        let is_special =
            |c: char| c < ' ' || matches!(c, '\\' | '"' | ',' | '}' | ']') || is_closing(quote, c);
        let rest = self.rest();
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let more = rest.get(first..).unwrap_or_default();
        let length = more.find(is_special).unwrap_or(more.len()).saturating_add(first);
        let piece = rest.get(..length).unwrap_or_default();
        let last = piece.chars().next_back()?;
        let before = piece.strip_suffix(last).unwrap_or_default();
        let measure = before.chars().fold(self.text.measure, Measure::then);
        let has_bracket = piece.contains(['{', '[']);
        let is_like_json = self.text.last.is_none() && piece.starts_with(['{', '[']);
        self.text.measure = measure;
        self.text.has_bracket |= has_bracket;
        self.text.is_like_json |= is_like_json;
        self.keep(length);
        self.content(last)
    }

    /// Content was added that ends with this character.
    fn content(&mut self, last: char) -> Step {
        self.text.last = Some(last);
        self.text.measure = self.text.measure.then(last);
        if self.text.role != Role::Key && !self.text.is_dubious {
            self.settle();
        }
        Some(())
    }

    /// A repair that holds only if the rest of the string bears it out.
    fn doubt(&mut self) {
        self.text.is_dubious = true;
    }

    fn triple_quote(&mut self) -> Step {
        let quote = self.text.quote;
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        match self.ahead().begins(&triple) {
            Look::More => None,
            Look::Yes => {
                self.skip(3);
                self.close_text()
            }
            Look::No => {
                self.replace(quote, if quote == '"' { "\\\"" } else { "'" });
                self.content(quote)
            }
        }
    }

    /// A quote that may close the string.
    fn quote(&mut self, quote: char) -> Step {
        let is_odd = self.text.quotes % 2 == 1;
        let behind = self.ahead().after_first();
        let closing = match self.text.role {
            Role::Key => close::key(behind),
            Role::Value => close::value(behind, is_odd, &self.stack),
            Role::Item => close::item(behind, is_odd, &self.stack),
        };
        match closing {
            Closing::More => None,
            Closing::Ends if is_odd => self.refuse(),
            Closing::Ends => {
                self.close_quote(quote);
                self.close_text()
            }
            Closing::Inside => self.inner_quote(quote),
            Closing::Unknown if self.text.role == Role::Key => self.key_without_end(),
            Closing::Unknown => self.refuse(),
        }
    }

    fn close_quote(&mut self, quote: char) {
        if quote == '"' {
            self.keep(1);
            self.held.pop();
        } else {
            self.skip(quote.len_utf8());
        }
    }

    /// The string is over, its closing quote consumed.
    fn close_text(&mut self) -> Step {
        self.held.push('"');
        self.end_of_text();
        Some(())
    }

    /// The string is over: its closing quote is missing.
    fn close_missing_text(&mut self) -> Step {
        self.put("\"");
        self.end_of_text();
        Some(())
    }

    fn end_of_text(&mut self) {
        self.joined = None;
        if self.text.role == Role::Key {
            self.state = State::Colon;
        } else {
            self.settle();
            self.last = Last::Text;
            self.state = State::After;
        }
    }

    /// `"name: "Ada"`, `"n: 12, "next"`: the key's own quote is missing. What it swallowed is read
    /// again.
    fn key_without_end(&mut self) -> Step {
        let content = self.held.get(self.text.start..).unwrap_or_default();
        let Some((key, rest)) = swallowed(content) else { return self.refuse() };
        let back = format!(":{rest}");
        let end = self.text.start.saturating_add(key.len());
        // Only what stands there as it came can be read again.
        let Some(raw) = self.raw.strip_suffix(back.as_str()).map(str::len) else {
            return self.refuse();
        };
        self.raw.truncate(raw);
        self.held.truncate(end);
        self.put("\"");
        self.input.insert_str(self.at, &back);
        self.state = State::Colon;
        Some(())
    }

    /// At the end of a text that the model says is done, a key may have swallowed its value.
    fn last_key(&mut self) -> Step {
        let content = self.held.get(self.text.start..).unwrap_or_default();
        let has_value = swallowed(content).is_some_and(|(_, rest)| !rest.trim().is_empty());
        let is_over = self.is_last && !self.is_cut && self.text.role == Role::Key;
        if is_over && has_value { self.key_without_end() } else { None }
    }

    /// A quote inside the string that should have been escaped.
    fn inner_quote(&mut self, quote: char) -> Step {
        let before = self.text.last;
        let after = self.ahead().after_first().first();
        let is_word = |side: Option<char>| side.is_some_and(char::is_alphanumeric);
        if quote != '"' && (is_word(before) && is_word(after) || matches!(quote, '”' | '“')) {
            // An apostrophe, or a typographic quote: both are characters like others.
            self.keep(quote.len_utf8());
            return self.content(quote);
        }
        let is_odd = self.text.quotes % 2 == 1;
        let is_inch = !is_odd && self.text.measure == Measure::Number;
        let fits = if is_odd {
            close::ends_words(before, after)
        } else {
            close::begins_words(before, after)
        };
        if self.text.is_like_json && !self.expected.is_checked {
            return self.refuse();
        }
        if !(fits || is_inch && !is_word(after)) {
            return self.refuse();
        }
        self.doubt();
        self.text.quotes = self.text.quotes.saturating_add(usize::from(fits));
        self.replace(quote, if quote == '"' { "\\\"" } else { "'" });
        self.content(quote)
    }

    /// A comma, a bracket or a line's end: the string may have ended there without its quote.
    fn run_of_ends(&mut self) -> Step {
        let rest = self.rest();
        let is_end = |c: char| matches!(c, ',' | '}' | ']' | ' ' | '\t' | '\n' | '\r');
        let length = rest.find(|c| !is_end(c)).unwrap_or(rest.len()).min(RUN_MAX);
        let run = rest.get(..length).unwrap_or_default().to_owned();
        let behind = self.ahead().after(length);
        let ends = match behind.first() {
            None if !self.is_last && length < RUN_MAX => return None,
            None => self.ends_with_text(&run),
            Some('`') if run.contains(['}', ']', '\n']) => self.ends_with_fence(&run, length),
            Some(_) if self.text.is_triple || self.text.role != Role::Value => Look::No,
            Some(_) if !run.starts_with(',') && !run.contains('\n') => Look::No,
            Some(_) => behind.is_member(),
        };
        match ends {
            Look::More => None,
            Look::Yes if self.text.is_dubious => self.refuse(),
            // Another quote stands where the closing one is missing.
            Look::Yes if self.text.last.is_some_and(is_quote) => self.refuse(),
            Look::Yes if self.text.has_bracket && !run.starts_with(',') => self.refuse(),
            Look::Yes
                if self.text.role == Role::Item && (self.text.has_comma || run.contains(',')) =>
            {
                self.refuse()
            }
            Look::Yes => self.close_missing_text(),
            Look::No => {
                self.text.has_comma |= run.contains(',');
                for character in run.chars() {
                    if character < ' ' {
                        self.replace(character, &written(character));
                    } else {
                        self.keep(character.len_utf8());
                    }
                }
                self.content(run.chars().next_back()?)
            }
        }
    }

    /// Whether the string ends before the brackets that the whole text ends with.
    fn ends_with_text(&self, run: &str) -> Look {
        let is_end = !self.is_cut && !self.text.is_triple && run.contains(['}', ']', '\n']);
        if is_end { Look::Yes } else { Look::No }
    }

    /// Whether the string ends before the brackets and the fence that the whole text ends with.
    fn ends_with_fence(&self, run: &str, length: usize) -> Look {
        let behind = self.ahead().after(length);
        match behind.begins("```") {
            Look::Yes if behind.after(3).trimmed().first().is_some() => Look::No,
            Look::Yes if behind.text().len() > RUN_MAX => Look::No,
            Look::Yes if self.is_last => self.ends_with_text(run),
            Look::Yes => Look::More,
            other => other,
        }
    }

    /// The text is over inside a string.
    pub(super) fn end_text(&mut self) {
        if self.text.quotes % 2 == 1 || self.text.is_triple && !self.is_cut {
            self.give_up(super::Ending::Refused);
        } else if self.text.role != Role::Key {
            // What is not consumed is half an escape, or a quote of three.
            self.put("\"");
            self.settle();
        }
    }
}

impl Measure {
    fn then(self, character: char) -> Self {
        match character {
            ' ' | '(' | '\n' | '\t' => Self::Empty,
            '.' | '0'..='9' if self != Self::Word => Self::Number,
            _ => Self::Word,
        }
    }
}

/// A control character as JSON writes it in strings.
fn written(control: char) -> String {
    match control {
        '\n' => "\\n".into(),
        '\r' => "\\r".into(),
        '\t' => "\\t".into(),
        other => format!("\\u{:04x}", u32::from(other)),
    }
}

/// White space, commas and brackets in a row, in bytes; a longer row is content.
const RUN_MAX: usize = 256;
