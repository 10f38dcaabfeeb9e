//! PowerPoint presentations: the texts of each slide.

use super::archive::Archive;
use super::xml::{Step, walk};
use crate::parsed::{Bounds, Failure, Pages, Parsed};

/// The slides' texts.
pub(crate) fn read(bytes: &[u8], bounds: &Bounds) -> Result<Parsed, Failure> {
    let mut archive = Archive::open(bytes)?;
    let part = |number: usize| format!("ppt/slides/slide{number}.xml");
    let count = (1..).take_while(|number| archive.has(&part(*number))).count();
    if count == 0 {
        return Err(Failure::Broken("it has no slides"));
    }
    let mut pages = Pages::new(*bounds);
    for number in 1..=count {
        let mut text = String::new();
        slide(&archive.needed(&part(number))?, &mut text)?;
        if !pages.push(&format!("[slide {number}]"), &text) {
            break;
        }
    }
    Ok(pages.finish(count, "slide"))
}

fn slide(xml: &str, text: &mut String) -> Result<(), Failure> {
    let mut is_text = false;
    walk(xml, |step| {
        match step {
            Step::Open("t", _) => is_text = true,
            Step::Close("t") => is_text = false,
            Step::Open("br", _) | Step::Close("p" | "tr") if !text.ends_with('\n') => {
                text.push('\n');
            }
            Step::Text(piece) if is_text => text.push_str(piece),
            _ => {}
        }
        true
    })
}
