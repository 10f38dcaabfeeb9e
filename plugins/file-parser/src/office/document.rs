//! Word documents: paragraphs, headings, lists, tables, notes.

use super::archive::Archive;
use super::xml::{Step, walk};
use crate::parsed::{Bounds, Failure, Parsed, whole};

/// The document's text.
pub(crate) fn read(bytes: &[u8], bounds: &Bounds) -> Result<Parsed, Failure> {
    let mut archive = Archive::open(bytes)?;
    let mut text = String::new();
    body(&archive.needed("word/document.xml")?, bounds, &mut text)?;
    for notes in ["word/footnotes.xml", "word/endnotes.xml"] {
        if let Some(xml) = archive.part(notes)? {
            let before = text.len();
            body(&xml, bounds, &mut text)?;
            if text.get(before..).is_some_and(|notes| notes.trim().is_empty()) {
                text.truncate(before);
            }
        }
    }
    Ok(whole(text.trim_end().to_owned(), bounds))
}

fn body(xml: &str, bounds: &Bounds, text: &mut String) -> Result<(), Failure> {
    let (mut is_text, mut cells) = (false, 0_usize);
    walk(xml, |step| {
        match step {
            Step::Open("t", _) => is_text = true,
            Step::Open("tab", _) => text.push('\t'),
            Step::Open("br" | "cr", _) => text.push('\n'),
            Step::Open("noBreakHyphen", _) => text.push('-'),
            Step::Open("pStyle", style) => {
                let level = style.value("val").and_then(|name| heading_level(&name));
                text.push_str(&level.map(|level| "#".repeat(level) + " ").unwrap_or_default());
            }
            Step::Open("numPr", _) => text.push_str("- "),
            Step::Open("tc", _) => cells += 1,
            Step::Text(piece) if is_text => text.push_str(piece),
            Step::Close("t") => is_text = false,
            // Paragraphs of a table's cell stay in its row.
            Step::Close("p") => text.push(if cells > 0 { ' ' } else { '\n' }),
            Step::Close("tc") => {
                cells = cells.saturating_sub(1);
                text.push_str("| ");
            }
            Step::Close("tr") => text.push('\n'),
            _ => {}
        }
        text.len() <= bounds.text_bytes_max
    })
}

/// 1 to 6 for the styles that every language's Word names so in the file.
fn heading_level(style: &str) -> Option<usize> {
    match style {
        "Title" => Some(1),
        other => {
            let level = other.strip_prefix("Heading")?.trim().parse().ok()?;
            (1..=6).contains(&level).then_some(level)
        }
    }
}
