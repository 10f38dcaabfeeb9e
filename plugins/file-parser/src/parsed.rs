//! What is read from a file, and how it is written for the model.

/// A file as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Its text, with page marks where it has pages.
    pub text: String,
    /// Its first pictures.
    pub pictures: Vec<Picture>,
    /// Pages, slides or sheets that were read; 1 for a file without any.
    pub page_count: usize,
}

/// A picture that a model can look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// `image/png` or `image/jpeg`
    pub mime: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// How much of a file is read.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Pages, slides or sheets at most.
    pub pages_max: usize,
    /// Bytes of text at most, to the character.
    pub text_bytes_max: usize,
    /// Pictures at most.
    pub pictures_max: usize,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It opens with a password only.
    Encrypted,
    /// It is damaged, or not what its beginning says.
    Broken(&'static str),
    /// A PDF whose pages, so many, are pictures without text.
    Scanned(usize),
    /// It unpacks to more than is looked at.
    Bomb,
    /// No kind of file that is known.
    Unknown,
}

/// Text in pages, written until a bound is reached.
#[derive(Debug)]
pub(crate) struct Pages {
    text: String,
    bounds: Bounds,
    read: usize,
    is_full: bool,
}

impl Pages {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { text: String::new(), bounds, read: 0, is_full: false }
    }

    /// Adds a page under its mark; false when there is no room for another one.
    pub(crate) fn push(&mut self, mark: &str, text: &str) -> bool {
        if self.is_full {
            return false;
        }
        self.text.push_str(mark);
        self.text.push('\n');
        self.text.push_str(text.trim_matches('\n'));
        self.text.push_str("\n\n");
        self.read += 1;
        self.is_full =
            self.read >= self.bounds.pages_max || self.text.len() >= self.bounds.text_bytes_max;
        !self.is_full
    }

    /// The whole text; says what is missing of `page_count` pages.
    pub(crate) fn finish(mut self, page_count: usize, noun: &str) -> Parsed {
        let is_cut = cut(&mut self.text, self.bounds.text_bytes_max);
        self.text.truncate(self.text.trim_end().len());
        if self.read < page_count {
            let read = self.read;
            self.text.push_str(&format!(
                "\n\n[{noun}s {} to {page_count} of {page_count} were left out]",
                read + 1
            ));
        } else if is_cut {
            self.text.push_str(CUT);
        }
        Parsed { text: self.text, pictures: Vec::new(), page_count: self.read }
    }
}

/// A text without pages, as far as the bounds allow.
pub(crate) fn whole(mut text: String, bounds: &Bounds) -> Parsed {
    if cut(&mut text, bounds.text_bytes_max) {
        text.push_str(CUT);
    }
    Parsed { text, pictures: Vec::new(), page_count: 1 }
}

/// Shortens a text to so many bytes; true if it was longer.
fn cut(text: &mut String, bytes_max: usize) -> bool {
    let is_longer = text.len() > bytes_max;
    if is_longer {
        text.truncate(text.floor_char_boundary(bytes_max));
    }
    is_longer
}

const CUT: &str = "\n\n[the rest of the text was left out]";
