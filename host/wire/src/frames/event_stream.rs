//! Amazon's event streams (`application/vnd.amazon.eventstream`), incrementally: bytes in any split
//! become events, and events become bytes.
//!
//! ```text
//! total length | headers' length | CRC of these 8 bytes | headers | payload | CRC of all before
//! header = length of name, name, type, value; numbers are big-endian
//! ```
//!
//! The `aws-smithy` crates are not used: they bring the types of Amazon's own clients along.

use bytes::{Bytes, BytesMut};

use super::FrameError;
use crate::sse::{Event, Oversize};

/// Reads messages as events: the name is the `:event-type`, or the `:exception-type` of an
/// exception, the data is the payload. An error without a payload becomes one that has its text as
/// `message`. Holds at most `max_event_bytes` and what was pushed last.
#[derive(Debug)]
pub struct Messages {
    max_event_bytes: usize,
    /// What was pushed and not yet read.
    input: BytesMut,
    is_broken: bool,
}

impl Messages {
    /// A reader at the beginning of a stream.
    pub(super) fn new(max_event_bytes: usize) -> Self {
        Self { max_event_bytes, input: BytesMut::new(), is_broken: false }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if !self.is_broken {
            self.input.extend_from_slice(bytes);
        }
    }

    pub(super) fn next_event(&mut self) -> Option<Result<Event, FrameError>> {
        if self.is_broken {
            return None;
        }
        let event = self.message().transpose()?;
        if event.is_err() {
            self.is_broken = true;
            self.input = BytesMut::new();
        }
        Some(event)
    }

    fn message(&mut self) -> Result<Option<Event>, FrameError> {
        let Some((prelude, _)) = self.input.split_first_chunk::<PRELUDE_BYTES>() else {
            return Ok(None);
        };
        let [t0, t1, t2, t3, h0, h1, h2, h3, sums @ ..] = *prelude;
        let lengths = [t0, t1, t2, t3, h0, h1, h2, h3];
        if crc32fast::hash(&lengths) != u32::from_be_bytes(sums) {
            return Err(FrameError::Corrupt("its prelude does not fit its checksum"));
        }
        let total = length([t0, t1, t2, t3]);
        let headers = length([h0, h1, h2, h3]);
        if total > self.max_event_bytes {
            return Err(Oversize { max_bytes: self.max_event_bytes }.into());
        }
        if total < headers.saturating_add(PRELUDE_BYTES + SUM_BYTES) {
            return Err(FrameError::Corrupt("it is shorter than its headers"));
        }
        if self.input.len() < total {
            return Ok(None);
        }
        let message = self.input.split_to(total).freeze();
        let (summed, sum) = message.split_at(total - SUM_BYTES);
        if crc32fast::hash(summed).to_be_bytes() != *sum {
            return Err(FrameError::Corrupt("it does not fit its checksum"));
        }
        let payload = message.slice(PRELUDE_BYTES + headers..total - SUM_BYTES);
        let headers = message.slice(PRELUDE_BYTES..PRELUDE_BYTES + headers);
        event(&headers, payload).map(Some).ok_or(FrameError::Corrupt("its headers can't be read"))
    }
}

/// Appends an event of this type; `data` is a JSON text.
pub fn write_event(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    write_message(out, &[(":event-type", name), JSON, (":message-type", "event")], data);
}

/// Appends an exception of this type, which ends a stream; `data` is a JSON text.
pub fn write_exception(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    write_message(out, &[(":exception-type", name), JSON, (":message-type", "exception")], data);
}

/// A name or value that is longer than its length can say is cut; none is.
fn write_message(out: &mut Vec<u8>, headers: &[(&str, &str)], payload: &[u8]) {
    let mut written = Vec::with_capacity(96);
    for (name, value) in headers {
        let name = name.get(..usize::from(u8::MAX)).unwrap_or(name);
        let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
        written.push(u8::try_from(name.len()).unwrap_or_default());
        written.extend_from_slice(name.as_bytes());
        written.push(STRING);
        written.extend_from_slice(&u16::try_from(value.len()).unwrap_or_default().to_be_bytes());
        written.extend_from_slice(value.as_bytes());
    }
    let total = PRELUDE_BYTES + written.len() + payload.len() + SUM_BYTES;
    let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let start = out.len();
    out.extend_from_slice(&number(total));
    out.extend_from_slice(&number(written.len()));
    let sum = |out: &[u8]| crc32fast::hash(out.get(start..).unwrap_or_default()).to_be_bytes();
    out.extend_from_slice(&sum(out));
    out.extend_from_slice(&written);
    out.extend_from_slice(payload);
    out.extend_from_slice(&sum(out));
}

fn event(headers: &[u8], payload: Bytes) -> Option<Event> {
    let mut rest = headers;
    let (mut event, mut exception, mut code, mut message) = (None, None, None, None);
    while !rest.is_empty() {
        let (length, after) = rest.split_first()?;
        let (name, after) = after.split_at_checked(usize::from(*length))?;
        let (kind, after) = after.split_first()?;
        let (value, after) = value(*kind, after)?;
        rest = after;
        let text = || std::str::from_utf8(value).ok().map(str::to_owned);
        match name {
            b":event-type" => event = Some(text()?),
            b":exception-type" => exception = Some(text()?),
            b":error-code" => code = Some(text()?),
            b":error-message" => message = Some(text()?),
            _ => {}
        }
    }
    let data = match (&code, payload.is_empty()) {
        (Some(_), true) => {
            let text = serde_json::json!({ "message": message.unwrap_or_default() });
            text.to_string().into()
        }
        _ => payload,
    };
    Some(Event { name: exception.or(code).or(event), data })
}

/// The value of a header of this type, and what follows it.
fn value(kind: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, bytes) = match kind {
        // True and false are types of their own.
        0 | 1 => (0, bytes),
        2 => (1, bytes),
        3 => (2, bytes),
        4 => (4, bytes),
        5 | 8 => (8, bytes),
        6 | STRING => {
            let (length, bytes) = bytes.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), bytes)
        }
        9 => (16, bytes),
        _ => return None,
    };
    bytes.split_at_checked(length)
}

/// A length that does not fit is longer than any limit.
fn length(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX)
}

const JSON: (&str, &str) = (":content-type", "application/json");
const PRELUDE_BYTES: usize = 12;
const SUM_BYTES: usize = 4;
const STRING: u8 = 7;

#[cfg(test)]
mod tests;
