//! Cuts a text into passages: at headings, then at the last paragraph, sentence or word before the
//! passage is full. Every character but white space around a cut is in some passage.

use crate::reader::{Extracted, Landmark};
use crate::settings::Settings;

/// A piece of a text that is found as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passage<'a> {
    pub(crate) text: &'a str,
    /// Where it begins in the body, in characters.
    pub(crate) offset: u64,
    /// The headings above it, outermost first.
    pub(crate) headings: Vec<&'a str>,
    pub(crate) page: Option<u64>,
}

/// The passages of a text in its order. They borrow from it, so a large text is not held twice.
pub(crate) fn passages<'a>(
    text: &'a Extracted,
    settings: &Settings,
) -> impl Iterator<Item = Passage<'a>> {
    let chars = settings.passage_chars.max(1);
    let overlap = settings.overlap_chars.min(chars / 4);
    let mut counted = (0_usize, 0_u64);
    let pieces = sections(text).into_iter().flat_map(move |section| {
        let body = text.body.get(section.from..section.to).unwrap_or_default();
        Pieces { body, at: 0, chars, overlap }.map(move |(at, piece)| {
            (section.from.saturating_add(at), piece, section.headings.clone())
        })
    });
    pieces.map(move |(at, piece, headings)| {
        let (byte, offset) = counted;
        let between = text.body.get(byte..at).unwrap_or_default().chars().count();
        let offset = offset.saturating_add(u64::try_from(between).unwrap_or(u64::MAX));
        counted = (at, offset);
        Passage { text: piece, offset, headings, page: page(text, at) }
    })
}

/// What stands under one heading.
#[derive(Debug)]
struct Section<'a> {
    from: usize,
    to: usize,
    headings: Vec<&'a str>,
}

/// Headings with nothing between them begin one section, under the last of them: a passage that is
/// only a heading helps nobody.
fn sections(text: &Extracted) -> Vec<Section<'_>> {
    let body = text.body.as_str();
    let mut path: Vec<(u8, &str)> = Vec::new();
    let mut sections = Vec::new();
    let mut from = 0;
    // Where the last heading's own text ends.
    let mut told = 0;
    for mark in &text.marks {
        let Landmark::Heading { level, text: heading } = &mark.what else { continue };
        // A foreign reader may be wrong about places; that must not lose text.
        let at = body.floor_char_boundary(mark.at).max(told);
        if body.get(told..at).is_some_and(|between| !between.trim().is_empty()) {
            let headings = path.iter().map(|(_, heading)| *heading).collect();
            sections.push(Section { from, to: at, headings });
            from = at;
        }
        path.retain(|(above, _)| above < level);
        path.push((*level, heading));
        let rest = body.get(at..).unwrap_or_default();
        let length = if rest.starts_with(heading.as_str()) { heading.len() } else { 0 };
        told = at.saturating_add(length);
    }
    let headings = path.iter().map(|(_, heading)| *heading).collect();
    sections.push(Section { from, to: body.len(), headings });
    sections
}

/// The page at a place: that of the last mark up to it.
fn page(text: &Extracted, at: usize) -> Option<u64> {
    let pages = text.marks.iter().filter_map(|mark| match mark.what {
        Landmark::Page(page) => Some((mark.at, page)),
        Landmark::Heading { .. } => None,
    });
    pages.take_while(|(from, _)| *from <= at).last().map(|(_, page)| page)
}

/// Cuts a section. Gives pieces without white space around them, and where they begin.
#[derive(Debug)]
struct Pieces<'a> {
    body: &'a str,
    at: usize,
    chars: usize,
    overlap: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.body.get(self.at..)?;
        let trimmed = rest.trim_start();
        if trimmed.is_empty() {
            return None;
        }
        let start = self.at.saturating_add(rest.len().saturating_sub(trimmed.len()));
        let (length, next) = cut(trimmed, self.chars, self.overlap);
        self.at = start.saturating_add(next);
        Some((start, trimmed.get(..length)?.trim_end()))
    }
}

/// How long the first piece of a text is, and where the next one begins, which is earlier if they
/// overlap. Looks at no more of the text than fits into a piece.
fn cut(text: &str, chars: usize, overlap: usize) -> (usize, usize) {
    let Some((end, _)) = text.char_indices().nth(chars) else { return (text.len(), text.len()) };
    let window = text.get(..end).unwrap_or(text);
    let half = window.char_indices().nth(chars / 2).map_or(0, |(at, _)| at);
    let last = |border| borders(window, border).take_while(|at| *at <= end).filter(|at| *at > half);
    if let Some(at) = last(is_paragraph).last() {
        return (at, at);
    }
    let at = last(is_sentence).last().or_else(|| last(is_word).last()).unwrap_or(end);
    let tail = window.get(..at).unwrap_or(window);
    let from = tail.char_indices().rev().nth(overlap.saturating_sub(1)).map_or(0, |(from, _)| from);
    let next = borders(tail, is_sentence).find(|border| overlap > 0 && *border >= from.max(1));
    (at, next.unwrap_or(at))
}

/// The places after characters that end something.
fn borders(text: &str, ends: fn(char, char) -> bool) -> impl Iterator<Item = usize> {
    let pairs = text.char_indices().zip(text.chars().skip(1));
    let found = pairs.filter(move |((_, this), next)| ends(*this, *next));
    found.map(|((at, this), _)| at.saturating_add(this.len_utf8()))
}

fn is_paragraph(this: char, next: char) -> bool {
    this == '\n' && next == '\n'
}

fn is_sentence(this: char, next: char) -> bool {
    let stop = matches!(this, '.' | '!' | '?' | '…') && next.is_whitespace();
    // Chinese and Japanese put no space after a sentence.
    stop || matches!(this, '\n' | '。' | '！' | '？')
}

fn is_word(this: char, _: char) -> bool {
    this.is_whitespace()
}

#[cfg(test)]
mod tests;
