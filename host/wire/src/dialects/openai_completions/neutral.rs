//! What people say stays words: a control token in it would end their turn and begin another.

use super::family::Family;

/// A text in which no control token of the family stands: each is broken by a space of no width
/// after its first character, so that it still reads the same.
pub(super) fn text(text: &str, family: &Family) -> String {
    break_tokens(text, family, |first, out| {
        out.push(first);
        out.push('\u{200b}');
    })
}

/// The same for JSON text: a token stands inside of a string there, where an escape says the same
/// character.
pub(super) fn json(text: &str, family: &Family) -> String {
    break_tokens(text, family, |first, out| {
        out.push_str(&format!("\\u{:04x}", u32::from(first)));
    })
}

fn break_tokens(text: &str, family: &Family, broken: impl Fn(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        if begins_token(rest, family) {
            broken(character, &mut out);
        } else {
            out.push(character);
        }
    }
    out
}

fn begins_token(text: &str, family: &Family) -> bool {
    if !text.starts_with(['<', '[']) {
        return false;
    }
    family.tokens.iter().any(|token| text.starts_with(token))
        || family.fences.iter().any(|(open, close)| {
            text.strip_prefix(open).is_some_and(|rest| begins_with_name(rest, close))
        })
}

/// Whether a short name without white space stands before what closes it.
fn begins_with_name(text: &str, close: &str) -> bool {
    let mut places = text.char_indices().take(NAME_MAX);
    let end = places.find(|(at, character)| {
        character.is_whitespace() || text.get(*at..).is_some_and(|rest| rest.starts_with(close))
    });
    end.is_some_and(|(_, character)| !character.is_whitespace())
}

/// Longer than any token's name, in characters.
const NAME_MAX: usize = 64;

#[cfg(test)]
mod tests;
