//! Finds pseudonyms in what the model writes, also as models and Markdown change them: in another
//! case, `\_` or `-` for the `_`, `%40` for the `@`, without the label, without the domain.

use crate::edge;
use crate::find::email::PSEUDONYMS;
use crate::look::{Look, Seen};
use crate::pseudonyms::{Code, Pseudonyms};

/// Where a text stands, which says how a value is written into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    /// Inside a JSON string.
    Json,
}

impl Form {
    /// A value, written so.
    pub(crate) fn write(self, value: &str) -> String {
        match self {
            Self::Plain => value.to_owned(),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                inner.unwrap_or_default().to_owned()
            }
        }
    }
}

impl Pseudonyms {
    /// The pseudonym that begins at a place, and the value that it stands for.
    pub(crate) fn at(&self, look: Look<'_>) -> Seen<String> {
        let begins = look.byte(look.at).is_some_and(|byte| byte.is_ascii_alphanumeric());
        let text = look.text.as_bytes();
        if !begins || !edge::is_free(text, look.at) || edge::is_escape(text, look.at) {
            return Seen::No;
        }
        let mut is_open = false;
        let mut found = Seen::No;
        for label in self.labels().iter().map(String::as_str).chain([""]) {
            match self.labelled(look, label) {
                Seen::No => {}
                Seen::Open => is_open = true,
                Seen::Match(..) if !matches!(found, Seen::No) => {}
                seen @ Seen::Match(..) => found = seen,
            }
        }
        if is_open && !look.complete { Seen::Open } else { found }
    }

    fn labelled(&self, look: Look<'_>, label: &str) -> Seen<String> {
        let mut at = look.at;
        for letter in label.bytes() {
            let next = if letter == b'_' {
                any(look, at, GAPS)
            } else {
                match look.byte(at) {
                    None => look.cut(),
                    Some(next) if next.to_ascii_lowercase() == letter => Seen::Match(at + 1, ""),
                    Some(_) => Seen::No,
                }
            };
            match next {
                Seen::Match(end, _) => at = end,
                Seen::Open => return Seen::Open,
                Seen::No => return Seen::No,
            }
        }
        self.coded(look, at)
    }

    fn coded(&self, look: Look<'_>, at: usize) -> Seen<String> {
        let rest = look.rest(at).as_bytes();
        let Some(code) = rest.first_chunk::<{ size_of::<Code>() }>() else {
            let begins = self.has_prefix(rest);
            return if begins { look.cut() } else { Seen::No };
        };
        let Some(entry) = self.entry(&code.map(|byte| byte.to_ascii_lowercase())) else {
            return Seen::No;
        };
        let end = at + code.len();
        if !entry.is_email {
            return Seen::Match(end, entry.value.clone());
        }
        match domain(look, end) {
            Seen::Match(end, "%40") => Seen::Match(end, entry.value.replace('@', "%40")),
            Seen::Match(end, _) => Seen::Match(end, entry.value.clone()),
            Seen::Open => Seen::Open,
            Seen::No => Seen::Match(end, entry.value.clone()),
        }
    }
}

/// The domain of a pseudonym, and what is written for the `@`.
fn domain(look: Look<'_>, start: usize) -> Seen<&'static str> {
    let (mut at, sign) = match any(look, start, SIGNS) {
        Seen::Match(end, sign) => (end, sign),
        seen => return seen,
    };
    for letter in PSEUDONYMS.bytes() {
        let next = match look.byte(at) {
            _ if letter == b'.' => any(look, at, DOTS),
            None => look.cut(),
            Some(next) if next.to_ascii_lowercase() == letter => Seen::Match(at + 1, ""),
            Some(_) => Seen::No,
        };
        match next {
            Seen::Match(end, _) => at = end,
            seen => return seen,
        }
    }
    Seen::Match(at, sign)
}

/// Which of some spellings stands here. None is the beginning of another.
fn any(look: Look<'_>, at: usize, spellings: &[&'static str]) -> Seen<&'static str> {
    let rest = look.rest(at).as_bytes();
    let mut is_open = false;
    for spelling in spellings {
        let length = rest.len().min(spelling.len());
        let (written, known) = (rest.get(..length), spelling.as_bytes().get(..length));
        let (Some(written), Some(known)) = (written, known) else { continue };
        if written.eq_ignore_ascii_case(known) {
            if length == spelling.len() {
                return Seen::Match(at + length, spelling);
            }
            is_open = true;
        }
    }
    if is_open { look.cut() } else { Seen::No }
}

