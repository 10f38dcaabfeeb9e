//! The text of HTML, token by token: nothing is nested here, so nothing can be nested too deep.

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use std::cell::RefCell;

/// The visible text, one block a line.
pub(crate) fn text(html: &str) -> String {
    let tokenizer =
        Tokenizer::new(Sink(RefCell::new(Writer::default())), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(html));
    // It stops where a script would run; there is none to run here.
    while let html5ever::tokenizer::TokenizerResult::Script(()) = tokenizer.feed(&queue) {}
    tokenizer.end();
    let writer = tokenizer.sink.0.take();
    writer.text.trim().to_owned()
}

struct Sink(RefCell<Writer>);

#[derive(Default)]
struct Writer {
    text: String,
    /// The element whose contents are not shown, and how many of its name are open.
    hidden: Option<(String, usize)>,
    /// Open `pre` elements, in which white space counts.
    pre: usize,
    is_after_space: bool,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut writer = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => writer.characters(&text),
            Token::TagToken(tag) => {
                writer.tag(&tag);
                if tag.kind == TagKind::StartTag {
                    return match &*tag.name {
                        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                        "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                            TokenSinkResult::RawData(RawKind::Rawtext)
                        }
                        "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
                        _ => TokenSinkResult::Continue,
                    };
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Writer {
    fn characters(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        if self.pre > 0 {
            self.text.push_str(text);
            return;
        }
        for c in text.chars() {
            if c.is_whitespace() {
                self.is_after_space = true;
                continue;
            }
            if std::mem::take(&mut self.is_after_space)
                && !self.text.is_empty()
                && !self.text.ends_with(['\n', ' '])
            {
                self.text.push(' ');
            }
            self.text.push(c);
        }
    }

    fn tag(&mut self, tag: &Tag) {
        let name = &*tag.name;
        let is_start = tag.kind == TagKind::StartTag;
        if let Some((hidden, open)) = &mut self.hidden {
            if hidden == name {
                *open = if is_start { *open + 1 } else { open.saturating_sub(1) };
            }
            if *open == 0 {
                self.hidden = None;
            }
            return;
        }
        if is_start && HIDDEN.contains(&name) && !tag.self_closing {
            self.hidden = Some((name.to_owned(), 1));
            return;
        }
        match name {
            "br" | "hr" => self.text.push('\n'),
            "pre" => {
                self.pre = if is_start { self.pre + 1 } else { self.pre.saturating_sub(1) };
                self.line();
            }
            "td" | "th" if !is_start => self.text.push_str(" |"),
            "td" | "th" => self.is_after_space = true,
            "li" if is_start => self.begin("- "),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name.bytes().last().unwrap_or(b'1') - b'0';
                self.paragraph();
                if is_start {
                    self.text.push_str(&"#".repeat(usize::from(level)));
                    self.text.push(' ');
                }
            }
            "p" | "blockquote" | "table" | "ul" | "ol" => self.paragraph(),
            name if BLOCKS.contains(&name) => self.line(),
            _ => {}
        }
    }

    fn line(&mut self) {
        self.is_after_space = false;
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn paragraph(&mut self) {
        self.line();
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn begin(&mut self, mark: &str) {
        self.line();
        self.text.push_str(mark);
    }
}

/// Elements whose contents nobody sees.
const HIDDEN: [&str; 12] = [
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "noembed",
    "noframes", "select", "canvas",
];

const BLOCKS: [&str; 20] = [
    "address", "article", "aside", "body", "caption", "dd", "details", "div", "dl", "dt",
    "figcaption", "figure", "footer", "form", "header", "main", "nav", "section", "title", "tr",
];
