//! What a page's fonts say of its codes: which character a code is, and how far it advances.
//!
//! `hayro-font` reads encodings, `ToUnicode` maps and widths. Where a font says nothing of a code's
//! meaning, three things are tried: the character collection of a CJK font, the embedded font's
//! own table of characters, and the names of its glyphs.

mod fallback;

use fallback::Fallback;
use hayro_cmap::{BfString, load_embedded};
use hayro_font::{CMapResolverFn, Font, FontCache, FontGlyph, FontResolverFn};
use hayro_syntax::object::{Array, Dict, Name, Number, ObjRef, Object};
use hayro_syntax::page::Resources;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// The fonts of one document, each read once.
pub(crate) struct Fonts<'a> {
    cache: FontCache<'a>,
    programs: FontResolverFn,
    maps: CMapResolverFn,
    known: HashMap<ObjRef, Option<Rc<TextFont<'a>>>>,
}

/// One font.
pub(crate) struct TextFont<'a> {
    font: Font<'a>,
    dict: Dict<'a>,
    texts: RefCell<HashMap<u32, Rc<str>>>,
    fallback: OnceCell<Fallback>,
}

/// One code of a string.
pub(crate) struct Code {
    pub(crate) text: Rc<str>,
    /// A part of the font's size; negative for fonts that write downwards.
    pub(crate) advance: f64,
    /// The one-byte code 32, which word spacing counts for.
    pub(crate) is_space: bool,
    /// In bytes.
    pub(crate) length: usize,
}

impl<'a> Fonts<'a> {
    pub(crate) fn new() -> Self {
        // A font that is not in the file need not be drawn: its widths and meanings are known.
        let programs: FontResolverFn = Arc::new(|_| Some((Arc::new(EMPTY_FONT), 0)));
        let maps: CMapResolverFn = Arc::new(load_embedded);
        Self { cache: FontCache::new(), programs, maps, known: HashMap::new() }
    }

    /// The font of this name; none when there is none, or it is beyond reading.
    pub(crate) fn find(
        &mut self,
        resources: &Resources<'a>,
        name: &Name<'_>,
    ) -> Option<Rc<TextFont<'a>>> {
        let place = resources.fonts.get_ref(name);
        if let Some(known) = place.and_then(|place| self.known.get(&place)) {
            return known.clone();
        }
        let font = resources.get_font(name).and_then(|dict| self.read(dict));
        if let Some(place) = place {
            self.known.insert(place, font.clone());
        }
        font
    }

    pub(crate) fn read(&self, dict: Dict<'a>) -> Option<Rc<TextFont<'a>>> {
        if !has_sane_widths(&dict) {
            return None;
        }
        let font = self.cache.font(&dict, &self.programs, &self.maps)?;
        let texts = RefCell::new(HashMap::new());
        Some(Rc::new(TextFont { font, dict, texts, fallback: OnceCell::new() }))
    }
}

impl TextFont<'_> {
    /// The code that begins at `offset`; none at the string's end.
    pub(crate) fn code(&self, string: &[u8], offset: usize) -> Option<Code> {
        let first = string.get(offset)?;
        let (code, length) = self.font.read_code(string, offset);
        let length = length.max(1);
        let advance = self.font.code_advance(code);
        let advance = if self.font.is_horizontal() { advance.x } else { advance.y };
        Some(Code {
            text: self.text(code),
            advance: advance / 1000.0,
            is_space: length == 1 && *first == b' ',
            length,
        })
    }

    /// Whether lines go from left to right, not from top to bottom.
    pub(crate) fn is_horizontal(&self) -> bool {
        self.font.is_horizontal()
    }

    fn text(&self, code: u32) -> Rc<str> {
        if let Some(text) = self.texts.borrow().get(&code) {
            return Rc::clone(text);
        }
        let text = self.said(code).or_else(|| self.guessed(code)).unwrap_or_default();
        let text: Rc<str> = text.into();
        self.texts.borrow_mut().insert(code, Rc::clone(&text));
        text
    }

    /// What the PDF says that the code means.
    fn said(&self, code: u32) -> Option<String> {
        let meaning = match self.font.glyph(self.font.map_code(code), code) {
            FontGlyph::Outline(glyph) => glyph.as_unicode(),
            FontGlyph::Type3(glyph) => glyph.as_unicode(),
        };
        let text = match meaning? {
            BfString::Char(c) => c.to_string(),
            BfString::String(text) => text,
        };
        let is_text = |c: char| c == '\t' || !c.is_control() && !is_private(c);
        let text: String = text.chars().filter(|c| is_text(*c)).collect();
        (!text.is_empty()).then_some(text)
    }

    fn guessed(&self, code: u32) -> Option<String> {
        let fallback = self.fallback.get_or_init(|| Fallback::read(&self.dict));
        let glyph = match self.font.glyph(self.font.map_code(code), code) {
            FontGlyph::Outline(glyph) => Some(glyph),
            FontGlyph::Type3(_) => None,
        };
        fallback.text(code, glyph.as_ref())
    }
}

/// Characters that mean something to one font only.
fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fffd}' | '\u{f0000}'..)
}

/// Widths may be given for a range of codes. A range that no font can have is an attack: reading
/// it would fill the memory.
fn has_sane_widths(dict: &Dict<'_>) -> bool {
    let Some(parts) = dict.get::<Array<'_>>(b"DescendantFonts") else { return true };
    let Some(part) = parts.iter::<Dict<'_>>().next() else { return true };
    let are_sane = |key: &[u8], numbers: usize| {
        let Some(widths) = part.get::<Array<'_>>(key) else { return true };
        let mut run: Vec<f64> = Vec::new();
        widths.iter::<Object<'_>>().all(|item| match item {
            Object::Number(number) => {
                run.push(Number::as_f64(&number));
                let range = run.first().zip(run.get(1)).map(|(first, last)| last - first);
                if run.len() == numbers {
                    run.clear();
                }
                range.is_none_or(|range| range <= CODES_MAX)
            }
            _ => {
                run.clear();
                true
            }
        })
    };
    are_sane(b"W", 3) && are_sane(b"W2", 5)
}

/// As many codes as two bytes have.
const CODES_MAX: f64 = 65_536.0;

/// A TrueType font of no tables.
const EMPTY_FONT: &[u8] = &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
