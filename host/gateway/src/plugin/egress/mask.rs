//! Takes a secret out of what a server sends back. It covers the forms in which servers repeat
//! what they were sent; a server that wants to tell the secret can, which is why a secret is bound
//! to hosts.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;

use super::credential::Credential;

/// The forms of one secret, the longest first. Without a secret there are none.
pub(super) struct Mask {
    forms: Vec<Vec<u8>>,
}

impl Mask {
    /// All forms of the secret.
    pub(super) fn of(credential: Option<&Credential<'_>>) -> Self {
        let value = credential.map_or("", |credential| credential.value);
        let mut forms = written(value);
        if value.len() >= BASE64_BYTES_MIN {
            forms.extend(in_base64(value.as_bytes()));
        }
        forms.retain(|form| !form.is_empty());
        // The longest first: a form within another one would leave the rest standing.
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self { forms: forms.into_iter().map(String::into_bytes).collect() }
    }

    /// The URL without the secret, however much of it is escaped there.
    pub(super) fn url(&self, url: &str) -> String {
        let masked = self.text(url.to_owned());
        let plain = percent_decoded(&masked);
        if self.finds(&plain) { self.text(plain) } else { masked }
    }

    /// Whether the secret is in the URL, however much of it is escaped there.
    pub(super) fn finds_in_url(&self, url: &str) -> bool {
        self.finds(url) || self.finds(&percent_decoded(url))
    }

    /// Whether the secret is in it.
    pub(super) fn finds(&self, text: &str) -> bool {
        self.forms.iter().any(|form| memmem::find(text.as_bytes(), form).is_some())
    }

    /// The bytes without the secret.
    pub(super) fn bytes(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for form in &self.forms {
            let Some(first) = memmem::find(&bytes, form) else { continue };
            let (head, mut rest) = bytes.split_at(first);
            let mut masked = Vec::with_capacity(bytes.len());
            masked.extend_from_slice(head);
            let finder = memmem::Finder::new(form);
            while let Some((before, after)) =
                finder.find(rest).and_then(|at| rest.split_at_checked(at))
            {
                masked.extend_from_slice(before);
                masked.extend_from_slice(MASKED.as_bytes());
                rest = after.get(form.len()..).unwrap_or_default();
            }
            masked.extend_from_slice(rest);
            bytes = masked;
        }
        bytes
    }

    /// The text without the secret.
    pub(super) fn text(&self, text: String) -> String {
        if self.finds(&text) {
            String::from_utf8_lossy(&self.bytes(text.into_bytes())).into_owned()
        } else {
            text
        }
    }
}

/// As it is, in lower case (in a host or a header's name), in JSON, in a URL, in a form.
fn written(value: &str) -> Vec<String> {
    let in_json = value.replace('\\', "\\\\").replace('"', "\\\"");
    let upper = percent_encoded(value);
    vec![
        value.to_owned(),
        value.to_ascii_lowercase(),
        in_json.replace('/', "\\/"),
        in_json,
        upper.replace("%20", "+"),
        lower_escapes(&upper),
        upper,
        // As URLs are written here: spaces and quotes are escaped, slashes are not.
        percent_encoded(value).replace("%2F", "/").replace("%3D", "=").replace("%2B", "+"),
    ]
}

/// Everything but letters, digits and `-_.~` escaped.
fn percent_encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string doesn't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// With all escapes undone that are escapes.
fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits =
            after.get(..2).filter(|it| byte == b'%' && it.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `%2F` as `%2f`, and nothing else in lower case.
fn lower_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut left = 0_u8;
    for char in text.chars() {
        if char == '%' {
            left = 2;
            out.push(char);
        } else {
            out.push(if left > 0 { char.to_ascii_lowercase() } else { char });
            left = left.saturating_sub(1);
        }
    }
    out
}

/// The secret in Base64, alone and as the end or middle of something longer (`user:secret`), where
/// it may begin at any of three places within a group.
fn in_base64(value: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for alphabet in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        forms.push(alphabet.encode(value));
        for (lead, mixed) in [(0, 0), (1, 2), (2, 3)] {
            let mut bytes = vec![0; lead];
            bytes.extend_from_slice(value);
            // The first and the last digits may hold bits of what stands before and after.
            let digits = alphabet.encode(&bytes);
            let end = digits.len() - usize::from(bytes.len() % 3 != 0);
            forms.extend(digits.get(mixed..end).map(str::to_owned));
        }
    }
    forms
}

/// What stands in the secret's place.
const MASKED: &str = "[secret]";

/// Shorter secrets have Base64 forms that occur by chance.
const BASE64_BYTES_MIN: usize = 8;
