//! Puts a page's pieces into reading order.
//!
//! Text of one direction is cut into bands, from the top down. Neighbouring bands that leave the
//! same gutters free stand in columns, and each column is read by itself, unless the columns are
//! those of a table: then rows are read.

use super::lines;
use super::pieces::{Piece, Turn};

/// The page's text, line by line.
pub(crate) fn text(pieces: Vec<Piece>) -> String {
    let mut groups: Vec<(Turn, Vec<Piece>)> = Vec::new();
    for piece in pieces {
        match groups.iter_mut().find(|(turn, _)| *turn == piece.turn) {
            Some((_, group)) => group.push(piece),
            None => groups.push((piece.turn, vec![piece])),
        }
    }
    // The direction of most of the text comes first: the rest are notes along the edge.
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.len()));
    let mut out = Output::default();
    for (_, group) in groups {
        arrange(group, 0, &mut out);
        out.separate();
    }
    out.text
}

#[derive(Default)]
struct Output {
    text: String,
    /// The last line's baseline and size, to tell a new paragraph.
    last: Option<(f64, f64)>,
}

impl Output {
    fn line(&mut self, line: &lines::Line) {
        if line.text.is_empty() {
            return;
        }
        let is_far = self.last.is_some_and(|(baseline, size)| {
            let leading = baseline - line.baseline;
            leading > PARAGRAPH_LEADING * size.max(line.size) || leading < -size
        });
        if is_far {
            self.separate();
        }
        self.text.push_str(&line.text);
        self.text.push('\n');
        self.last = Some((line.baseline, line.size));
    }

    /// Leaves an empty line.
    fn separate(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        self.last = None;
    }
}

/// What stands at one height, apart from what is above and below.
struct Band {
    pieces: Vec<Piece>,
    bottom: f64,
    /// Where it has text, ascending, without overlaps.
    filled: Vec<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    start: f64,
    end: f64,
}

fn arrange(pieces: Vec<Piece>, depth: usize, out: &mut Output) {
    if depth >= DEPTH_MAX {
        return write(pieces, out);
    }
    let mut run: Option<Run> = None;
    for band in bands(pieces) {
        run = Some(match run.take() {
            None => Run::new(band),
            Some(open) => match open.join(band) {
                Ok(longer) => longer,
                Err((finished, band)) => {
                    finished.write(depth, out);
                    Run::new(band)
                }
            },
        });
    }
    if let Some(run) = run {
        run.write(depth, out);
    }
}

fn bands(mut pieces: Vec<Piece>) -> Vec<Band> {
    pieces.sort_by(|one, other| top(other).total_cmp(&top(one)));
    let mut bands: Vec<Band> = Vec::new();
    for piece in pieces {
        match bands.last_mut() {
            Some(band) if top(&piece) > band.bottom => {
                band.bottom = band.bottom.min(bottom(&piece));
                band.pieces.push(piece);
            }
            _ => {
                bands.push(Band { bottom: bottom(&piece), pieces: vec![piece], filled: Vec::new() })
            }
        }
    }
    for band in &mut bands {
        band.filled = filled(&band.pieces);
    }
    bands
}

fn top(piece: &Piece) -> f64 {
    piece.baseline + ASCENT * piece.size
}

fn bottom(piece: &Piece) -> f64 {
    piece.baseline - DESCENT * piece.size
}

fn filled(pieces: &[Piece]) -> Vec<Span> {
    let mut spans: Vec<Span> =
        pieces.iter().map(|piece| Span { start: piece.start, end: piece.end }).collect();
    unite(&mut spans);
    spans
}

fn unite(spans: &mut Vec<Span>) {
    spans.sort_by(|one, other| one.start.total_cmp(&other.start));
    spans.dedup_by(|next, span| {
        let joins = next.start <= span.end;
        if joins {
            span.end = span.end.max(next.end);
        }
        joins
    });
}

