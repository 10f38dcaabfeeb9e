//! Markdown: CommonMark with tables, footnotes and front matter.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::document::Document;
use crate::error::ReadError;
use crate::flow::{Flow, Gap};
use crate::reader::{Extracted, Reader, decode, html};

/// Reads Markdown.
#[derive(Debug)]
pub(super) struct Markdown;

impl Reader for Markdown {
    fn kinds(&self) -> &[&str] {
        &["md", "markdown", "text/markdown", "text/x-markdown"]
    }

    fn read(&self, document: &Document) -> Result<Extracted, ReadError> {
        let text = decode(document)?;
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_HEADING_ATTRIBUTES
            | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
        let mut reading = Reading::default();
        for event in Parser::new_ext(&text, options) {
            reading.take(event)?;
        }
        Ok(reading.flow.finish(reading.title))
    }
}

/// How far we are.
#[derive(Debug, Default)]
struct Reading {
    flow: Flow,
    title: Option<String>,
    place: Place,
    /// A block of HTML comes in lines, and only the whole of it can be read.
    html: String,
}

/// What the text that comes is part of.
#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Prose,
    Code,
    FrontMatter,
}

impl Reading {
    fn take(&mut self, event: Event<'_>) -> Result<(), ReadError> {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => return self.end(tag),
            Event::Text(text) => match self.place {
                Place::Prose => self.flow.text(&text),
                Place::Code => self.flow.verbatim(&text),
                Place::FrontMatter => self.title = title(&text),
            },
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.flow.verbatim(&text);
            }
            Event::Html(html) => self.html.push_str(&html),
            Event::SoftBreak => self.flow.gap(Gap::Space),
            Event::HardBreak => self.flow.gap(Gap::Line),
            Event::Rule => self.flow.gap(Gap::Paragraph),
            // Inline tags only dress up the text between them.
            Event::InlineHtml(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
        Ok(())
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => self.flow.begin_heading(number(*level)),
            Tag::CodeBlock(_) => {
                self.flow.gap(Gap::Paragraph);
                self.place = Place::Code;
            }
            Tag::MetadataBlock(_) => self.place = Place::FrontMatter,
            Tag::Item | Tag::TableRow | Tag::TableHead => self.flow.gap(Gap::Line),
            Tag::TableCell => self.flow.gap(Gap::Space),
            tag if is_inline(&tag.to_end()) => {}
            _ => self.flow.gap(Gap::Paragraph),
        }
    }

    fn end(&mut self, tag: TagEnd) -> Result<(), ReadError> {
        match tag {
            TagEnd::Heading(_) => self.flow.end_heading(),
            TagEnd::CodeBlock | TagEnd::MetadataBlock(_) => {
                self.flow.gap(Gap::Paragraph);
                self.place = Place::Prose;
            }
            TagEnd::HtmlBlock => html::block(&std::mem::take(&mut self.html), &mut self.flow)?,
            TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead => self.flow.gap(Gap::Line),
            TagEnd::TableCell => self.flow.gap(Gap::Space),
            tag if is_inline(&tag) => {}
            _ => self.flow.gap(Gap::Paragraph),
        }
        Ok(())
    }
}

/// Whether text goes on across it.
fn is_inline(tag: &TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image
    )
}

/// The title in front matter, if it is a plain line.
fn title(yaml: &str) -> Option<String> {
    let title = yaml.lines().find_map(|line| line.strip_prefix("title:"))?;
    Some(title.trim().trim_matches(['"', '\'']).to_owned())
}

/// The number of a level of headings.
fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}
