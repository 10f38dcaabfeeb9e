//! Objects and arrays: keys, colons, commas, closing brackets, and what may stand between them.

use super::look::{Look, begins_value, identifier_length, is_quote, is_space};
use super::text::Role;
use super::{Frame, Healer, Last, State, Step};

impl Healer {
    pub(super) fn step_key(&mut self) -> Step {
        if let Some(step) = self.skip_between() {
            return step;
        }
        match self.next()? {
            '}' => self.close_without_comma(),
            ']' if self.has(Frame::is_list) => {
                self.drop_comma();
                return self.close_missing();
            }
            // `{, "a"` inside another object may be an empty one that was not closed.
            ',' if self.last == Last::None && self.stack.len() > 1 => return self.refuse(),
            ',' => self.skip(1),
            quote if is_quote(quote) => {
                self.note_indent();
                return self.begin_text(Role::Key);
            }
            '{' if self.is_next_item() => {
                // The object was not closed: `[{"a": 1, {"a": 2}]`.
                self.held.insert(0, '}');
                self.has_guess = true;
                self.stack.pop();
                self.last = Last::Object;
                self.state = State::Item;
            }
            _ => return self.bare_key(),
        }
        Some(())
    }

    /// Whether an object that begins where a key should can only be the next item of the array
    /// around.
    fn is_next_item(&self) -> bool {
        let parent = self.stack.iter().rev().nth(1);
        parent.is_some_and(|parent| parent.is_list())
            && self.last != Last::None
            && self.held.contains(',')
    }

    /// Compares how far a key at a line's beginning is indented with the first of its object.
    fn note_indent(&mut self) {
        let indent = self.held.rsplit_once('\n').map_or(0, |(_, indent)| indent.len());
        self.indents.resize(self.stack.len(), 0);
        let Some(first) = self.indents.last_mut() else { return };
        if self.last == Last::None {
            *first = indent;
        } else if indent > 0 && indent < *first {
            self.has_dedent = true;
        }
    }

    /// A key without quotes, or without the first of them.
    fn bare_key(&mut self) -> Step {
        let rest = self.rest();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let length = if digits > 0 { digits } else { identifier_length(rest, false) };
        let key = rest.get(..length).unwrap_or_default().to_owned();
        let behind = self.ahead().after(length);
        let Some(next) = behind.first() else {
            // A bare key at the end has no value: it is left out with its comma.
            return if length > KEY_MAX { self.refuse() } else { None };
        };
        if length == 0 || length > KEY_MAX {
            return self.refuse();
        }
        if is_quote(next) && matches!(key.as_str(), "u" | "b" | "r") {
            self.skip(length);
            return Some(());
        }
        let quote = if is_quote(next) { next.len_utf8() } else { 0 };
        self.skip(length.saturating_add(quote));
        self.put(&format!("\"{key}\""));
        self.state = State::Colon;
        Some(())
    }

    pub(super) fn step_colon(&mut self) -> Step {
        if let Some(step) = self.skip_between() {
            return step;
        }
        match self.next()? {
            ':' => self.keep(1),
            '：' => self.replace('：', ":"),
            _ => return self.refuse(),
        }
        self.state = State::Value;
        Some(())
    }

    pub(super) fn step_value(&mut self) -> Step {
        if let Some(step) = self.skip_between() {
            return step;
        }
        let character = self.next()?;
        self.begin_value(character)
    }

    pub(super) fn step_item(&mut self) -> Step {
        if let Some(step) = self.skip_between() {
            return step;
        }
        match self.next()? {
            ']' if matches!(self.stack.last(), Some(Frame::Array | Frame::List)) => {
                self.close_without_comma();
            }
            ')' if self.stack.last() == Some(&Frame::Tuple) => self.close_without_comma(),
            ')' if self.stack.last() == Some(&Frame::Round) => self.close_without_comma(),
            '}' if self.has(|frame| frame == Frame::Object) => {
                self.drop_comma();
                return self.close_missing();
            }
            ',' if matches!(self.last, Last::Object | Last::List) && !self.held.is_empty() => {
                self.skip(1)
            }
            '.' => match self.ahead().begins("...") {
                Look::More => return None,
                Look::No => return self.begin_value('.'),
                Look::Yes => self.skip(3),
            },
            '…' => self.skip('…'.len_utf8()),
            quote if is_quote(quote) && self.is_member_of_parent()? => {
                // The array was not closed: `["a", "b", "next": 1`.
                self.held.insert(0, ']');
                self.has_guess = true;
                self.stack.pop();
                self.state = State::Key;
            }
            other => return self.begin_value(other),
        }
        Some(())
    }

