//! Changes the strings inside JSON text, and leaves every other byte as it is.

use crate::edge;
use crate::look::{Look, Seen};
use serde::de::IgnoredAny;

/// What makes another text of one. It gets the name under which the text stands, if there is one.
pub(crate) type Change<'a> = &'a mut dyn FnMut(&str, &str) -> Option<String>;

/// Changes every string, and every number, which then becomes a string. What is no JSON is changed
/// as one text. `None` when nothing is changed.
pub(crate) fn change(text: &str, change: Change<'_>) -> Option<String> {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return change("", text);
    }
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    let (mut name, mut is_negative) = (String::new(), false);
    while let Some(length) = text.get(at..).map(token) {
        let Some(token) = text.get(at..at + length).filter(|token| !token.is_empty()) else {
            break;
        };
        let end = at + length;
        let changed = if token.starts_with('"') {
            let inner: String = serde_json::from_str(token).unwrap_or_default();
            let is_name = text.get(end..).is_some_and(|rest| rest.trim_start().starts_with(':'));
            let of = if is_name { "" } else { name.as_str() };
            let changed = if is_blob(&inner) { None } else { change(of, &inner) };
            if is_name {
                name = inner;
            }
            changed
        } else if !token.starts_with(|first: char| first.is_ascii_digit()) {
            // The items of a list have the list's name.
            if token.contains(['{', '}', ']']) {
                name.clear();
            }
            is_negative = token.ends_with('-');
            None
        } else if token.len() >= NUMBER_BYTES_MIN && !is_negative {
            change(&name, token)
        } else {
            None
        };
        if let Some(changed) = changed {
            out.push_str(text.get(copied..at).unwrap_or_default());
            out.push_str(&serde_json::Value::from(changed).to_string());
            copied = end;
        }
        at = end;
    }
    if copied == 0 {
        return None;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Some(out)
}

/// A letter that is written as `\u00f6` and need not be.
pub(crate) fn escaped(look: Look<'_>) -> Seen<char> {
    if look.byte(look.at) != Some(b'\\') {
        return Seen::No;
    }
    let rest = look.rest(look.at + 1);
    let Some(code) = rest.strip_prefix('u') else {
        return if rest.is_empty() { look.cut() } else { Seen::No };
    };
    if !edge::is_escape(look.text.as_bytes(), look.at + 1) {
        return Seen::No;
    }
    let Some(digits) = code.get(..4) else {
        let is_code = code.bytes().all(|digit| digit.is_ascii_hexdigit());
        return if is_code { look.cut() } else { Seen::No };
    };
    let digits = digits.chars().map(|digit| digit.to_digit(16));
    let code = digits.reduce(|code, digit| Some(code? * 16 + digit?));
    let letter = code.flatten().and_then(char::from_u32);
    match letter.filter(|letter| !letter.is_control() && !matches!(letter, '"' | '\\')) {
        Some(letter) => Seen::Match(look.at + 6, letter),
        None => Seen::No,
    }
}

/// The length of the string, the number, or the run of other bytes that `rest` begins with.
fn token(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let count = |is_part: fn(&u8) -> bool| bytes.iter().take_while(|byte| is_part(byte)).count();
    match bytes.first() {
        Some(b'"') => {
            let mut escaped = false;
            let inner = bytes.iter().skip(1).position(|byte| {
                let ends = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            });
            inner.map_or(bytes.len(), |inner| inner + 2)
        }
        Some(byte) if byte.is_ascii_digit() => count(|byte| b"0123456789.eE+-".contains(byte)),
        Some(_) => count(|byte| *byte != b'"' && !byte.is_ascii_digit()),
        None => 0,
    }
}

/// Whether it is encoded bytes, in which what looks like a value is chance.
fn is_blob(text: &str) -> bool {
    let is_data = text.starts_with("data:") && text.contains(";base64,");
    let is_code = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    is_data || text.len() >= BLOB_BYTES_MIN && text.bytes().all(is_code)
}

/// A shorter number is nothing private.
const NUMBER_BYTES_MIN: usize = 7;
const BLOB_BYTES_MIN: usize = 512;

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn strings_are_changed_decoded_and_the_rest_keeps_its_bytes() {
        let text = r#"{ "to" : "\u00e9x", "n": [1, 4111111111111111, "b\"x"],"x": 1.50e3 }"#;
        let mut seen = Vec::new();
        let changed = change(text, &mut |name, text| {
            seen.push(format!("{name}={text}"));
            (text.ends_with('x') && text != "x" || text.len() > 9).then(|| format!("<\"{text}\">"))
        });
        let expected = r#"{ "to" : "<\"éx\">", "n": [1, "<\"4111111111111111\">", "<\"b\"x\">"],"x": 1.50e3 }"#;
        assert_eq!(changed.unwrap(), expected.replace(r#"b"x"#, r#"b\"x"#));
        assert_eq!(seen, ["=to", "to=éx", "=n", "n=4111111111111111", "n=b\"x", "=x"]);
    }

    #[test]
    fn what_is_no_json_is_one_text() {
        let changed = change(r#"{"a": "b"#, &mut |_, text| Some(text.to_uppercase()));
        assert_eq!(changed.unwrap(), r#"{"A": "B"#);
        assert_eq!(change(r#"{"a": ["b", 12345678, true]}"#, &mut |_, _| None), None);
    }
}
