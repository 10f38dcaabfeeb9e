//! HTML as a row of texts and tags. Each character is looked at a bounded number of times, whatever
//! is left open: an unclosed tag, comment or script is the rest of the page.

use super::entity;

/// A piece of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// As it stands, with its character references.
    Text(&'a str),
    Open(Tag<'a>),
    /// The name in lower case.
    Close(String),
}

/// A start tag.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// In lower case.
    pub(super) name: String,
    /// Whether it ends with `/>`.
    pub(super) is_closed: bool,
    /// Those of `ATTRIBUTES` that it has, each once.
    attributes: Vec<(&'static str, &'a str)>,
}

impl Tag<'_> {
    /// An attribute's value, its references resolved; empty if it has none.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let (_, value) = self.attributes.iter().find(|(own, _)| *own == name)?;
        Some(entity::decoded(value).into_owned())
    }
}

/// The row.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// The element that is open and holds text only.
    raw: Option<String>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html, raw: None }
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// What follows up to its end tag is text.
    pub(super) fn raw(&mut self, name: &str) {
        self.raw = Some(name.to_owned());
    }

    fn skip(&mut self, bytes: usize) -> &'a str {
        let (skipped, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        skipped
    }

    /// Text up to the end tag of a raw element.
    fn raw_text(&mut self, name: &str) -> Token<'a> {
        let mut from = 0;
        while let Some(at) = self.rest.get(from..).and_then(|rest| rest.find('<')) {
            let at = from.saturating_add(at);
            from = at.saturating_add(1);
            let Some(behind) = self.rest.get(from..).and_then(|it| it.strip_prefix('/')) else {
                continue;
            };
            let own = behind.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name));
            let next = behind.as_bytes().get(name.len());
            if own && next.is_some_and(|it| it.is_ascii_whitespace() || b"/>".contains(it)) {
                return Token::Text(self.skip(at));
            }
        }
        Token::Text(self.skip(self.rest.len()))
    }

    /// What stands at a `<`: a tag, or nothing that is seen. `None` if it is text.
    fn markup(&mut self) -> Option<Option<Token<'a>>> {
        let behind = self.rest.get(1..)?;
        let is_name = |text: &str| text.starts_with(|it: char| it.is_ascii_alphabetic());
        if is_name(behind) {
            self.skip(1);
            return Some(self.start_tag().map(Token::Open));
        }
        if let Some(closed) = behind.strip_prefix('/') {
            let length = closed.find(ends_name).unwrap_or(closed.len());
            let name = closed.get(..length).unwrap_or_default().to_ascii_lowercase();
            self.skip_behind(">");
            return Some(is_name(closed).then_some(Token::Close(name)));
        }
        if let Some(comment) = behind.strip_prefix("!--") {
            match comment.strip_prefix('>').or(comment.strip_prefix("->")) {
                Some(rest) => self.rest = rest,
                None => self.skip_behind("-->"),
            }
            return Some(None);
        }
        if behind.starts_with(['!', '?']) {
            self.skip_behind(">");
            return Some(None);
        }
        None
    }

    /// As much of so many bytes of text as is one token: all, or of a long text what ends at a space.
    fn piece(&self, bytes: usize) -> usize {
        if bytes <= TEXT_BYTES {
            return bytes;
        }
        let piece = self.rest.get(..self.rest.ceil_char_boundary(TEXT_BYTES)).unwrap_or(self.rest);
        piece.rfind(' ').filter(|end| *end > 0).unwrap_or(piece.len())
    }

    fn skip_behind(&mut self, end: &str) {
        let end = self.rest.find(end).map(|at| at.saturating_add(end.len()));
        self.skip(end.unwrap_or(self.rest.len()));
    }

    /// A start tag from its name on; `None` if the page ends in it.
    fn start_tag(&mut self) -> Option<Tag<'a>> {
        let name = self.skip_until(ends_name).to_ascii_lowercase();
        let mut tag = Tag { name, ..Tag::default() };
        loop {
            let between = self.skip_until(|it| !it.is_ascii_whitespace() && it != '/');
            if self.rest.starts_with('>') {
                self.skip(1);
                tag.is_closed = between.ends_with('/');
                return Some(tag);
            }
            if self.rest.is_empty() {
                return None;
            }
            // A name may begin with `=`.
            let first = self.rest.chars().next().map_or(0, char::len_utf8);
            let end = self.rest.get(first..)?.find(|it| ends_name(it) || it == '=');
            let end = end.map_or(self.rest.len(), |end| end.saturating_add(first));
            let name = self.skip(end);
            let value = self.value();
            let known = ATTRIBUTES.iter().find(|known| known.eq_ignore_ascii_case(name));
            if let Some(known) = known.filter(|_| tag.attributes.len() < ATTRIBUTES.len()) {
                tag.attributes.push((*known, value));
            }
        }
    }

    fn value(&mut self) -> &'a str {
        let trimmed = self.rest.trim_ascii_start();
        let Some(value) = trimmed.strip_prefix('=') else { return "" };
        self.rest = value.trim_ascii_start();
        for quote in ['"', '\''] {
            if let Some(quoted) = self.rest.strip_prefix(quote) {
                self.rest = quoted;
                let value = self.skip_until(|it| it == quote);
                self.skip(1);
                return value;
            }
        }
        self.skip_until(|it| it.is_ascii_whitespace() || it == '>')
    }

    fn skip_until(&mut self, is_end: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        self.skip(end)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.raw.take() {
            return Some(self.raw_text(&name));
        }
        while !self.rest.is_empty() {
            let at = self.rest.find('<').unwrap_or(self.rest.len());
            if at > 0 {
                let length = self.piece(at);
                return Some(Token::Text(self.skip(length)));
            }
            match self.markup() {
                Some(Some(token)) => return Some(token),
                Some(None) => {}
                None => return Some(Token::Text(self.skip(1))),
            }
        }
        None
    }
}

