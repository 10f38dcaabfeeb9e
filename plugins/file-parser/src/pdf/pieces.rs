//! Joins the glyphs of a page into pieces: what stands close together on one baseline, without a
//! space, in the order in which the page draws it.

use super::matrix::Point;

/// A run of characters without a space.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// The quarter turn in which it reads.
    pub(crate) turn: Turn,
    /// Along the line, from the page's edge, in points; `start <= end`.
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// Across the lines, growing upwards.
    pub(crate) baseline: f64,
    /// The font's height in points.
    pub(crate) size: f64,
    /// A space was drawn right before it.
    pub(crate) is_after_space: bool,
}

/// The direction of reading, to the nearest quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Turn {
    Right,
    Up,
    Left,
    Down,
}

/// A glyph where it stands on the page.
pub(crate) struct Placed<'t> {
    pub(crate) text: &'t str,
    pub(crate) origin: Point,
    /// The way to the next glyph's origin.
    pub(crate) advance: Point,
    /// Where the line goes, a unit vector.
    pub(crate) direction: Point,
    pub(crate) size: f64,
}

/// What the glyphs are given to.
#[derive(Default)]
pub(crate) struct Pieces {
    done: Vec<Piece>,
    open: Option<Open>,
    is_after_space: bool,
}

struct Open {
    piece: Piece,
    direction: Point,
    /// Where the next glyph would stand.
    pen: Point,
}

impl Pieces {
    /// Adds a glyph.
    pub(crate) fn push(&mut self, glyph: &Placed<'_>) {
        if glyph.text.chars().all(|c| c.is_whitespace() || c == '\u{a0}' || c == '\u{ad}') {
            // A soft hyphen that is drawn ends a line, and is read as one.
            if glyph.text.contains('\u{ad}') {
                return self.push(&Placed { text: "-", ..*glyph });
            }
            self.close();
            self.is_after_space |= !glyph.text.is_empty();
            return;
        }
        let pen =
            Point { x: glyph.origin.x + glyph.advance.x, y: glyph.origin.y + glyph.advance.y };
        if !(pen.x.is_finite() && pen.y.is_finite() && glyph.size.is_finite()) {
            return;
        }
        let turn = Turn::of(glyph.direction);
        let (start, baseline) = turn.frame(glyph.origin);
        let (end, _) = turn.frame(pen);
        let (start, end) = (start.min(end), start.max(end));
        if let Some(open) = &mut self.open
            && open.takes(glyph)
        {
            open.piece.text.push_str(glyph.text);
            open.piece.end = open.piece.end.max(end);
            open.piece.start = open.piece.start.min(start);
            open.pen = pen;
            return;
        }
        self.close();
        let is_after_space = std::mem::take(&mut self.is_after_space);
        let text = glyph.text.to_owned();
        let size = glyph.size;
        let piece = Piece { text, turn, start, end, baseline, size, is_after_space };
        self.open = Some(Open { piece, direction: glyph.direction, pen });
    }

    /// The pieces, in the order in which they were drawn.
    pub(crate) fn into_vec(mut self) -> Vec<Piece> {
        self.close();
        self.done
    }

    fn close(&mut self) {
        self.done.extend(self.open.take().map(|open| open.piece));
    }
}

impl Open {
    /// Whether the glyph goes on where the piece ends.
    fn takes(&self, glyph: &Placed<'_>) -> bool {
        let size = self.piece.size;
        let way = self.pen.to(glyph.origin);
        let gap = way.along(self.direction);
        let shift = way.across(self.direction).abs();
        self.direction.along(glyph.direction) > ALIGNED
            && shift <= SHIFT_MAX * size
            && gap <= GAP_MAX * size
            && gap >= -OVERLAP_MAX * size
            && (glyph.size - size).abs() <= SIZE_CHANGE_MAX * size
    }
}

impl Turn {
    fn of(direction: Point) -> Self {
        if direction.x.abs() >= direction.y.abs() {
            if direction.x >= 0.0 { Self::Right } else { Self::Left }
        } else if direction.y >= 0.0 {
            Self::Up
        } else {
            Self::Down
        }
    }

    /// A place as a reader of this direction sees it: along the line, and upwards across lines.
    fn frame(self, place: Point) -> (f64, f64) {
        match self {
            Self::Right => (place.x, place.y),
            Self::Up => (place.y, -place.x),
            Self::Left => (-place.x, -place.y),
            Self::Down => (-place.y, place.x),
        }
    }
}

/// Parts of the font's height: how far glyphs of one piece may be apart, may overlap, may leave the
/// baseline, and may differ in height.
const GAP_MAX: f64 = 0.12;
const OVERLAP_MAX: f64 = 0.25;
const SHIFT_MAX: f64 = 0.1;
const SIZE_CHANGE_MAX: f64 = 0.35;

/// The cosine of the angle by which glyphs of one piece may be turned to each other.
const ALIGNED: f64 = 0.98;
