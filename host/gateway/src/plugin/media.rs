//! A request's inline media, which stay with the host while a plugin sees their numbers. Base64 is
//! decoded only when a plugin reads, and then only the range that it reads.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use wire::{Content, MediaData, Request};

/// One medium.
#[derive(Debug)]
pub(super) struct Held {
    /// Its MIME type.
    pub(super) mime: String,
    /// Its bytes, as they came.
    pub(super) base64: String,
}

impl Held {
    /// Bytes when decoded.
    pub(super) fn size(&self) -> u64 {
        let digits = self.base64.trim_end_matches('=').len();
        u64::try_from(digits / 4 * 3 + (digits % 4).saturating_sub(1)).unwrap_or(u64::MAX)
    }

    /// A range of the bytes, shortened at the end; empty when the text is not base64.
    pub(super) fn read(&self, offset: u64, length: u32) -> Vec<u8> {
        let (Ok(offset), Ok(length)) = (usize::try_from(offset), usize::try_from(length)) else {
            return Vec::new();
        };
        let length = length.min(READ_BYTES_MAX);
        // Four letters are three bytes: decode the groups that the range touches.
        let skipped = offset % 3;
        let first = (offset / 3).saturating_mul(4);
        let last = offset.saturating_add(length).div_ceil(3).saturating_mul(4);
        let Some(text) = self.base64.get(first..last.min(self.base64.len())) else {
            return Vec::new();
        };
        let mut bytes = BASE64.decode(text).unwrap_or_default();
        bytes.drain(..skipped.min(bytes.len()));
        bytes.truncate(length);
        bytes
    }
}

/// Takes the bytes of the request's inline media out, in order; the media stay, empty.
pub(super) fn lend(request: &mut Request) -> Vec<Held> {
    let mut held = Vec::new();
    for_each_inline(request, &mut |mime, base64| {
        held.push(Held { mime: mime.clone(), base64: std::mem::take(base64) });
    });
    held
}

/// Puts them back.
pub(super) fn restore(request: &mut Request, held: Vec<Held>) {
    let mut held = held.into_iter();
    for_each_inline(request, &mut |_, base64| {
        if let Some(held) = held.next() {
            *base64 = held.base64;
        }
    });
}

/// Visits inline media in the order in which a plugin counts them.
fn for_each_inline(request: &mut Request, visit: &mut dyn FnMut(&String, &mut String)) {
    for message in &mut request.messages {
        for part in &mut message.parts {
            in_content(&mut part.content, visit);
        }
    }
}

fn in_content(content: &mut Content, visit: &mut dyn FnMut(&String, &mut String)) {
    match content {
        Content::Media(media) => {
            if let MediaData::Inline { mime, base64 } = &mut media.data {
                visit(mime, base64);
            }
        }
        Content::ToolResult { parts, .. } => {
            for part in parts {
                in_content(&mut part.content, visit);
            }
        }
        _ => {}
    }
}

/// Writes bytes that a plugin added.
pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Padding may be missing: clients forget it, and a range has none.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes that one read gives at most.
const READ_BYTES_MAX: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_without_the_rest() {
        let bytes: Vec<u8> = (0..=50).collect();
        for (end, size) in (0..bytes.len()).zip(0_u64..) {
            let held = Held { mime: String::new(), base64: encode(&bytes[..end]) };
            assert_eq!(held.size(), size);
            for (from, offset) in (0..=end).zip(0_u64..) {
                let want = &bytes[from..end.min(from + 7)];
                assert_eq!(held.read(offset, 7), want, "{offset} of {end}");
            }
            assert!(held.read(size + 1, 7).is_empty());
        }
    }

    #[test]
    fn what_is_not_base64_reads_as_nothing() {
        let held = Held { mime: String::new(), base64: "é?".to_owned() };
        assert!(held.read(0, 10).is_empty());
        assert!(held.read(1, 10).is_empty());
    }
}
