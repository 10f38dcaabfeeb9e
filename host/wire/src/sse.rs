//! Server-sent events, incrementally: bytes in any split become events, and events become bytes.
//!
//! `id` and `retry` fields are ignored: nobody reconnects to a generation. Invalid UTF-8 is
//! replaced. An event that stands in one piece of input is a slice of it, not a copy.

use bytes::Bytes;

/// One event: its fields, joined as the standard says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The `event` field.
    pub name: Option<String>,
    /// The `data` lines joined by newlines. Valid UTF-8: what was not is replaced.
    pub data: Bytes,
}

/// An event or a line that is longer than the reader's limit. Nothing is read after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {max_bytes} bytes")]
pub struct Oversize {
    /// The limit.
    pub max_bytes: usize,
}

/// Reads events from bytes in any split. Holds at most twice `max_event_bytes` and what was
/// pushed last.
#[derive(Debug)]
pub struct Reader {
    max_event_bytes: usize,
    /// What was pushed and not yet read.
    input: Bytes,
    /// The beginning of a line that earlier input ended in.
    line: Vec<u8>,
    /// A CR ended the last line, so an LF right after it belongs to it.
    after_cr: bool,
    /// The first line may begin with a byte order mark.
    at_start: bool,
    is_oversize: bool,
    /// Bytes of the fields that the event under construction has.
    event_bytes: usize,
    name: Option<String>,
    data: Data,
}

/// The data of the event under construction.
#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    One(Bytes),
    Many(Vec<u8>),
}

impl Reader {
    /// A reader at the beginning of a stream. No line and no event may be longer than
    /// `max_event_bytes`.
    pub fn new(max_event_bytes: usize) -> Self {
        Self {
            max_event_bytes,
            input: Bytes::new(),
            line: Vec::new(),
            after_cr: false,
            at_start: true,
            is_oversize: false,
            event_bytes: 0,
            name: None,
            data: Data::None,
        }
    }

    /// Takes the next bytes. Read all events before pushing again: what is left is copied.
    pub fn push(&mut self, bytes: Bytes) {
        if self.input.is_empty() {
            self.input = bytes;
        } else {
            self.input = [&*self.input, &*bytes].concat().into();
        }
    }

    /// The next whole event; `None` when more bytes are needed.
    pub fn next_event(&mut self) -> Option<Result<Event, Oversize>> {
        if self.is_oversize {
            return None;
        }
        while !self.input.is_empty() {
            if std::mem::take(&mut self.after_cr) && self.input.first() == Some(&b'\n') {
                let _ = self.input.split_to(1);
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', &self.input) else {
                self.line.extend_from_slice(&self.input);
                self.input = Bytes::new();
                return (self.line.len() > self.max_event_bytes).then(|| self.oversize());
            };
            let mut line = self.input.split_to(end);
            self.after_cr = self.input.split_to(1).first() == Some(&b'\r');
            if !self.line.is_empty() {
                self.line.extend_from_slice(&line);
                line = std::mem::take(&mut self.line).into();
            }
            match self.read_line(line) {
                Ok(None) => {}
                Ok(Some(event)) => return Some(Ok(event)),
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }

    /// The event that the end of the stream completes, once [`Reader::next_event`] yields no more.
    /// The standard drops an event without a blank line after it; hosts that end so exist, so it
    /// is kept.
    pub fn finish(&mut self) -> Option<Result<Event, Oversize>> {
        if self.is_oversize {
            return None;
        }
        let line = std::mem::take(&mut self.line);
        if !line.is_empty()
            && let Err(error) = self.read_line(line.into())
        {
            return Some(Err(error));
        }
        self.dispatch().map(Ok)
    }

    fn read_line(&mut self, mut line: Bytes) -> Result<Option<Event>, Oversize> {
        if line.len() > self.max_event_bytes {
            return self.oversize().map(Some);
        }
        if std::mem::take(&mut self.at_start) && line.starts_with(BYTE_ORDER_MARK) {
            line = line.split_off(BYTE_ORDER_MARK.len());
        }
        if line.is_empty() {
            return Ok(self.dispatch());
        }
        let (field, value) = match memchr::memchr(b':', &line) {
            Some(colon) => {
                let skip = if line.get(colon + 1) == Some(&b' ') { 2 } else { 1 };
                (line.slice(..colon), line.slice(colon + skip..))
            }
            None => (line, Bytes::new()),
        };
        match &*field {
            b"data" => {
                self.count(value.len() + 1)?;
                self.data = match std::mem::take(&mut self.data) {
                    Data::None => Data::One(valid(value)),
                    Data::One(first) => Data::Many([&*first, b"\n", &*valid(value)].concat()),
                    Data::Many(mut data) => {
                        data.push(b'\n');
                        data.extend_from_slice(&valid(value));
                        Data::Many(data)
                    }
                };
            }
            b"event" => {
                self.count(value.len())?;
                self.name = Some(String::from_utf8_lossy(&value).into_owned());
            }
            _ => {}
        }
        Ok(None)
    }

    fn count(&mut self, bytes: usize) -> Result<(), Oversize> {
        self.event_bytes = self.event_bytes.saturating_add(bytes);
        if self.event_bytes > self.max_event_bytes {
            return self.oversize().map(drop);
        }
        Ok(())
    }

    fn oversize(&mut self) -> Result<Event, Oversize> {
        self.is_oversize = true;
        self.input = Bytes::new();
        self.line = Vec::new();
        self.data = Data::None;
        Err(Oversize { max_bytes: self.max_event_bytes })
    }

    fn dispatch(&mut self) -> Option<Event> {
        self.event_bytes = 0;
        let name = self.name.take().filter(|name| !name.is_empty());
        match std::mem::take(&mut self.data) {
            Data::None => None,
            Data::One(data) => Some(Event { name, data }),
            Data::Many(data) => Some(Event { name, data: data.into() }),
        }
    }
}

/// Appends an event without a name.
pub fn write_data(out: &mut Vec<u8>, data: &[u8]) {
    let mut rest = data;
    while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
        let (line, tail) = rest.split_at(end);
        write_field(out, b"data: ", line);
        rest = tail.strip_prefix(b"\r\n").or_else(|| tail.get(1..)).unwrap_or_default();
    }
    write_field(out, b"data: ", rest);
    out.push(b'\n');
}

/// Appends an event with a name, which has no line breaks.
pub fn write_event(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    write_field(out, b"event: ", name.as_bytes());
    write_data(out, data);
}

/// Appends a comment, which readers skip. It has no line breaks.
pub fn write_comment(out: &mut Vec<u8>, text: &str) {
    write_field(out, b": ", text.as_bytes());
    out.push(b'\n');
}

fn write_field(out: &mut Vec<u8>, field: &[u8], value: &[u8]) {
    out.extend_from_slice(field);
    out.extend_from_slice(value);
    out.push(b'\n');
}

fn valid(value: Bytes) -> Bytes {
    match std::str::from_utf8(&value) {
        Ok(_) => value,
        Err(_) => String::from_utf8_lossy(&value).into_owned().into(),
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests;
