//! The headers that a plugin may send: any that are well formed and don't change how the request
//! itself travels.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::receive::HEADER_BYTES_MAX;
use super::refusal::Refusal;

/// Reads a plugin's headers.
///
/// # Errors
/// Names the header that is malformed or not the plugin's to set.
pub(super) fn read(headers: &[(String, String)]) -> Result<HeaderMap, Refusal> {
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > HEADER_BYTES_MAX {
        let say = format!("the headers are {bytes} bytes long, more than {HEADER_BYTES_MAX}");
        return Err(Refusal::Invalid(say));
    }
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let key = read_name(name)?;
        // Line breaks and other controls end here, so that no header smuggles another one.
        let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else {
            let say = format!("the value of header `{key}` has characters that no header may have");
            return Err(Refusal::Invalid(say));
        };
        if map.try_append(key, value).is_err() {
            return Err(Refusal::Invalid("there are too many headers".to_owned()));
        }
    }
    Ok(map)
}

/// Reads the name of a header.
///
/// # Errors
/// When it is none, or one that the gate sets.
pub(super) fn read_name(name: &str) -> Result<HeaderName, Refusal> {
    let Ok(key) = HeaderName::from_bytes(name.as_bytes()) else {
        let shown = name.escape_default();
        return Err(Refusal::Invalid(format!("`{shown}` is not the name of a header")));
    };
    if OURS.contains(&key.as_str()) || key.as_str().starts_with("proxy-") {
        return Err(Refusal::Invalid(format!(
            "header `{key}` is the gateway's to set; leave it out"
        )));
    }
    Ok(key)
}

/// Headers of the connection, of the message's framing, and of the coding that the gate undoes: a
/// reply in a coding that it doesn't know could carry a secret past the mask.
const OURS: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];
