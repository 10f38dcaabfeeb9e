//! Takes a reply in: headers and body, bounded, and with the secret taken out.

use http::StatusCode;
use http::header::HeaderMap;
use reqwest::Response;

use super::hop::Hop;
use super::mask::Mask;
use super::refusal::Refusal;
use super::{Errand, Fetched, Method};

/// Refuses a reply whose headers are too long.
///
/// # Errors
/// When they are.
pub(super) fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    let bytes: usize =
        headers.iter().map(|(name, value)| name.as_str().len() + value.as_bytes().len()).sum();
    if bytes > HEADER_BYTES_MAX { Err(Refusal::TooLarge) } else { Ok(()) }
}

/// Reads the reply to its end.
///
/// # Errors
/// When the body is too long, or breaks off.
pub(super) async fn read(
    response: Response,
    hop: &Hop,
    errand: &Errand<'_>,
    mask: &Mask,
) -> Result<Fetched, Refusal> {
    let status = response.status();
    let headers = response.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (mask.text(name.as_str().to_owned()), mask.text(value))
    });
    let headers = headers.collect();
    let has_no_body = hop.method == Method::Head
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    // A coding that is announced for no body would be taken for a body that broke off.
    let body = if has_no_body { Vec::new() } else { read_body(response, hop, errand).await? };
    let bytes_read = body.len();
    let body = mask.bytes(body);
    // The mask is longer than a very short secret.
    if body.len() > errand.response_bytes_max {
        return Err(Refusal::TooLarge);
    }
    let url = mask.url(hop.url.as_str());
    Ok(Fetched { status: status.as_u16(), headers, body, url, bytes_read })
}

async fn read_body(
    mut response: Response,
    hop: &Hop,
    errand: &Errand<'_>,
) -> Result<Vec<u8>, Refusal> {
    let max = errand.response_bytes_max;
    let announced = response.content_length().map(usize::try_from);
    if announced.is_some_and(|bytes| bytes.is_ok_and(|bytes| bytes > max)) {
        return Err(Refusal::TooLarge);
    }
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let chunk = chunk.map_err(|error| Refusal::of(&error, &hop.url, errand.setting))?;
        let Some(chunk) = chunk else { return Ok(body) };
        // Chunks come out of the decoder a few kilobytes at a time, so that this holds for what a
        // small reply unpacks to as well.
        if body.len().saturating_add(chunk.len()) > max {
            return Err(Refusal::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
}

/// Of one request or one reply. Servers allow 8 to 64 KiB.
pub(super) const HEADER_BYTES_MAX: usize = 64 * 1024;
