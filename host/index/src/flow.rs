//! Running text while it is collected from markup: white space is collapsed, blocks become lines
//! and paragraphs, headings are marked.

use crate::reader::{Extracted, Landmark, Mark};

/// Collects the text of one document.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    body: String,
    marks: Vec<Mark>,
    gap: Gap,
    heading: Option<(u8, usize)>,
}

/// What stands between two pieces of text; of several, the widest.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    #[default]
    None,
    Space,
    Line,
    Paragraph,
}

impl Flow {
    /// Keeps the next text apart from what is there.
    pub(crate) fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    /// Text in which any white space is one space.
    pub(crate) fn text(&mut self, text: &str) {
        for (index, word) in text.split(char::is_whitespace).enumerate() {
            if index > 0 {
                self.gap(Gap::Space);
            }
            self.push(word);
        }
    }

    /// Text as it stands, such as a code block's.
    pub(crate) fn verbatim(&mut self, text: &str) {
        self.push(text);
    }

    /// A heading's text follows.
    pub(crate) fn begin_heading(&mut self, level: u8) {
        self.gap(Gap::Paragraph);
        self.close_gap();
        self.heading = Some((level, self.body.len()));
    }

    /// The heading's text is complete.
    pub(crate) fn end_heading(&mut self) {
        if let Some((level, at)) = self.heading.take()
            && let Some(text) = self.body.get(at..).filter(|text| !text.is_empty())
        {
            let what = Landmark::Heading { level, text: text.to_owned() };
            self.marks.push(Mark { at, what });
        }
        self.gap(Gap::Paragraph);
    }

    /// All of it. Without a title of its own, a document has that of its first heading.
    pub(crate) fn finish(self, title: Option<String>) -> Extracted {
        let title = title.map(|title| title.split_whitespace().collect::<Vec<_>>().join(" "));
        let heading = || {
            self.marks.iter().find_map(|mark| match &mark.what {
                Landmark::Heading { text, .. } => Some(text.clone()),
                Landmark::Page(_) => None,
            })
        };
        let title = title.filter(|title| !title.is_empty()).or_else(heading);
        Extracted { title, body: self.body, marks: self.marks }
    }

    fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.close_gap();
        self.body.push_str(text);
    }

    fn close_gap(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        if self.body.is_empty() {
            return;
        }
        self.body.push_str(match gap {
            Gap::None => "",
            Gap::Space => " ",
            Gap::Line => "\n",
            Gap::Paragraph => "\n\n",
        });
    }
}
