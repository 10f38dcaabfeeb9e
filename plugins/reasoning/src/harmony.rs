//! Harmony, the form in which gpt-oss writes: messages, each with a channel, between tokens that a
//! server normally reads itself. `analysis` is thought, `final` is the answer, `commentary` is for
//! the reader unless it is addressed to a function: then it is a call of it.
//!
//! A call counts only for a function that the request has. What is addressed to anything else (the
//! model's own browser, a function that nobody offered) can't be run by the client: it is thought.

#[cfg(test)]
mod tests;

use crate::split::Settled;
use patchbay_sdk::{Patterns, Piece, Window};
use std::rc::Rc;

/// The reader of one choice's text. It is used as [`Blocks`](crate::blocks::Blocks) is.
pub(crate) struct Harmony {
    functions: Rc<[String]>,
    tokens: Patterns,
    window: Window,
    place: Place,
    /// Whether any message has begun: until then the text may be about such tokens.
    is_sure: bool,
    ended: bool,
}

enum Place {
    /// Outside any message.
    Between,
    Header(Header),
    Body(Kind),
    /// This is not Harmony after all.
    Plain,
}

/// What stands before a message's text.
#[derive(Default)]
struct Header {
    /// All of it, tokens included.
    raw: String,
    /// The texts between its tokens: who speaks, the channel, the format.
    words: String,
    channel: Option<String>,
    section: Section,
}

#[derive(Default, PartialEq, Eq)]
enum Section {
    #[default]
    Role,
    Channel,
    Format,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Thought,
    Answer,
    Call(String),
}

impl Harmony {
    /// Before the first token. `functions` are the names of the request's functions.
    pub(crate) fn new(functions: Rc<[String]>) -> Self {
        Self {
            functions,
            tokens: Patterns::new(TOKENS),
            window: Window::default(),
            place: Place::Between,
            is_sure: false,
            ended: false,
        }
    }

    /// The same, inside the text of a thought.
    pub(crate) fn opened(functions: Rc<[String]>) -> Self {
        Self { place: Place::Body(Kind::Thought), is_sure: true, ..Self::new(functions) }
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.window.is_empty() && !matches!(self.place, Place::Header(_))
    }

    /// Whether `text` is answer as it stands.
    pub(crate) fn passes(&self, text: &str) -> bool {
        match &self.place {
            Place::Plain => self.window.is_empty(),
            Place::Body(Kind::Answer) => self.window.passes(text, &self.tokens),
            Place::Body(_) | Place::Between | Place::Header(_) => false,
        }
    }

    /// More text.
    pub(crate) fn push(&mut self, text: &str) {
        self.ended = false;
        self.window.push(text);
    }

    /// The text ends here, or is interrupted.
    pub(crate) fn end(&mut self) {
        self.ended = true;
        self.window.end();
    }

    /// The next settled piece, or `None` until more text comes.
    pub(crate) fn take(&mut self) -> Option<Settled> {
        loop {
            if matches!(self.place, Place::Plain) {
                let text = self.window.take_all();
                return (!text.is_empty()).then_some(Settled::Answer(text));
            }
            let Some(piece) = self.window.take(&self.tokens) else {
                return if self.ended { self.give_up() } else { None };
            };
            let settled = match piece {
                Piece::Text(text) => self.text(text),
                Piece::Match(index) => self.token(TOKENS.get(index).copied().unwrap_or_default()),
            };
            if settled.is_some() {
                return settled;
            }
        }
    }

    fn text(&mut self, text: String) -> Option<Settled> {
        match &mut self.place {
            Place::Between => {
                let text = text.trim_start();
                if text.is_empty() {
                    return None;
                }
                // What stands outside every message is shown: better too much than a loss.
                self.place = Place::Body(Kind::Answer);
                Some(Settled::Answer(text.to_owned()))
            }
            Place::Header(header) => {
                header.text(&text);
                self.check_header()
            }
            Place::Body(Kind::Thought) => Some(Settled::Thought(text)),
            Place::Body(Kind::Answer) | Place::Plain => Some(Settled::Answer(text)),
            Place::Body(Kind::Call(_)) => Some(Settled::Arguments(text)),
        }
    }