    /// Whether what begins here is a key of the object around the array. Short keys only, since
    /// the string is held until it is known.
    fn is_member_of_parent(&self) -> Option<bool> {
        let parent = self.stack.iter().rev().nth(1);
        if parent != Some(&Frame::Object) || self.last == Last::None || self.held.is_empty() {
            return Some(false);
        }
        if matches!(self.last, Last::Object | Last::List) {
            // Behind an object it may as well be a member of one that was not opened.
            return Some(false);
        }
        let key: String = self.rest().chars().skip(1).take(PARENT_KEY_MAX).collect();
        let length = identifier_length(&key, true);
        if length == key.len() && key.chars().count() == PARENT_KEY_MAX {
            return Some(false);
        }
        match self.ahead().is_member() {
            Look::Yes => Some(true),
            Look::No => Some(false),
            Look::More => None,
        }
    }

    /// Begins the value of a member, or an item.
    fn begin_value(&mut self, character: char) -> Step {
        match character {
            '{' => self.open(Frame::Object, State::Key),
            '[' => self.open(Frame::Array, State::Item),
            '(' => self.open(Frame::Round, State::Item),
            quote if is_quote(quote) => {
                let is_list = self.stack.last().is_some_and(|frame| frame.is_list());
                return self.begin_text(if is_list { Role::Item } else { Role::Value });
            }
            '0'..='9' | '-' | '+' | '.' => {
                self.token.clear();
                self.state = State::Number;
            }
            letter if letter.is_alphabetic() => {
                self.token.clear();
                self.state = State::Word;
            }
            _ => return self.refuse(),
        }
        Some(())
    }

    fn open(&mut self, frame: Frame, state: State) {
        if frame == Frame::Round {
            self.skip(1);
            self.put("[");
        } else {
            self.keep(1);
        }
        self.settle();
        self.stack.push(frame);
        self.last = Last::None;
        self.joined = None;
        self.state = state;
    }

    pub(super) fn step_after(&mut self) -> Step {
        let before = self.at;
        if let Some(step) = self.skip_between() {
            step?;
            let has_line = self.input.get(before..self.at).is_some_and(|gap| gap.contains('\n'));
            self.joined = Some(has_line || self.joined == Some(true));
            self.settle();
            return Some(());
        }
        let character = self.next()?;
        let Some(top) = self.stack.last().copied() else { return self.refuse() };
        match character {
            ',' => self.comma(1, top),
            '，' => {
                self.replace('，', ",");
                self.comma(0, top);
            }
            '}' if top == Frame::Object => self.close(1),
            ']' if matches!(top, Frame::Array | Frame::List) => self.close(1),
            ')' if top == Frame::Tuple => self.close_tuple(),
            '}' if self.has(|frame| frame == Frame::Object) => return self.close_missing(),
            ']' if self.has(Frame::is_list) => return self.close_missing(),
            '.' if self.ahead().begins("...") == Look::More => return None,
            '.' if self.ahead().begins("...") == Look::Yes => self.skip(3),
            other => return self.join(other, top),
        }
        Some(())
    }

    /// A comma is missing: puts it where what follows begins a member or an item.
    fn join(&mut self, character: char, top: Frame) -> Step {
        // Without a gap it is no new value but the rest of something unknown.
        let has_gap = self.joined.is_some() || self.last != Last::Word;
        let begins = if top == Frame::Object {
            is_quote(character) || character.is_alphabetic() || matches!(character, '_' | '$')
        } else {
            begins_value(character) && !matches!(character, '+' | '.')
        };
        if !(begins && has_gap) {
            return self.refuse();
        }
        let has_line = self.joined == Some(true);
        self.put(",");
        self.joined = Some(has_line);
        self.state = if top == Frame::Object { State::Key } else { State::Item };
        Some(())
    }