/// Neighbouring bands that either all leave the same gutters, or have none.
struct Run {
    pieces: Vec<Piece>,
    filled: Vec<Span>,
    /// The size of most of the text.
    size: f64,
    band_count: usize,
}

impl Run {
    fn new(band: Band) -> Self {
        let size = typical_size(&band.pieces);
        Self { pieces: band.pieces, filled: band.filled, size, band_count: 1 }
    }

    /// Takes the band in, or gives both back.
    fn join(mut self, band: Band) -> Result<Self, (Self, Band)> {
        let had = !self.gutters(&self.filled).is_empty();
        let mut filled = self.filled.clone();
        filled.extend(&band.filled);
        unite(&mut filled);
        let has = !self.gutters(&filled).is_empty();
        let band_has = !self.gutters(&band.filled).is_empty();
        let goes_on = if had { has } else { !has && !band_has };
        if !goes_on {
            return Err((self, band));
        }
        self.pieces.extend(band.pieces);
        self.filled = filled;
        self.band_count += 1;
        Ok(self)
    }

    /// The middles of the gaps that are wide enough to part columns.
    fn gutters(&self, filled: &[Span]) -> Vec<f64> {
        let gaps = filled.iter().zip(filled.iter().skip(1));
        let wide = gaps.filter(|(left, right)| right.start - left.end >= GUTTER_MIN * self.size);
        wide.map(|(left, right)| (left.end + right.start) / 2.0).collect()
    }

    fn write(self, depth: usize, out: &mut Output) {
        let gutters = self.gutters(&self.filled);
        if gutters.is_empty() || self.pieces.len() < COLUMN_PIECES_MIN {
            return write(self.pieces, out);
        }
        let mut columns: Vec<Vec<Piece>> = gutters.iter().map(|_| Vec::new()).collect();
        columns.push(Vec::new());
        for piece in self.pieces {
            let place = gutters.iter().filter(|gutter| piece.start > **gutter).count();
            if let Some(column) = columns.get_mut(place) {
                column.push(piece);
            }
        }
        if columns.iter().any(|column| !is_prose(column)) {
            return write(columns.into_iter().flatten().collect(), out);
        }
        if columns.iter().map(|column| right_to_left(column)).sum::<i64>() > 0 {
            columns.reverse();
        }
        for column in columns {
            out.separate();
            arrange(column, depth + 1, out);
        }
        out.separate();
    }
}

/// Whether a column has lines as long as prose has them, not the cells of a table.
fn is_prose(column: &[Piece]) -> bool {
    let characters: usize = column.iter().map(|piece| piece.text.chars().count()).sum();
    let lines = lines::baselines(column);
    lines >= COLUMN_LINES_MIN && characters >= lines * LINE_CHARACTERS_MIN
}

/// More than 0 for text that is written from right to left.
fn right_to_left(column: &[Piece]) -> i64 {
    column.iter().map(|piece| lines::leaning(&piece.text)).sum()
}

fn write(pieces: Vec<Piece>, out: &mut Output) {
    for line in lines::lines(pieces) {
        out.line(&line);
    }
}

/// The middle one of the sizes.
fn typical_size(pieces: &[Piece]) -> f64 {
    let mut sizes: Vec<f64> = pieces.iter().map(|piece| piece.size).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.get(sizes.len() / 2).copied().unwrap_or(0.0)
}

/// Parts of the font's height: what stands above and below the baseline, how wide a gutter is at
/// least, and how far apart the baselines of two paragraphs are.
const ASCENT: f64 = 0.7;
const DESCENT: f64 = 0.2;
const GUTTER_MIN: f64 = 0.9;
const PARAGRAPH_LEADING: f64 = 1.75;

/// Columns within columns.
const DEPTH_MAX: usize = 6;

/// Less is not worth the name of columns.
const COLUMN_PIECES_MIN: usize = 8;
const COLUMN_LINES_MIN: usize = 3;
const LINE_CHARACTERS_MIN: usize = 14;
