//! Bytes of a page as text, in whichever encoding they came.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// What a page's bytes are, by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// HTML or XHTML.
    Html,
    /// Text as it stands, Markdown too.
    Plain,
}

/// The form of a reply with this content type; `None` for what is no text.
pub(crate) fn form(content_type: Option<&str>, body: &[u8]) -> Option<Form> {
    let Some(declared) = content_type else { return Some(sniff(body)) };
    let mime = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match mime.as_str() {
        "text/html" | "application/xhtml+xml" => Some(Form::Html),
        // Servers say so of anything.
        "text/plain" | "" => Some(sniff(body)),
        "text/markdown" | "text/x-markdown" | "text/x-rst" => Some(Form::Plain),
        _ => None,
    }
}

fn sniff(body: &[u8]) -> Form {
    let start = body.trim_ascii_start();
    let signs: [&[u8]; 2] = [b"<!doctype html", b"<html"];
    let is_html = signs
        .iter()
        .any(|sign| start.get(..sign.len()).is_some_and(|start| start.eq_ignore_ascii_case(sign)));
    if is_html { Form::Html } else { Form::Plain }
}

/// The text. A byte order mark says more than the header, the header more than the page; without
/// any of them it is UTF-8, or what old pages were written in.
pub(crate) fn text<'a>(content_type: Option<&str>, body: &'a [u8]) -> Cow<'a, str> {
    let encoding = match Encoding::for_bom(body) {
        Some((encoding, _)) => encoding,
        None => declared(content_type).or_else(|| in_page(body)).unwrap_or(if is_utf8(body) {
            UTF_8
        } else {
            WINDOWS_1252
        }),
    };
    encoding.decode(body).0
}

/// Whether all of it is UTF-8, but for a character that is cut off.
fn is_utf8(body: &[u8]) -> bool {
    std::str::from_utf8(body).err().is_none_or(|error| error.error_len().is_none())
}

fn declared(content_type: Option<&str>) -> Option<&'static Encoding> {
    charset(content_type?.as_bytes())
}

/// What a page says of itself near its beginning. It can't be UTF-16, or that were not readable.
fn in_page(body: &[u8]) -> Option<&'static Encoding> {
    let start = body.get(..body.len().min(PRESCAN_BYTES)).unwrap_or_default();
    charset(start).map(|encoding| if encoding.is_ascii_compatible() { encoding } else { UTF_8 })
}

/// What stands behind the first `charset=`.
fn charset(text: &[u8]) -> Option<&'static Encoding> {
    let text = text.to_ascii_lowercase();
    let at = text.windows(NAME.len()).position(|window| window == NAME)?;
    let label = text.get(at.saturating_add(NAME.len())..)?;
    let label = label.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let label = label.strip_prefix(b"\"").or(label.strip_prefix(b"'")).unwrap_or(label);
    let end = label.iter().position(|it| !it.is_ascii_alphanumeric() && !b"-_:.".contains(it));
    Encoding::for_label(label.get(..end.unwrap_or(label.len()))?)
}

const NAME: &[u8] = b"charset";

/// Browsers look this far.
const PRESCAN_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_the_page_and_the_bytes_say_the_encoding_in_this_order() {
        assert_eq!(text(Some("text/html; charset=ISO-8859-1"), b"caf\xe9"), "café");
        assert_eq!(
            text(None, b"<meta charset='shift_jis'>\x93\xfa\x96\x7b"),
            "<meta charset='shift_jis'>日本"
        );
        assert_eq!(text(None, "Zoë".as_bytes()), "Zoë");
        assert_eq!(text(None, b"Zo\xeb!"), "Zoë!");
        assert_eq!(text(Some("text/html; charset=latin1"), b"\xef\xbb\xbfZo\xc3\xab"), "Zoë");
    }

    #[test]
    fn broken_bytes_and_labels_harm_nothing() {
        assert_eq!(text(Some("text/html; charset=nonsense"), b"a\xffb"), "aÿb");
        assert_eq!(text(Some("text/html; charset=utf-8"), b"a\xffb"), "a\u{fffd}b");
        assert_eq!(text(None, b"<meta charset=utf-16>a"), "<meta charset=utf-16>a");
        assert_eq!(text(None, b"charset"), "charset");
    }

    #[test]
    fn only_text_has_a_form() {
        assert_eq!(form(Some("text/html"), b""), Some(Form::Html));
        assert_eq!(form(Some("Text/Plain; charset=utf-8"), b"hello"), Some(Form::Plain));
        assert_eq!(form(None, b" <!DOCTYPE HTML><p>"), Some(Form::Html));
        assert_eq!(form(Some("application/pdf"), b"%PDF"), None);
        assert_eq!(form(Some("image/png"), b""), None);
    }
}
