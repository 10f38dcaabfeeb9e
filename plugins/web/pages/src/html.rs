//! The main text of an HTML page. Pages are written by strangers, so it is read off the tokens,
//! without a tree: a tree's builder looks through all open elements at each tag, which on deep
//! pages is time squared, and takes twice as long on ordinary ones.

mod element;
mod flow;
#[cfg(test)]
mod tests;

use std::cell::RefCell;

use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tokenizer::{
    Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind,
};

use self::element::{Role, Shape};
use self::flow::{Flow, Gap, Place};

/// What a person would read of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Empty if it has none.
    pub title: String,
    /// Paragraphs with an empty line between them; headings begin with `#`, items with `-`.
    pub text: String,
}

/// Reads a page. `goes_on` is asked after every kilobyte; when it says no, what was read so far is
/// the page.
pub fn read(html: &str, goes_on: &mut dyn FnMut() -> bool) -> Page {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let queue = BufferQueue::default();
    let mut rest = html;
    while !rest.is_empty() && goes_on() {
        let (piece, behind) = rest.split_at(rest.ceil_char_boundary(PIECE_BYTES));
        rest = behind;
        queue.push_back(piece.into());
        while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
        if tokenizer.sink.0.borrow().flow.is_full() {
            break;
        }
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().finish()
}

/// Where the tokens go. The tokenizer lends it, and never to two at once.
#[derive(Default)]
struct Sink(RefCell<Reading>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reading = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => reading.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return reading.open(&tag),
            Token::TagToken(tag) => reading.close(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// The page so far.
#[derive(Default)]
struct Reading {
    flow: Flow,
    title: String,
    /// What the text of a raw element is, while one is open.
    raw: Option<Raw>,
    /// What is no part of the page, while it is open.
    left_out: Option<Span>,
    /// Whether `left_out` is furniture, which is read if there is nothing else.
    is_furniture: bool,
    main: Option<Span>,
    article: Option<Span>,
    articles: u32,
    links: u32,
    verbatim: u32,
}

/// What the tokenizer does not look into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Raw {
    Title,
    Unseen,
}

/// An element whose end is looked for. Elements of other names in it are not counted, so that one
/// that nobody closed changes nothing.
struct Span {
    name: String,
    depth: u32,
}

impl Span {
    fn of(name: &str) -> Self {
        Self { name: name.to_owned(), depth: 1 }
    }

    fn open(&mut self, name: &str) {
        self.depth = self.depth.saturating_add(u32::from(self.name == name));
    }

    /// Whether it ends here.
    fn close(&mut self, name: &str) -> bool {
        self.depth = self.depth.saturating_sub(u32::from(self.name == name));
        self.depth == 0
    }
}

impl Reading {
    fn text(&mut self, text: &str) {
        match self.raw {
            Some(Raw::Title) if self.title.len() < TITLE_BYTES_MAX => self.title.push_str(text),
            Some(_) => {}
            None if self.left_out.is_some() && !self.is_furniture => {}
            None => {
                let place = Place {
                    is_main: self.main.is_some(),
                    article: self.article.as_ref().map_or(0, |_| self.articles),
                    is_furniture: self.left_out.is_some(),
                };
                self.flow.text(text, place, self.verbatim > 0, self.links > 0);
            }
        }
    }

    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        if let Some(kind) = raw_kind(name) {
            let is_title = name == "title" && self.title.is_empty() && self.left_out.is_none();
            self.raw = Some(if is_title { Raw::Title } else { Raw::Unseen });
            return TokenSinkResult::RawData(kind);
        }
        if element::is_void(name) || tag.self_closing {
            self.break_at(element::shape(name));
            return TokenSinkResult::Continue;
        }
        // A paragraph ends where the next one begins.
        if name == "p" && self.left_out.as_ref().is_some_and(|span| span.name == "p") {
            self.left_out = None;
        }
        match &mut self.left_out {
            Some(span) => span.open(name),
            None => self.enter(tag),
        }
        if self.left_out.is_none() || self.is_furniture {
            self.shape_opens(name);
        }
        TokenSinkResult::Continue
    }

    /// An element that is not inside of one that is left out.
    fn enter(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        for span in [&mut self.main, &mut self.article].into_iter().flatten() {
            span.open(name);
        }
        let inside = self.main.is_some() || self.article.is_some();
        match element::role(tag) {
            Role::Hidden => {
                self.left_out = Some(Span::of(name));
                self.is_furniture = false;
            }
            Role::Furniture | Role::Header if name != "header" || !inside => {
                self.left_out = Some(Span::of(name));
                self.is_furniture = true;
            }
            Role::Main if self.main.is_none() => self.main = Some(Span::of(name)),
            Role::Article if self.article.is_none() => {
                self.article = Some(Span::of(name));
                self.articles = self.articles.saturating_add(1);
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if self.raw.take().is_some() {
            return;
        }
        let is_unseen = self.left_out.is_some() && !self.is_furniture;
        if let Some(span) = &mut self.left_out {
            if span.close(name) {
                self.left_out = None;
                self.flow.gap(Gap::Paragraph);
            }
        } else {
            for span in [&mut self.main, &mut self.article] {
                if span.as_mut().is_some_and(|span| span.close(name)) {
                    *span = None;
                }
            }
        }
        if !is_unseen {
            self.shape_closes(name);
        }
    }

    fn shape_opens(&mut self, name: &str) {
        self.verbatim = self.verbatim.saturating_add(u32::from(name == "pre"));
        // Links can't be inside of each other.
        if name == "a" {
            self.links = 1;
        }
        self.break_at(element::shape(name));
    }

    fn shape_closes(&mut self, name: &str) {
        self.verbatim = self.verbatim.saturating_sub(u32::from(name == "pre"));
        if name == "a" {
            self.links = 0;
        }
        match element::shape(name) {
            Shape::Heading(_) | Shape::Paragraph => self.flow.gap(Gap::Paragraph),
            Shape::Line | Shape::Item => self.flow.gap(Gap::Line),
            Shape::Space | Shape::None => {}
        }
    }

    fn break_at(&mut self, shape: Shape) {
        match shape {
            Shape::None => {}
            Shape::Space => self.flow.space(),
            Shape::Line => self.flow.gap(Gap::Line),
            Shape::Paragraph => self.flow.gap(Gap::Paragraph),
            Shape::Item => {
                self.flow.gap(Gap::Line);
                self.flow.prefix("- ");
            }
            Shape::Heading(prefix) => {
                self.flow.gap(Gap::Paragraph);
                self.flow.prefix(prefix);
            }
        }
    }

    fn finish(self) -> Page {
        let title: Vec<&str> = self.title.split_whitespace().collect();
        Page { title: title.join(" "), text: self.flow.finish() }
    }
}

/// What holds text that is no markup.
fn raw_kind(name: &str) -> Option<RawKind> {
    match name {
        "script" => Some(RawKind::ScriptData),
        "title" | "textarea" => Some(RawKind::Rcdata),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript" => Some(RawKind::Rawtext),
        _ => None,
    }
}

/// A tag with very many attributes takes time squared inside of the tokenizer, so the clock is
/// looked at often.
const PIECE_BYTES: usize = 1024;

const TITLE_BYTES_MAX: usize = 1024;