    fn token(&mut self, token: &'static str) -> Option<Settled> {
        match (token, &mut self.place) {
            (CHANNEL | CONSTRAIN, Place::Header(header)) => {
                header.section(token);
                return self.check_header();
            }
            (START | CHANNEL, _) => {
                let mut header = Header::default();
                header.section(token);
                self.place = Place::Header(header);
            }
            (MESSAGE, Place::Header(header)) => {
                let kind = header.kind(&self.functions);
                self.is_sure = true;
                self.place = Place::Body(kind.clone());
                if let Kind::Call(name) = kind {
                    return Some(Settled::Call(name));
                }
            }
            (END | RETURN | CALL, _) => self.place = Place::Between,
            // In a text these say nothing.
            _ => {}
        }
        None
    }

    /// The text has ended in a header.
    fn give_up(&mut self) -> Option<Settled> {
        match &self.place {
            Place::Header(_) if !self.is_sure => self.unmask(),
            Place::Header(_) => {
                self.place = Place::Between;
                None
            }
            Place::Between | Place::Body(_) | Place::Plain => None,
        }
    }

    /// No real header is this long.
    fn check_header(&mut self) -> Option<Settled> {
        match &self.place {
            Place::Header(header) if header.raw.len() > HEADER_BYTES_MAX => self.unmask(),
            Place::Header(_) | Place::Between | Place::Body(_) | Place::Plain => None,
        }
    }

    /// The header is none: it is text, and so is what follows.
    fn unmask(&mut self) -> Option<Settled> {
        match std::mem::replace(&mut self.place, Place::Plain) {
            Place::Header(header) => Some(Settled::Answer(header.raw)),
            Place::Between | Place::Body(_) | Place::Plain => None,
        }
    }
}

impl Header {
    fn section(&mut self, token: &str) {
        self.raw.push_str(token);
        self.words.push(' ');
        self.section = match token {
            CHANNEL => Section::Channel,
            CONSTRAIN => Section::Format,
            _ => Section::Role,
        };
        if self.section == Section::Channel {
            self.channel.get_or_insert_default();
        }
    }

    fn text(&mut self, text: &str) {
        self.raw.push_str(text);
        self.words.push_str(text);
        if self.section == Section::Channel {
            self.channel.get_or_insert_default().push_str(text);
        }
    }

    fn kind(&self, functions: &[String]) -> Kind {
        // The recipient may stand beside the role or beside the channel.
        let recipient = self.words.split_once("to=").map(|(_, behind)| behind);
        let recipient = recipient.and_then(|behind| behind.split_whitespace().next());
        if let Some(recipient) = recipient {
            let name = recipient.strip_prefix("functions.").unwrap_or(recipient);
            let is_known = functions.iter().any(|function| function == name);
            return if is_known { Kind::Call(name.to_owned()) } else { Kind::Thought };
        }
        let channel = self.channel.as_deref().unwrap_or_default().trim_start();
        if channel.starts_with("analysis") { Kind::Thought } else { Kind::Answer }
    }
}

/// What a reply in this form begins with.
pub(crate) const OPENINGS: [&str; 2] = [START, CHANNEL];

const START: &str = "<|start|>";
const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
const CONSTRAIN: &str = "<|constrain|>";
const END: &str = "<|end|>";
const RETURN: &str = "<|return|>";
const CALL: &str = "<|call|>";
const TOKENS: [&str; 7] = [START, CHANNEL, MESSAGE, CONSTRAIN, END, RETURN, CALL];

/// A function's name has at most 64 characters, so a real header is far shorter.
const HEADER_BYTES_MAX: usize = 256;
