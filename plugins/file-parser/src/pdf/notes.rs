//! Annotations: the texts of form fields and notes that stand on a page.

use super::content::Content;
use super::matrix::Matrix;
use hayro_syntax::object::{Array, Dict, Name, Rect, Stream, String as Text};
use hayro_syntax::page::Page;

/// Runs the appearance of each annotation that is shown.
pub(crate) fn run<'a>(page: &Page<'a>, content: &mut Content<'_, 'a>) {
    let Some(notes) = page.raw().get::<Array<'a>>(b"Annots") else { return };
    for note in notes.iter::<Dict<'a>>().take(NOTES_MAX) {
        if let Some((form, matrix, place)) = appearance(&note) {
            content.form_of(&form, matrix, &value(&note).unwrap_or_default(), &place);
        }
    }
}

/// What was filled in. Some writers leave drawing it to who shows the page.
fn value(note: &Dict<'_>) -> Option<String> {
    let kind = note.get::<Name<'_>>(b"FT")?;
    let is_secret = note.get::<u32>(b"Ff").unwrap_or(0) & PASSWORD != 0;
    if is_secret || !matches!(kind.as_ref(), b"Tx" | b"Ch") {
        return None;
    }
    Some(super::text::decode(note.get::<Text<'_>>(b"V")?.as_bytes()))
}

/// What the annotation looks like, how it is put onto the page, and where.
fn appearance<'a>(note: &Dict<'a>) -> Option<(Stream<'a>, Matrix, Rect)> {
    let flags = note.get::<u32>(b"F").unwrap_or(0);
    if flags & (HIDDEN | NOT_VIEWED) != 0 {
        return None;
    }
    let kind = note.get::<Name<'_>>(b"Subtype")?;
    if matches!(kind.as_ref(), b"Popup" | b"Link") {
        return None;
    }
    let appearances = note.get::<Dict<'a>>(b"AP")?;
    let form = appearances.get::<Stream<'a>>(b"N").or_else(|| {
        let states = appearances.get::<Dict<'a>>(b"N")?;
        let state = note.get::<Name<'_>>(b"AS")?;
        states.get::<Stream<'a>>(&state)
    })?;
    let place = note.get::<Rect>(b"Rect")?;
    let matrix = form.dict().get::<[f64; 6]>(b"Matrix").map_or(Matrix::IDENTITY, Matrix::new);
    let bounds = form.dict().get::<Rect>(b"BBox")?;
    let corners = [
        matrix.place(bounds.x0, bounds.y0),
        matrix.place(bounds.x1, bounds.y0),
        matrix.place(bounds.x0, bounds.y1),
        matrix.place(bounds.x1, bounds.y1),
    ];
    let least = |value: fn(&super::matrix::Point) -> f64| {
        corners.iter().map(value).fold(f64::INFINITY, f64::min)
    };
    let most = |value: fn(&super::matrix::Point) -> f64| {
        corners.iter().map(value).fold(f64::NEG_INFINITY, f64::max)
    };
    let (left, right) = (least(|corner| corner.x), most(|corner| corner.x));
    let (bottom, top) = (least(|corner| corner.y), most(|corner| corner.y));
    let scale = |to: f64, from: f64| if from > 0.0 { to / from } else { 1.0 };
    let x = scale(place.x1 - place.x0, right - left);
    let y = scale(place.y1 - place.y0, top - bottom);
    let onto = Matrix::new([x, 0.0, 0.0, y, place.x0 - left * x, place.y0 - bottom * y]);
    Some((form, onto, place))
}

const HIDDEN: u32 = 2;
const NOT_VIEWED: u32 = 32;

/// Of a field's own flags.
const PASSWORD: u32 = 1 << 13;

const NOTES_MAX: usize = 5_000;
