//! AWS's binary framing of events (`application/vnd.amazon.eventstream`): lengths and headers with
//! a checksum each. Written from its description, not with the gateway's own writer.

use serde_json::Value;

use crate::gzip::crc_step;

/// One event's bytes, or those of an exception.
pub(crate) fn frame(name: &str, data: &Value, is_exception: bool) -> Vec<u8> {
    let (kind, message) =
        if is_exception { (":exception-type", "exception") } else { (":event-type", "event") };
    let mut headers = Vec::new();
    for (key, value) in
        [(kind, name), (":content-type", "application/json"), (":message-type", message)]
    {
        headers.extend(u8::try_from(key.len()).unwrap_or(u8::MAX).to_be_bytes());
        headers.extend(key.as_bytes());
        // 7 is a text, with its length in two bytes.
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let payload = data.to_string();
    // Two lengths and two checksums of four bytes each stand around it.
    let length = 16 + headers.len() + payload.len();
    let mut out = Vec::with_capacity(length);
    out.extend(size(length));
    out.extend(size(headers.len()));
    out.extend(checksum(&out));
    out.extend(headers);
    out.extend(payload.as_bytes());
    out.extend(checksum(&out));
    out
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    (!bytes.iter().fold(u32::MAX, |crc, byte| crc_step(crc, *byte))).to_be_bytes()
}
