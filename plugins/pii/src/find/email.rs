//! E-mail addresses, international ones too, and with `%40` as links write them.

use crate::edge;
use crate::look::{Look, Seen};

/// The domain of pseudonyms, which are no addresses. RFC 6761 keeps `.invalid` free for ever.
pub(crate) const PSEUDONYMS: &str = "pii.invalid";

/// An address that begins here.
pub(crate) fn at(look: Look<'_>) -> Seen<()> {
    if !begins(look) {
        return Seen::No;
    }
    if look.back(1) == "%" {
        // `%20` is a character's code, not the beginning of a word.
        match (look.byte(look.at), look.byte(look.at + 1)) {
            (Some(_), None) => return look.cut(),
            (Some(a), Some(b)) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                return Seen::No;
            }
            _ => {}
        }
    }
    let mut at = look.at;
    loop {
        match look.character(at) {
            None => return look.cut(),
            Some('@') => return domain(look, at + 1),
            Some('%') => {
                let rest = look.rest(at);
                return match rest.get(..AT_CODE.len()) {
                    Some(AT_CODE) => domain(look, at + AT_CODE.len()),
                    None if AT_CODE.starts_with(rest) => look.cut(),
                    _ => Seen::No,
                };
            }
            Some(character) if is_local(character) => at += character.len_utf8(),
            Some(_) => return Seen::No,
        }
        if at - look.at > LOCAL_BYTES_MAX {
            return Seen::No;
        }
    }
}

/// Whether here is the first letter or digit of a local part.
fn begins(look: Look<'_>) -> bool {
    let Some(first) = look.character(look.at) else { return false };
    if !is_letter(first) && !first.is_ascii_digit()
        || edge::is_escape(look.text.as_bytes(), look.at)
    {
        return false;
    }
    let mut at = look.at;
    for before in look.back(edge::BACK / 2).chars().rev() {
        let is_word = is_letter(before) || before.is_ascii_digit();
        if is_word {
            return edge::is_free(look.text.as_bytes(), at) && before.is_ascii();
        }
        if !is_local(before) {
            return true;
        }
        at -= before.len_utf8();
    }
    true
}

/// What begins after the `@`.
fn domain(look: Look<'_>, start: usize) -> Seen<()> {
    // Where the labels end that are one so far.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let (mut label, mut at) = (start, start);
    loop {
        let next = look.character(at);
        if at - start > DOMAIN_BYTES_MAX {
            break;
        }
        match next {
            None if !look.complete => return Seen::Open,
            Some(character) if continues(look.text, label, at, character) => {
                at += character.len_utf8();
            }
            Some('.') if at > label => {
                ends.push((label, at));
                at += 1;
                label = at;
            }
            _ => break,
        }
    }
    if at > label {
        ends.push((label, at));
    }
    while ends.len() >= 2 {
        let Some((from, to)) = ends.pop() else { break };
        let length = look.text.get(from..to).map_or(0, top_level);
        if length > 0 {
            let end = from + length;
            let domain = look.text.get(start..end).unwrap_or_default();
            let is_ours = domain.eq_ignore_ascii_case(PSEUDONYMS);
            return if is_ours { Seen::No } else { Seen::Match(end, ()) };
        }
    }
    Seen::No
}

/// Whether a label goes on with this character. One that began in ASCII does not go on in
/// another script: that is the sentence around the address.
fn continues(text: &str, label: usize, at: usize, character: char) -> bool {
    let is_foreign = |character: char| character >= '\u{370}';
    let first = text.get(label..at).and_then(|label| label.chars().next());
    let changes = first.is_some_and(|first| is_foreign(first) != is_foreign(character));
    match character {
        '-' => at > label,
        '0'..='9' => true,
        _ => is_letter(character) && !changes,
    }
}

/// The length of the top-level domain that a label is, or begins with before a hyphen.
fn top_level(label: &str) -> usize {
    if label.len() > 4 && label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--")) {
        return label.trim_end_matches('-').len();
    }
    let name = label.split('-').next().unwrap_or_default();
    let is_name = name.chars().count() >= 2 && name.chars().all(is_letter);
    if is_name { name.len() } else { 0 }
}

fn is_local(character: char) -> bool {
    is_letter(character) || character.is_ascii_digit() || "._+-'".contains(character)
}

/// Latin, Greek, Cyrillic, Armenian: scripts that put spaces between words. Others do not, so
/// what stands before an address there is the sentence.
fn is_letter(character: char) -> bool {
    character.is_ascii_alphabetic()
        || ('\u{c0}'..='\u{58f}').contains(&character) && character.is_alphabetic()
}

const AT_CODE: &str = "%40";
const LOCAL_BYTES_MAX: usize = 64;
const DOMAIN_BYTES_MAX: usize = 253;