fn ends_name(char: char) -> bool {
    char.is_ascii_whitespace() || matches!(char, '/' | '>')
}

/// Those that tell what an element is to a reader.
const ATTRIBUTES: [&str; 4] = ["hidden", "aria-hidden", "role", "style"];

/// So that a reader may stop within a text.
const TEXT_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(html: &str) -> Vec<String> {
        Tokens::new(html)
            .map(|token| match token {
                Token::Text(text) => format!("'{text}'"),
                Token::Open(tag) => {
                    let attributes =
                        tag.attributes.iter().map(|(name, value)| format!(" {name}={value}"));
                    let end = if tag.is_closed { "/" } else { "" };
                    format!("<{}{}{end}", tag.name, attributes.collect::<String>())
                }
                Token::Close(name) => format!("/{name}"),
            })
            .collect()
    }

    #[test]
    fn tags_are_read_however_they_are_written() {
        assert_eq!(told("a<B>c</B >d"), ["'a'", "<b", "'c'", "/b", "'d'"]);
        assert_eq!(
            told("<p  CLASS=x>y'>Role = main hidden/>"),
            ["<p", "'y'>Role = main hidden/>'"]
        );
        assert_eq!(
            told("<p a='>' Role = \"x y\" style=a:b hidden />"),
            ["<p role=x y style=a:b hidden=/"]
        );
        assert_eq!(told("<br/><a href=/x/>"), ["<br/", "<a"]);
        assert_eq!(told("<p =hidden a=1hidden b hidden>"), ["<p hidden="]);
    }

    #[test]
    fn what_is_no_tag_is_text_or_nothing() {
        assert_eq!(told("1 < 2 <3 <"), ["'1 '", "'<'", "' 2 '", "'<'", "'3 '", "'<'"]);
        assert_eq!(
            told("<!doctype html><?xml?><!-- <p> -- > --><!--><b><!---></ x>c"),
            ["<b", "'c'"]
        );
        for open in ["<p a='", "<p", "<!--", "<!", "</p", "<p a=\"<p a=\""] {
            let got = told(&format!("a{open}"));
            assert!(got == ["'a'"] || got == ["'a'", "/p"], "{open}: {got:?}");
        }
    }

    #[test]
    fn raw_text_ends_at_its_own_end_tag_only() {
        let mut tokens = Tokens::new("<script>if (a</b>) '</scripts>' </SCRIPT >x");
        assert!(matches!(tokens.next(), Some(Token::Open(_))));
        tokens.raw("script");
        assert_eq!(tokens.next(), Some(Token::Text("if (a</b>) '</scripts>' ")));
        assert_eq!(tokens.next(), Some(Token::Close("script".into())));
        assert_eq!(tokens.next(), Some(Token::Text("x")));
    }
}
