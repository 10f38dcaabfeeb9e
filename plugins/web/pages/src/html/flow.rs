//! Text as it flows out of markup: white space as a reader sees it, blocks apart, and in the end
//! those blocks that are the page's subject.

/// The text so far.
#[derive(Debug, Default)]
pub(super) struct Flow {
    blocks: Vec<Block>,
    bytes: usize,
    gap: Gap,
    space: bool,
    prefix: Option<&'static str>,
}

/// A piece of text between two breaks.
#[derive(Debug)]
struct Block {
    gap: Gap,
    place: Place,
    text: String,
    /// How many bytes of it are links.
    linked: usize,
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) is_main: bool,
    /// Which article, from 1; 0 is none.
    pub(super) article: u32,
    pub(super) is_furniture: bool,
}

/// What stands between two texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    #[default]
    None,
    Line,
    Paragraph,
}

impl Flow {
    /// Whether more text would be too much.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= TEXT_BYTES_MAX
    }

    /// The widest of the gaps since the last text stands.
    pub(super) fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
        self.prefix = None;
        self.space = false;
    }

    /// The next text begins with this.
    pub(super) fn prefix(&mut self, prefix: &'static str) {
        self.prefix = Some(prefix);
    }

    pub(super) fn space(&mut self) {
        self.space = true;
    }

    /// More text. White space counts as one space, unless it stands as it is.
    pub(super) fn text(&mut self, text: &str, place: Place, is_verbatim: bool, is_link: bool) {
        if is_verbatim && self.gap == Gap::None && !text.is_empty() {
            let space = std::mem::take(&mut self.space);
            if let Some(block) = self.block(place) {
                if space {
                    block.text.push(' ');
                }
                block.text.push_str(text);
                self.bytes = self.bytes.saturating_add(text.len());
                return;
            }
        }
        let begins_blank = text.starts_with(char::is_whitespace);
        let shown = match is_verbatim {
            true => text.trim_matches('\n'),
            false => text.trim(),
        };
        self.space |= begins_blank && !is_verbatim;
        if shown.trim().is_empty() {
            return;
        }
        let space = std::mem::take(&mut self.space);
        let Some(block) = self.block(place) else { return };
        let before = block.text.len();
        if space && !block.text.is_empty() && !block.text.ends_with(' ') {
            block.text.push(' ');
        }
        match is_verbatim {
            true => block.text.push_str(shown),
            false => push_collapsed(shown, &mut block.text),
        }
        let added = block.text.len().saturating_sub(before);
        block.linked = block.linked.saturating_add(if is_link { added } else { 0 });
        self.bytes = self.bytes.saturating_add(added);
        self.space = !is_verbatim && text.ends_with(char::is_whitespace);
    }

    /// The block that the next text belongs to.
    fn block(&mut self, place: Place) -> Option<&mut Block> {
        let is_new = self.gap > Gap::None
            || self.blocks.last().is_none_or(|block| block.place != place)
            || self.prefix.is_some();
        if is_new {
            let gap = std::mem::take(&mut self.gap).max(Gap::Line);
            let text = self.prefix.take().unwrap_or_default().to_owned();
            self.blocks.push(Block { gap, place, text, linked: 0 });
        }
        self.blocks.last_mut()
    }

    /// The blocks that are the page's subject.
    pub(super) fn finish(self) -> String {
        let size = |is_it: &dyn Fn(&Block) -> bool| -> usize {
            self.blocks.iter().filter(|block| is_it(block)).map(|block| block.text.len()).sum()
        };
        let is_text = |block: &Block| !block.place.is_furniture && !is_list_of_links(block);
        let is_main = |block: &Block| block.place.is_main && !block.place.is_furniture;
        let is_article = |block: &Block| block.place.article > 0 && !block.place.is_furniture;
        let whole = size(&is_text);
        if size(&is_main) >= ENOUGH_BYTES {
            self.join(&is_main)
        } else if size(&is_article) >= ENOUGH_BYTES.max(whole / 4) {
            self.join(&is_article)
        } else if whole >= ENOUGH_BYTES {
            self.join(&is_text)
        } else if size(&|block| !block.place.is_furniture) > 0 {
            self.join(&|block| !block.place.is_furniture)
        } else {
            self.join(&|_| true)
        }
    }

    fn join(&self, is_it: &dyn Fn(&Block) -> bool) -> String {
        let mut out = String::with_capacity(self.bytes);
        for block in self.blocks.iter().filter(|block| is_it(block)) {
            if !out.is_empty() {
                out.push_str(if block.gap == Gap::Paragraph { "\n\n" } else { "\n" });
            }
            out.push_str(block.text.trim_end());
        }
        out
    }
}

fn is_list_of_links(block: &Block) -> bool {
    let length = block.text.len();
    length < LINKS_BYTES_MAX && block.linked.saturating_mul(10) > length.saturating_mul(7)
}

fn push_collapsed(text: &str, out: &mut String) {
    let mut words = text.split_whitespace();
    if let Some(first) = words.next() {
        out.push_str(first);
    }
    for word in words {
        out.push(' ');
        out.push_str(word);
    }
}

/// The text of a long book's chapter. What a model reads of a page is far less.
const TEXT_BYTES_MAX: usize = 256 << 10;

/// A main part with less is the place where a script would write.
const ENOUGH_BYTES: usize = 140;

/// A longer text with many links is an article about them.
const LINKS_BYTES_MAX: usize = 200;
