//! What characters count as alike, what counts as part of a word, and what nobody sees.

/// The character without its case: simple Unicode mappings, to upper case and then to lower, so
/// that `ς` is `σ` and `ſ` is `s`. A full-width letter is the plain one.
pub(super) fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    let plain = match character {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
        }
        other => other,
    };
    let upper = single(plain.to_uppercase()).unwrap_or(plain);
    single(upper.to_lowercase()).unwrap_or(upper)
}

/// Whether readers see nothing of it, so that it hides a term from programs alone: soft hyphens,
/// zero-width and directional characters, variation selectors, tags.
pub(super) fn is_invisible(character: char) -> bool {
    !character.is_ascii()
        && matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Whether a word ends, or begins, between two neighbours; at the text's edge it does.
pub(super) fn is_boundary(left: Option<char>, right: Option<char>) -> bool {
    let is_word = |it: char| it == '_' || it.is_alphanumeric();
    !(left.is_some_and(is_word) && right.is_some_and(is_word))
}

fn single(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}