const GAPS: &[&str] = &["_", "\\_", "\\\\_", "-", "\u{2011}", "%5f", "&#95;", "\\u005f"];
const SIGNS: &[&str] = &["@", "\\@", "\\\\@", "%40", "&#64;", "\\u0040"];
const DOTS: &[&str] = &[".", "\\.", "\\\\."];

#[cfg(test)]
mod tests {
    use crate::pseudonyms::Pseudonyms;
    use crate::tape::{Piece, Tape};

    fn restored(pseudonyms: &Pseudonyms, pieces: &[&str]) -> String {
        let (mut tape, mut out) = (Tape::default(), String::new());
        for at in 0..=pieces.len() {
            match pieces.get(at) {
                Some(piece) => tape.push(piece),
                None => tape.end(),
            }
            while let Some(piece) = tape.take(|look| pseudonyms.at(look)) {
                match piece {
                    Piece::Text(text) | Piece::Match(_, text) => out.push_str(&text),
                }
            }
        }
        assert!(tape.is_empty());
        out
    }

    #[test]
    fn pseudonyms_are_known_however_models_spell_them_and_wherever_they_are_cut() {
        let mut pseudonyms = Pseudonyms::new("key".into());
        let phone = pseudonyms.add("PHONE", false, "+49 30 901820");
        let email = pseudonyms.add("EMAIL", true, "jo@x.com");
        let own = pseudonyms.add("STAFF_ID", false, "4711");
        let code = phone.trim_start_matches("PHONE_");
        let other = email.trim_start_matches("email_").trim_end_matches("@pii.invalid");
        let spelled = [
            (phone.clone(), "+49 30 901820"),
            (format!("<{phone}>, [{phone}]"), "<+49 30 901820>, [+49 30 901820]"),
            (phone.to_lowercase(), "+49 30 901820"),
            (phone.to_uppercase(), "+49 30 901820"),
            (phone.replace('_', "\\_"), "+49 30 901820"),
            (phone.replace('_', "-"), "+49 30 901820"),
            (format!("\\n{phone}s"), "\\n+49 30 901820s"),
            (format!("the phone {code}."), "the phone +49 30 901820."),
            (format!("请打{phone}。"), "请打+49 30 901820。"),
            (format!("a{phone}"), "aPHONE_+49 30 901820"),
            (format!("a{code}"), &*format!("a{code}")),
            (format!("Phone_{}", &code[..7]), &*format!("Phone_{}", &code[..7])),
            (email.clone(), "jo@x.com"),
            (format!("{email}."), "jo@x.com."),
            (email.to_uppercase(), "JO@X.COM".to_lowercase().as_str()),
            (email.replace('@', "%40"), "jo%40x.com"),
            (email.replace('_', "\\_"), "jo@x.com"),
            (format!("email_{other} @pii"), "jo@x.com @pii"),
            (format!("email_{other}@pii.inval"), "jo@x.com@pii.inval"),
            (own.replace('_', "\\_"), "4711"),
            (own.to_lowercase(), "4711"),
            (
                "An email, a phone-call, Phone_, staff_identity, k".into(),
                "An email, a phone-call, Phone_, staff_identity, k",
            ),
        ]
        .map(|(text, expected)| (text, expected.to_owned()));
        for (text, expected) in spelled {
            assert_eq!(restored(&pseudonyms, &[&text]), expected, "{text}");
            let letters: Vec<&str> = text.split_inclusive(|_| true).collect();
            assert_eq!(restored(&pseudonyms, &letters), expected, "{text}");
            for (at, _) in text.char_indices() {
                let pieces = [&text[..at], &text[at..]];
                assert_eq!(restored(&pseudonyms, &pieces), expected, "{pieces:?}");
            }
        }
    }
}
