//! International bank account numbers: a country, its length, and the checksum of ISO 13616.

use crate::look::{Look, Seen};

/// An IBAN that begins here, written together or in groups.
pub(crate) fn at(look: Look<'_>) -> Seen<()> {
    if !may_begin(look.rest(look.at).as_bytes()) {
        return Seen::No;
    }
    let mut plain = String::new();
    let mut at = look.at;
    let mut length = usize::MAX;
    while plain.len() < length {
        let Some(next) = look.character(at) else { return look.cut() };
        match (plain.len(), next) {
            (0 | 1, 'a'..='z' | 'A'..='Z') | (2 | 3, '0'..='9') => {}
            (4.., _) if next.is_ascii_alphanumeric() => {}
            (4.., ' ' | '-' | '\u{a0}' | '\u{202f}') if !look.until(at).ends_with(is_gap) => {
                at += next.len_utf8();
                continue;
            }
            _ => return Seen::No,
        }
        plain.push(next.to_ascii_uppercase());
        at += next.len_utf8();
        if plain.len() == 2 {
            let Some(known) = length_of(&plain) else { return Seen::No };
            length = known;
        }
    }
    match look.byte(at) {
        None if !look.complete => Seen::Open,
        Some(next) if next.is_ascii_alphanumeric() => Seen::No,
        _ if remainder(&plain) == 1 => Seen::Match(at, ()),
        _ => Seen::No,
    }
}

/// Two letters, two digits, or the beginning of that: most words are none.
fn may_begin(rest: &[u8]) -> bool {
    let is_letter = |at: usize| rest.get(at).is_none_or(u8::is_ascii_alphabetic);
    let is_digit = |at: usize| rest.get(at).is_none_or(u8::is_ascii_digit);
    is_letter(0) && is_letter(1) && is_digit(2) && is_digit(3)
}

fn is_gap(character: char) -> bool {
    !character.is_ascii_alphanumeric()
}

/// The number mod 97, its first four characters put last, letters as 10 to 35.
fn remainder(plain: &str) -> u32 {
    let (head, tail) = plain.split_at_checked(4).unwrap_or_default();
    tail.chars().chain(head.chars()).filter_map(|character| character.to_digit(36)).fold(
        0,
        |rest, digit| {
            let shift = if digit > 9 { 100 } else { 10 };
            (rest * shift + digit) % 97
        },
    )
}

fn length_of(country: &str) -> Option<usize> {
    LENGTHS
        .iter()
        .find(|(_, countries)| {
            countries.as_bytes().chunks(2).any(|known| known == country.as_bytes())
        })
        .map(|(length, _)| *length)
}

/// The IBAN registry, release 99.
const LENGTHS: &[(usize, &str)] = &[
    (15, "NO"),
    (16, "BE"),
    (18, "DKFIFOGLNLSD"),
    (19, "MKSI"),
    (20, "ATBAEEKZLTLUMNXK"),
    (21, "CHHRLILV"),
    (22, "BGBHCRDEGBGEIEMERSVA"),
    (23, "AEGIILIQOMSOTL"),
    (24, "ADCZESMDPKROSASESKTNVG"),
    (25, "LYPTST"),
    (26, "ISTR"),
    (27, "BIDJFRGRITMCMRSM"),
    (28, "ALAZBYCYDOGTHULBNIPLSV"),
    (29, "BREGPSQAUA"),
    (30, "JOKWMUYE"),
    (31, "MTSC"),
    (32, "LC"),
    (33, "RU"),
];
