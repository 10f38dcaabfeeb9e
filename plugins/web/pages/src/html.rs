//! The main text of an HTML page. Pages are written by strangers, so it is read off a row of
//! tokens, without a tree: a tree's builder looks through all open elements at each tag, which on
//! deep pages is time squared. The tokens are our own too: html5ever's take time squared on a tag of
//! many attributes, and 300 KB of every plugin.

mod element;
mod entity;
mod flow;
#[cfg(test)]
mod tests;
mod tokens;

use std::borrow::Cow;

use self::element::{Role, Shape};
use self::flow::{Flow, Gap, Place};
use self::tokens::{Tag, Token, Tokens};

/// What a person would read of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Empty if it has none.
    pub title: String,
    /// Paragraphs with an empty line between them; headings begin with `#`, items with `-`.
    pub text: String,
}

/// Reads a page. `goes_on` is told every few kilobytes how many bytes are read; when it says no, what
/// was read so far is the page.
pub fn read(html: &str, goes_on: &mut dyn FnMut(usize) -> bool) -> Page {
    let mut tokens = Tokens::new(html);
    let mut reading = Reading::default();
    let mut looked = usize::MAX;
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => reading.text(text),
            Token::Close(name) => reading.close(&name),
            Token::Open(tag) => {
                if reading.open(&tag) {
                    tokens.raw(&tag.name);
                }
            }
        }
        let left = tokens.left();
        if looked.saturating_sub(left) >= LOOK_BYTES {
            looked = left;
            if reading.flow.is_full() || !goes_on(html.len().saturating_sub(left)) {
                break;
            }
        }
    }
    reading.finish()
}

/// The page so far.
#[derive(Default)]
struct Reading {
    flow: Flow,
    title: String,
    /// What the text is, while an element is open that holds text only.
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

/// Text without tags in it.
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
            Some(Raw::Title) => {
                let title = crate::cut(text, TITLE_CHARS_MAX);
                self.title = entity::decoded(title).into_owned();
            }
            Some(Raw::Unseen) => {}
            None if self.left_out.is_some() && !self.is_furniture => {}
            None => {
                let place = Place {
                    is_main: self.main.is_some(),
                    article: self.article.as_ref().map_or(0, |_| self.articles),
                    is_furniture: self.left_out.is_some(),
                };
                let text: Cow<'_, str> = entity::decoded(text);
                self.flow.text(&text, place, self.verbatim > 0, self.links > 0);
            }
        }
    }

    /// Takes a start tag; says whether what follows is text only.
    fn open(&mut self, tag: &Tag<'_>) -> bool {
        let name = tag.name.as_str();
        if is_raw(name) {
            let is_title = name == "title" && self.title.is_empty() && self.left_out.is_none();
            self.raw = Some(if is_title { Raw::Title } else { Raw::Unseen });
            return true;
        }
        if element::is_void(name) || tag.is_closed {
            self.break_at(element::shape(name));
            return false;
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
        false
    }

    /// An element that is not inside of one that is left out.
    fn enter(&mut self, tag: &Tag<'_>) {
        let name = tag.name.as_str();
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

/// Whether an element holds text only.
fn is_raw(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "title"
            | "textarea"
            | "xmp"
            | "iframe"
            | "noembed"
            | "noframes"
            | "noscript"
    )
}

/// Looking at the clock is a call to the host.
const LOOK_BYTES: usize = 4096;

const TITLE_CHARS_MAX: usize = 500;
