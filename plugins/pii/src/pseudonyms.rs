//! Values and the words that stand for them upstream.
//!
//! A pseudonym is a label and a code, `PHONE_k7f3a9q2`, without brackets: those are what models,
//! Markdown and HTML escape, close or drop. An e-mail address becomes one that can't exist,
//! `email_k7f3a9q2@pii.invalid`, since tools and schemas check the form of addresses.
//!
//! The code is a keyed hash of label and value, so a value has the same pseudonym in every turn,
//! whatever the client resends, and nobody without the key can try out values. It begins with a
//! letter and a digit, so that hardly any word begins like one.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};

/// What a pseudonym stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: String,
    /// It stands as an address.
    pub(crate) is_email: bool,
}

/// The code of a pseudonym, in lower case.
pub(crate) type Code = [u8; CODE_BYTES];

/// All pseudonyms of one generation.
#[derive(Debug, Default)]
pub(crate) struct Pseudonyms {
    key: String,
    by_code: BTreeMap<Code, Entry>,
    /// In lower case, each with the `_` before the code.
    labels: Vec<String>,
    /// Codes that stand in the request's own text, which must not become a value.
    taken: HashSet<Code>,
}

impl Pseudonyms {
    /// None so far. `key` is the client's.
    pub(crate) fn new(key: String) -> Self {
        Self { key, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }

    /// Takes note of what in a text could be taken for a pseudonym.
    pub(crate) fn avoid(&mut self, text: &str) {
        let bytes = text.as_bytes();
        for (at, two) in bytes.windows(2).enumerate() {
            let [first, b'2'..=b'9'] = two else { continue };
            let code = bytes.get(at..).and_then(<[u8]>::first_chunk);
            if let Some(code) = code.filter(|_| FIRST.contains(&first.to_ascii_lowercase())) {
                self.taken.insert(code.map(|byte: u8| byte.to_ascii_lowercase()));
            }
        }
    }

    /// The pseudonym of a value. Call it once per value, after all texts were avoided.
    pub(crate) fn add(&mut self, label: &str, is_email: bool, value: &str) -> String {
        let is_free = |code: &Code| !self.taken.contains(code) && !self.by_code.contains_key(code);
        // Of 2^36 codes the request can't hold them all.
        let codes = (0_u32..).map(|attempt| code(&self.key, label, value, attempt));
        let code = codes.into_iter().find(is_free).unwrap_or_default();
        self.by_code.insert(code, Entry { value: value.to_owned(), is_email });
        let prefix = format!("{}_", label.to_ascii_lowercase());
        if !self.labels.contains(&prefix) {
            self.labels.push(prefix);
        }
        let code = String::from_utf8_lossy(&code);
        if is_email {
            format!("{}_{code}@{}", label.to_ascii_lowercase(), crate::find::email::PSEUDONYMS)
        } else {
            format!("{label}_{code}")
        }
    }

    /// The labels in use, in lower case, each with a `_` at its end.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// What a code stands for.
    pub(crate) fn entry(&self, code: &Code) -> Option<&Entry> {
        self.by_code.get(code)
    }

    /// Whether a code begins like this, in any case.
    pub(crate) fn has_prefix(&self, prefix: &[u8]) -> bool {
        let mut from = Code::default();
        for (to, byte) in from.iter_mut().zip(prefix) {
            *to = byte.to_ascii_lowercase();
        }
        let next = self.by_code.range(from..).next();
        next.is_some_and(|(code, _)| code.iter().zip(from).take(prefix.len()).all(|(a, b)| *a == b))
    }
}

/// The label of a client's pattern as pseudonyms have it: `Employee ID` is `EMPLOYEE_ID`.
pub(crate) fn label(name: &str) -> String {
    let mut label = String::new();
    for character in name.chars() {
        match character.to_ascii_uppercase() {
            plain @ ('A'..='Z' | '0'..='9') => label.push(plain),
            _ if label.is_empty() || label.ends_with('_') => {}
            _ => label.push('_'),
        }
        if label.len() >= LABEL_BYTES_MAX {
            break;
        }
    }
    let label = label.trim_end_matches('_');
    if label.is_empty() { "VALUE".to_owned() } else { label.to_owned() }
}

fn code(key: &str, label: &str, value: &str, attempt: u32) -> Code {
    let mut hash = Sha256::new();
    for part in [key, label, value] {
        hash.update(part.len().to_string());
        hash.update(":");
        hash.update(part);
    }
    hash.update(attempt.to_string());
    let digest = hash.finalize();
    let mut code = Code::default();
    for (place, (to, byte)) in code.iter_mut().zip(digest).enumerate() {
        let letters: &[u8] = match place {
            0 => FIRST,
            1 => SECOND,
            _ => OTHERS,
        };
        *to = letters.get(usize::from(byte) % letters.len()).copied().unwrap_or(b'0');
    }
    code
}

/// Letters that few words begin with, and none of them before a digit.
const FIRST: &[u8] = b"dhjkqvxz";
const SECOND: &[u8] = b"23456789";
/// Without the letters that look like others.
const OTHERS: &[u8] = b"0123456789abcdefghjkmnpqrstvwxyz";
const CODE_BYTES: usize = 8;
const LABEL_BYTES_MAX: usize = 24;

#[cfg(test)]
mod tests {
    use super::{Pseudonyms, label};

    fn one(key: &str, label: &str, value: &str) -> String {
        Pseudonyms::new(key.into()).add(label, label == "EMAIL", value)
    }

    #[test]
    fn a_value_has_one_pseudonym_in_every_turn_and_another_for_every_key() {
        let first = one("key", "PHONE", "+49 30 901820");
        assert_eq!(first, one("key", "PHONE", "+49 30 901820"));
        assert_ne!(first, one("another", "PHONE", "+49 30 901820"));
        assert_ne!(first, one("key", "PHONE", "+49 30 901821"));
        assert!(first.starts_with("PHONE_") && first.len() == 14, "{first}");
        let email = one("key", "EMAIL", "a@b.com");
        assert!(email.starts_with("email_") && email.ends_with("@pii.invalid"), "{email}");
    }

    #[test]
    fn no_two_values_share_one() {
        let mut pseudonyms = Pseudonyms::new("key".into());
        let all: std::collections::HashSet<String> =
            (0..20_000).map(|n| pseudonyms.add("PHONE", false, &n.to_string())).collect();
        assert_eq!(all.len(), 20_000);
    }

    #[test]
    fn a_pseudonym_that_the_request_has_already_is_not_used() {
        let usual = one("key", "PHONE", "+49 30 901820");
        let mut pseudonyms = Pseudonyms::new("key".into());
        pseudonyms.avoid(&format!("What is {}?", usual.to_uppercase()));
        assert_ne!(pseudonyms.add("PHONE", false, "+49 30 901820"), usual);
    }

    #[test]
    fn labels_are_plain_words() {
        let labels = ["Employee ID", "x", "-- ", "Ünï", "a__b", "a very long label that ends"];
        let plain = labels.map(label);
        assert_eq!(plain, ["EMPLOYEE_ID", "X", "VALUE", "N", "A_B", "A_VERY_LONG_LABEL_THAT_E"]);
    }
}