    fn comma(&mut self, bytes: usize, top: Frame) {
        self.keep(bytes);
        if let Some(frame) = self.stack.last_mut() {
            *frame = top.with_comma();
        }
        self.joined = None;
        self.state = if top == Frame::Object { State::Key } else { State::Item };
    }

    /// Closes the innermost container with the bracket that is there.
    fn close(&mut self, bytes: usize) {
        self.keep(bytes);
        self.closed();
    }

    fn close_tuple(&mut self) {
        self.skip(1);
        self.put("]");
        self.closed();
    }

    /// Closes the innermost container; its own bracket is missing.
    fn close_missing(&mut self) -> Step {
        let top = self.stack.last().copied()?;
        if top == Frame::Array && self.last == Last::List {
            // `[[1, 2]`: one bracket too few at the end, or one too many at the start.
            return self.refuse();
        }
        self.put(&top.closer().to_string());
        self.has_guess = true;
        self.closed();
        Some(())
    }

    fn close_without_comma(&mut self) {
        self.drop_comma();
        if matches!(self.stack.last(), Some(Frame::Tuple | Frame::Round)) {
            self.close_tuple();
        } else {
            self.close(1);
        }
    }

    fn closed(&mut self) {
        self.settle();
        let frame = self.stack.pop();
        self.last = if frame == Some(Frame::Object) { Last::Object } else { Last::List };
        self.joined = None;
        self.state = if self.stack.is_empty() { State::Tail } else { State::After };
    }

    fn drop_comma(&mut self) {
        if let Some(at) = self.held.find(',') {
            self.held.remove(at);
            self.is_changed = true;
        }
    }

    fn has(&self, is_it: impl Fn(Frame) -> bool) -> bool {
        self.stack.iter().any(|frame| is_it(*frame))
    }

    /// Goes over white space, comments and, between members, ellipses. `None`: there is nothing
    /// of the kind here.
    fn skip_between(&mut self) -> Option<Step> {
        let Some(character) = self.next() else { return Some(None) };
        if matches!(character, ' ' | '\t' | '\n' | '\r') {
            let rest = self.rest();
            let space = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            self.keep(rest.len().saturating_sub(space.len()));
            return Some(Some(()));
        }
        if is_space(character) {
            self.replace(character, " ");
            return Some(Some(()));
        }
        if self.state == State::Key && matches!(character, '.' | '…') {
            let dots = if character == '.' { "..." } else { "…" };
            return match self.ahead().begins(dots) {
                Look::More => Some(None),
                Look::No => None,
                Look::Yes => {
                    self.skip(dots.len());
                    Some(Some(()))
                }
            };
        }
        match self.ahead().begins_comment() {
            Look::More => Some(None),
            Look::No => None,
            Look::Yes => Some(self.skip_comment()),
        }
    }

    fn skip_comment(&mut self) -> Step {
        let rest = self.rest();
        let length = if rest.starts_with("/*") {
            rest.find("*/").map(|at| at.saturating_add(2))
        } else {
            rest.find('\n')
        };
        let length = match length {
            Some(length) => length,
            None if self.is_last => rest.len(),
            None if rest.len() > COMMENT_MAX => return self.refuse(),
            None => return None,
        };
        let comment = rest.get(..length).unwrap_or_default();
        let count = |brackets: [char; 2]| comment.matches(brackets).count();
        if count(['}', ']']) > count(['{', '[']) {
            // A line was lost: its brackets were meant to close something.
            return self.refuse();
        }
        self.skip(length);
        Some(())
    }

    /// Consumes a character and puts something else in its place.
    pub(super) fn replace(&mut self, character: char, by: &str) {
        self.skip(character.len_utf8());
        self.put(by);
    }
}

/// Longer keys without quotes, in bytes, are none.
const KEY_MAX: usize = 256;

/// Up to how many characters an array's string may be a key of the object around.
const PARENT_KEY_MAX: usize = 48;

const COMMENT_MAX: usize = 4 << 10;
