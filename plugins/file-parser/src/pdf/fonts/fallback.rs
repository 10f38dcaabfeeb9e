//! The meaning of codes of which the PDF says nothing, guessed from what else the font has.

use hayro_cmap::{BfString, CMap, CMapName, CidFamily, load_embedded};
use hayro_font::OutlineGlyph;
use hayro_syntax::object::{Array, Dict, Name, Stream, String as Text};
use skrifa::{FontRef, MetadataProvider as _};
use std::cell::OnceCell;
use std::collections::HashMap;

/// One font's guesses.
pub(crate) struct Fallback {
    collection: Option<Collection>,
    is_simple: bool,
    /// The embedded font's characters by glyph, read when first asked for.
    characters: OnceCell<HashMap<u32, char>>,
}

/// A CJK font's numbers of characters, and what they mean.
struct Collection {
    codes: CMap,
    meanings: CMap,
}

impl Fallback {
    pub(crate) fn read(dict: &Dict<'_>) -> Self {
        let is_simple = dict.get::<Array<'_>>(b"DescendantFonts").is_none();
        Self { collection: Collection::read(dict), is_simple, characters: OnceCell::new() }
    }

    /// The code's text, as far as the font tells it.
    pub(crate) fn text(&self, code: u32, glyph: Option<&OutlineGlyph>) -> Option<String> {
        if let Some(text) = self.collection.as_ref().and_then(|known| known.text(code)) {
            return Some(text);
        }
        let character = glyph.and_then(|glyph| self.character(glyph));
        if let Some(character) = character {
            return Some(character.to_string());
        }
        // A font without any table is mostly one whose codes are the characters.
        let character = char::from_u32(code).filter(|c| !c.is_control());
        character.filter(|_| self.is_simple).map(String::from)
    }

    fn character(&self, glyph: &OutlineGlyph) -> Option<char> {
        let characters = self.characters.get_or_init(|| read_characters(glyph).unwrap_or_default());
        characters.get(&glyph.glyph_id().to_u32()).copied()
    }
}

impl Collection {
    fn read(dict: &Dict<'_>) -> Option<Self> {
        let parts = dict.get::<Array<'_>>(b"DescendantFonts")?;
        let part = parts.iter::<Dict<'_>>().next()?;
        let codes = read_codes(dict)?;
        let system = part.get::<Dict<'_>>(b"CIDSystemInfo")?;
        let registry = system.get::<Text<'_>>(b"Registry")?;
        let ordering = system.get::<Text<'_>>(b"Ordering")?;
        let mut family =
            CidFamily::from_registry_ordering(registry.as_bytes(), ordering.as_bytes());
        if family.ucs2_cmap().is_none()
            && let Some(collection) = &codes.metadata().character_collection
        {
            family = collection.family.clone();
        }
        let meanings = CMap::parse(load_embedded(family.ucs2_cmap()?)?, load_embedded)?;
        Some(Self { codes, meanings })
    }

    fn text(&self, code: u32) -> Option<String> {
        let number = (1..=4).find_map(|bytes| self.codes.lookup_cid_code(code, bytes))?;
        match self.meanings.lookup_bf_string(number) {
            Some(BfString::Char(c)) => Some(c.to_string()),
            Some(BfString::String(text)) => Some(text),
            None => {
                let code = (1..=4).find_map(|b| self.meanings.lookup_cid_code(number, b))?;
                char::from_u32(code).map(String::from)
            }
        }
    }
}

fn read_codes(dict: &Dict<'_>) -> Option<CMap> {
    if let Some(stream) = dict.get::<Stream<'_>>(b"Encoding") {
        return CMap::parse(&stream.decoded_data().ok()?, load_embedded);
    }
    let name = dict.get::<Name<'_>>(b"Encoding")?;
    match CMapName::from_bytes(&name) {
        CMapName::IdentityH => Some(CMap::identity_h()),
        CMapName::IdentityV => Some(CMap::identity_v()),
        name => CMap::parse(load_embedded(name)?, load_embedded),
    }
}

/// The characters of an embedded TrueType or OpenType font, by glyph.
fn read_characters(glyph: &OutlineGlyph) -> Option<HashMap<u32, char>> {
    let data = glyph.font_data()?;
    let font = FontRef::new((*data.data).as_ref()).ok()?;
    let mut characters = HashMap::new();
    for (code, glyph) in font.charmap().mappings() {
        let Some(c) = char::from_u32(code) else { continue };
        // Symbol fonts keep ASCII in a private area.
        let c = match c {
            '\u{f020}'..='\u{f07e}' => char::from_u32(code - 0xf000).unwrap_or(c),
            other => other,
        };
        if !super::is_private(c) {
            characters.entry(glyph.to_u32()).or_insert(c);
        }
    }
    Some(characters)
}
