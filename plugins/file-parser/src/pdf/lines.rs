//! Joins pieces that stand beside each other into lines.

use super::pieces::Piece;

/// One line of text.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) baseline: f64,
    pub(crate) size: f64,
}

/// The lines of these pieces, from the top down.
pub(crate) fn lines(pieces: Vec<Piece>) -> Vec<Line> {
    rows(pieces).into_iter().map(line).collect()
}

/// How many lines these pieces make.
pub(crate) fn baselines(pieces: &[Piece]) -> usize {
    let mut heights: Vec<(f64, f64)> =
        pieces.iter().map(|piece| (piece.baseline, piece.size)).collect();
    heights.sort_by(|one, other| other.0.total_cmp(&one.0));
    heights.dedup_by(|next, row| row.0 - next.0 <= SAME_LINE * row.1.min(next.1));
    heights.len()
}

/// More than 0 for text that reads from right to left, less than 0 from left to right.
pub(crate) fn leaning(text: &str) -> i64 {
    text.chars().map(|c| if is_right_to_left(c) { 1 } else { -i64::from(c.is_alphabetic()) }).sum()
}

fn rows(mut pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    pieces.sort_by(|one, other| other.baseline.total_cmp(&one.baseline));
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    // The height of a row is that of its largest piece: what is set smaller is raised or lowered.
    let mut height: (f64, f64) = (f64::INFINITY, 0.0);
    for piece in pieces {
        let (small, large) = (height.1.min(piece.size), height.1.max(piece.size));
        let near = (SAME_LINE * small).max(INDEX_SHIFT * large);
        match rows.last_mut() {
            Some(row) if height.0 - piece.baseline <= near => {
                if piece.size > height.1 {
                    height = (piece.baseline, piece.size);
                }
                row.push(piece);
            }
            _ => {
                height = (piece.baseline, piece.size);
                rows.push(vec![piece]);
            }
        }
    }
    rows
}

fn line(mut row: Vec<Piece>) -> Line {
    row.sort_by(|one, other| one.start.total_cmp(&other.start));
    let size = row.iter().map(|piece| piece.size).fold(0.0, f64::max);
    let baseline = row.iter().map(|piece| piece.baseline).fold(f64::INFINITY, f64::min);
    let mut text = String::new();
    let mut last: Option<&Piece> = None;
    for piece in &row {
        if let Some(last) = last {
            if is_shadow(last, piece) {
                continue;
            }
            let small = last.size.min(piece.size);
            let gap = piece.start - last.end;
            if gap >= WORD_GAP * small || piece.is_after_space && gap > -WORD_GAP * small {
                text.push(' ');
            }
        }
        text.push_str(&piece.text);
        last = Some(piece);
    }
    if leaning(&text) > 0 {
        text = reordered(&text);
    }
    Line { text, baseline, size }
}

/// The same text again in nearly the same place, which is how some programs print bold.
fn is_shadow(last: &Piece, piece: &Piece) -> bool {
    last.text == piece.text
        && (piece.start - last.start).abs() <= SHADOW * piece.size
        && (piece.baseline - last.baseline).abs() <= SHADOW * piece.size
}

/// A line as it is seen from left to right, in the order in which it is read from right to left:
/// all is turned round but numbers and words of the other direction.
fn reordered(seen: &str) -> String {
    let mut out = String::with_capacity(seen.len());
    let mut kept: Vec<char> = Vec::new();
    for c in seen.chars().rev() {
        let is_kept = c.is_alphanumeric() && !is_right_to_left(c)
            || !kept.is_empty() && matches!(c, '.' | ',' | ':' | '/' | '-' | '%' | '\'');
        if is_kept {
            kept.push(c);
            continue;
        }
        out.extend(kept.drain(..).rev());
        out.push(mirrored(c));
    }
    out.extend(kept.drain(..).rev());
    out
}

fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        '«' => '»',
        '»' => '«',
        other => other,
    }
}

/// Hebrew, Arabic, Syriac, Thaana, N'Ko and their forms for printing.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// Parts of the font's height: how far baselines of one line are apart at most (of the smaller font,
/// and of the larger one, for indices), from which gap on there is a space, and how far a second
/// print is moved.
const SAME_LINE: f64 = 0.5;
const INDEX_SHIFT: f64 = 0.4;
const WORD_GAP: f64 = 0.15;
const SHADOW: f64 = 0.2;
