//! Reads PDF: the text of each page in reading order, and its pictures.
//!
//! `hayro-syntax` reads the file's objects (and repairs broken tables of them), `hayro-font` its
//! fonts. Here the instructions of a page are run, which give glyphs with places ([`content`]);
//! glyphs are joined into [`pieces`], pieces into [`lines`], and lines into an order to read them
//! in ([`layout`]). Nothing here looks at more than a [`budget`] of work allows.

mod budget;
mod content;
mod fonts;
mod layers;
mod layout;
mod lines;
mod matrix;
mod notes;
mod pictures;
mod pieces;
mod text;

use crate::parsed::Picture;
use budget::Budget;
use content::Content;
use fonts::Fonts;
use hayro_syntax::object::{Object, Stream};
use hayro_syntax::page::Page;
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use layers::Layers;

/// A PDF that was opened.
pub struct Document {
    pdf: Pdf,
}

/// Why a PDF cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It opens with a password only.
    Encrypted,
    /// It is damaged beyond repair, or no PDF at all.
    Broken,
}

/// What one page has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageText {
    /// Lines, each with its line break; an empty line between paragraphs.
    pub text: String,
    /// Its first pictures that can be shown to a model.
    pub pictures: Vec<Picture>,
    /// How many pictures it has, ornaments left out.
    pub picture_count: usize,
    /// The page is more work than one page may be; a part is missing.
    pub is_cut: bool,
}

impl Document {
    /// Opens a PDF. Its pages are read one by one, when asked for.
    ///
    /// # Errors
    /// When it is encrypted with a password that is not empty, or beyond repair.
    pub fn open(bytes: Vec<u8>) -> Result<Self, Unreadable> {
        let pdf = Pdf::new(bytes).map_err(|error| match error {
            LoadPdfError::Decryption(
                DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm,
            ) => Unreadable::Encrypted,
            LoadPdfError::Decryption(_) | LoadPdfError::Invalid => Unreadable::Broken,
        })?;
        Ok(Self { pdf })
    }

    /// How many pages it has.
    pub fn page_count(&self) -> usize {
        self.pdf.pages().len()
    }

    /// Reads pages, in their order, and gives them with their first pictures, as many as `take` asks
    /// for; stops when it returns `None`.
    pub fn read(&self, mut pictures: usize, mut take: impl FnMut(PageText) -> Option<usize>) {
        let layers = Layers::read(&self.pdf);
        let mut fonts = Fonts::new();
        for page in self.pdf.pages().iter() {
            match take(read_page(page, &mut fonts, &layers, pictures)) {
                Some(wanted) => pictures = wanted,
                None => break,
            }
        }
    }
}

fn read_page<'a>(
    page: &Page<'a>,
    fonts: &mut Fonts<'a>,
    layers: &Layers,
    pictures_max: usize,
) -> PageText {
    let mut budget = Budget::page();
    let instructions = instructions(page, &mut budget);
    let mut content = Content::new(fonts, layers, &mut budget);
    content.run(&instructions, page.resources());
    notes::run(page, &mut content);
    let (pieces, drawn) = content.finish();
    let text = layout::text(pieces);
    let is_cut = budget.is_exceeded();
    // Pictures have a budget of their own: they are no reason to lose text.
    let mut budget = Budget::page();
    let readable = drawn.iter().filter_map(|stream| pictures::read(stream, &mut budget));
    let pictures = readable.take(pictures_max).collect();
    PageText { text, pictures, picture_count: drawn.len(), is_cut }
}

/// A page's instructions, which may stand in several streams.
fn instructions(page: &Page<'_>, budget: &mut Budget) -> Vec<u8> {
    let mut out = Vec::new();
    let mut add = |stream: &Stream<'_>| {
        if let Some(part) = budget::decode(stream, budget) {
            out.extend_from_slice(&part);
            out.push(b' ');
        }
    };
    match page.raw().get::<Object<'_>>(b"Contents") {
        Some(Object::Stream(stream)) => add(&stream),
        Some(Object::Array(streams)) => {
            streams
                .iter::<Object<'_>>()
                .filter_map(Object::into_stream)
                .for_each(|stream| add(&stream));
        }
        _ => {}
    }
    out
}
