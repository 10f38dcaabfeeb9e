//! The arguments of one tool call: JSON text in pieces. The rules see what it means (`\u0041` is
//! `A`), and what goes on is what the model wrote, apart from masks.

use crate::line::{Line, Passed};
use std::collections::VecDeque;

/// The arguments on their way past the rules.
pub(crate) struct Arguments {
    line: Line,
    reader: Reader,
    /// What the rules have seen and not passed, as it was written.
    written: VecDeque<Written>,
}

/// A part of the text as it was written.
struct Written {
    raw: String,
    /// How many bytes of meaning it has. Where it is not written plainly, it is one character.
    meant: usize,
    is_plain: bool,
    is_inside: bool,
}

impl Arguments {
    pub(crate) fn new(line: Line) -> Self {
        Self { line, reader: Reader::default(), written: VecDeque::new() }
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.line.is_empty() && self.reader.raw.is_empty()
    }

    /// More text; what may go on by now.
    pub(crate) fn push(&mut self, text: &str) -> String {
        let mut meant = String::with_capacity(text.len());
        for character in text.chars() {
            self.reader.read(character, &mut self.written, &mut meant);
        }
        let mut passed = Vec::new();
        if self.line.push(&meant, &mut passed) {
            passed.push(Passed::Text(meant));
        }
        self.write(passed)
    }

    /// The arguments end here.
    pub(crate) fn end(&mut self) -> String {
        let mut passed = Vec::new();
        self.line.end(&mut passed);
        self.write(passed) + &std::mem::take(&mut self.reader.raw)
    }

    /// What was passed, as it was written. A mask stands inside strings only: JSON's own
    /// characters stay, and the digits of a masked number become nines.
    fn write(&mut self, passed: Vec<Passed>) -> String {
        let mut out = String::new();
        for piece in passed {
            match piece {
                Passed::Text(text) => {
                    self.consume(text.len(), |written, _| out.push_str(written));
                }
                Passed::Mask(label, masked) => {
                    let mut label = Some(label);
                    self.consume(masked.len(), |written, is_inside| {
                        if is_inside {
                            out.push_str(&label.take().unwrap_or_default());
                        } else {
                            let hide = |it: char| if it.is_ascii_digit() { '9' } else { it };
                            out.extend(written.chars().map(hide));
                        }
                    });
                }
            }
        }
        out
    }

    /// Takes as much of what was written as has this many bytes of meaning.
    fn consume(&mut self, mut meant: usize, mut part: impl FnMut(&str, bool)) {
        while meant > 0 {
            let Some(first) = self.written.front_mut() else { return };
            if first.is_plain && first.meant > meant {
                let rest = first.raw.split_off(meant);
                part(&first.raw, first.is_inside);
                (first.raw, first.meant) = (rest, first.meant - meant);
                return;
            }
            part(&first.raw, first.is_inside);
            meant = meant.saturating_sub(first.meant);
            self.written.pop_front();
        }
    }
}

/// Reads JSON text character by character.
#[derive(Default)]
struct Reader {
    state: State,
    /// An escape that is not complete, as far as it was written and has not been given out.
    raw: String,
    /// The first half of a character that is written as two escapes.
    high: Option<u32>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Outside,
    Inside,
    /// After a backslash.
    Escape,
    /// In `\u`: digits and their value so far.
    Code(u32, u32),
}

impl Reader {
    fn read(&mut self, it: char, written: &mut VecDeque<Written>, meant: &mut String) {
        match (self.state, it) {
            (State::Outside, '"') => {
                self.state = State::Inside;
                plain(it, false, written, meant);
            }
            (State::Outside, _) => plain(it, false, written, meant),
            (State::Inside, '\\') => {
                self.state = State::Escape;
                self.raw.push(it);
            }
            (State::Inside, _) => {
                self.end_half(written, meant);
                if it == '"' {
                    self.state = State::Outside;
                }
                plain(it, it != '"', written, meant);
            }
            (State::Escape, 'u') => {
                self.state = State::Code(0, 0);
                self.raw.push(it);
            }
            (State::Escape, _) => {
                self.state = State::Inside;
                self.raw.push(it);
                self.escaped(simple(it), written, meant);
            }
            (State::Code(count, value), _) => {
                let Some(digit) = it.to_digit(16) else {
                    self.state = State::Inside;
                    self.escaped(char::REPLACEMENT_CHARACTER, written, meant);
                    return self.read(it, written, meant);
                };
                self.raw.push(it);
                let value = value * 16 + digit;
                self.state = State::Code(count + 1, value);
                if count == 3 {
                    self.state = State::Inside;
                    self.code(value, written, meant);
                }
            }
        }
    }

    fn code(&mut self, value: u32, written: &mut VecDeque<Written>, meant: &mut String) {
        match (self.high.take(), value) {
            (Some(high), 0xdc00..=0xdfff) => {
                let value = 0x1_0000 + ((high - 0xd800) << 10) + (value - 0xdc00);
                self.escaped(char::from_u32(value).unwrap_or_default(), written, meant);
            }
            (_, 0xd800..=0xdbff) => self.high = Some(value),
            (_, value) => {
                let it = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
                self.escaped(it, written, meant);
            }
        }
    }

    /// What was written is this character.
    fn escaped(&mut self, it: char, written: &mut VecDeque<Written>, meant: &mut String) {
        self.high = None;
        meant.push(it);
        let raw = std::mem::take(&mut self.raw);
        written.push_back(Written { raw, meant: it.len_utf8(), is_plain: false, is_inside: true });
    }

    /// No second half follows the first.
    fn end_half(&mut self, written: &mut VecDeque<Written>, meant: &mut String) {
        if self.high.is_some() {
            self.escaped(char::REPLACEMENT_CHARACTER, written, meant);
        }
    }
}

fn plain(it: char, is_inside: bool, written: &mut VecDeque<Written>, meant: &mut String) {
    meant.push(it);
    if let Some(last) =
        written.back_mut().filter(|last| last.is_plain && last.is_inside == is_inside)
    {
        last.raw.push(it);
        last.meant += it.len_utf8();
    } else {
        let (raw, meant) = (it.to_string(), it.len_utf8());
        written.push_back(Written { raw, meant, is_plain: true, is_inside });
    }
}

fn simple(it: char) -> char {
    match it {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        other => other,
    }
}
