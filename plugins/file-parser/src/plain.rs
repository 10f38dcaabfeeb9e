//! Files that are text already.

/// The text of these bytes: UTF-8, UTF-16 with a mark, or else Windows-1252, which never fails.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, _) = rest.as_chunks::<2>();
        let characters = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)));
        characters.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| western(*byte)).collect(),
        },
    }
}

fn western(byte: u8) -> char {
    let special = byte.checked_sub(0x80).and_then(|index| WESTERN.get(usize::from(index)));
    special.copied().unwrap_or(char::from(byte))
}

/// Windows-1252 from 0x80 on; the rest is Latin-1.
const WESTERN: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];
