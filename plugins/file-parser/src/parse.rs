//! A file's bytes to its text: which reader reads it, and how its pages are marked.

use crate::kind::Kind;
use crate::office::{read_document, read_slides, read_workbook};
use crate::parsed::{Bounds, Failure, Pages, Parsed, whole};
use crate::pdf::{Document, Unreadable};
use crate::plain;

/// Reads a file of this kind.
///
/// # Errors
/// When it cannot be read; a PDF also when it has pictures of pages, but no text.
pub fn parse(kind: Kind, bytes: &[u8], bounds: &Bounds) -> Result<Parsed, Failure> {
    match kind {
        Kind::Pdf => pdf(bytes, bounds),
        Kind::Document => read_document(bytes, bounds),
        Kind::Workbook => read_workbook(bytes, bounds),
        Kind::Slides => read_slides(bytes, bounds),
        Kind::Html => {
            let page = web_pages::html::read(&plain::decode(bytes), &mut |_| true);
            let title = (!page.title.is_empty()).then(|| format!("{}\n\n", page.title));
            Ok(whole(title.unwrap_or_default() + &page.text, bounds))
        }
        Kind::Text => Ok(whole(plain::decode(bytes), bounds)),
    }
}

fn pdf(bytes: &[u8], bounds: &Bounds) -> Result<Parsed, Failure> {
    let document = Document::open(bytes.to_vec()).map_err(|why| match why {
        Unreadable::Encrypted => Failure::Encrypted,
        Unreadable::Broken => Failure::Broken("it is damaged beyond repair, or no PDF at all"),
    })?;
    let page_count = document.page_count();
    if page_count == 0 {
        return Err(Failure::Broken("it has no pages"));
    }
    let mut pages = Pages::new(*bounds);
    let mut pictures = Vec::new();
    let (mut number, mut letters, mut drawn) = (0_usize, 0_usize, 0_usize);
    document.read(bounds.pictures_max, |page| {
        number += 1;
        letters += page.text.chars().filter(|c| c.is_alphanumeric()).count();
        drawn += page.picture_count;
        let mut text = page.text;
        if page.is_cut {
            text.push_str("\n[the rest of the page was left out]\n");
        }
        pictures.extend(page.pictures);
        let goes_on = pages.push(&format!("[page {number}]"), &text);
        goes_on.then(|| bounds.pictures_max.saturating_sub(pictures.len()))
    });
    // A scanner may print a number or a stamp of its own onto the picture.
    let is_scanned = drawn > 0 && letters < number * SCANNED_LETTERS_MAX;
    let parsed = Parsed { pictures, ..pages.finish(page_count, "page") };
    if is_scanned { Err(Failure::Scanned(page_count)) } else { Ok(parsed) }
}

/// Letters and digits per page, on average, below which pages with pictures are scans.
const SCANNED_LETTERS_MAX: usize = 8;
