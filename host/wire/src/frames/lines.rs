//! Lines, incrementally: bytes in any split become events without a name, one a line.

use bytes::Bytes;

use crate::sse::{Event, Oversize};

/// Reads lines; empty ones are skipped. Invalid UTF-8 is left for the reader of the JSON to refuse.
#[derive(Debug)]
pub struct Lines {
    max_event_bytes: usize,
    /// What was pushed and not yet read.
    input: Bytes,
    /// The beginning of a line that earlier input ended in.
    line: Vec<u8>,
    is_oversize: bool,
}

impl Lines {
    /// A reader at the beginning of a stream.
    pub(super) fn new(max_event_bytes: usize) -> Self {
        Self { max_event_bytes, input: Bytes::new(), line: Vec::new(), is_oversize: false }
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        self.input = match self.input.is_empty() {
            true => bytes,
            false => [&*self.input, &*bytes].concat().into(),
        };
    }

    pub(super) fn next_event(&mut self) -> Option<Result<Event, Oversize>> {
        while !self.input.is_empty() && !self.is_oversize {
            let Some(end) = memchr::memchr(b'\n', &self.input) else {
                self.line.extend_from_slice(&self.input);
                self.input = Bytes::new();
                return (self.line.len() > self.max_event_bytes).then(|| Err(self.oversize()));
            };
            let mut line = self.input.split_to(end);
            let _ = self.input.split_to(1);
            if !self.line.is_empty() {
                self.line.extend_from_slice(&line);
                line = std::mem::take(&mut self.line).into();
            }
            if let Some(event) = self.event(line) {
                return Some(event);
            }
        }
        None
    }

    pub(super) fn finish(&mut self) -> Option<Result<Event, Oversize>> {
        let line = std::mem::take(&mut self.line);
        self.event(line.into())
    }

    fn event(&mut self, data: Bytes) -> Option<Result<Event, Oversize>> {
        if data.len() > self.max_event_bytes {
            return Some(Err(self.oversize()));
        }
        (!data.trim_ascii().is_empty()).then_some(Ok(Event { name: None, data }))
    }

    fn oversize(&mut self) -> Oversize {
        self.is_oversize = true;
        self.input = Bytes::new();
        self.line = Vec::new();
        Oversize { max_bytes: self.max_event_bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> Vec<Result<String, Oversize>> {
        let mut lines = Lines::new(16);
        let mut events = Vec::new();
        for piece in pieces {
            lines.push(Bytes::copy_from_slice(piece.as_bytes()));
            while let Some(event) = lines.next_event() {
                events.push(event);
            }
        }
        events.extend(lines.finish());
        let text = |event: Event| String::from_utf8_lossy(event.data.trim_ascii()).into_owned();
        events.into_iter().map(|event| event.map(text)).collect()
    }

    #[test]
    fn lines_are_the_same_however_they_are_split() {
        let text = "{\"a\":1}\r\n\n{\"b\":2}\n{\"c\":3}";
        let whole = ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"].map(|line| Ok(line.to_owned()));
        for at in 0..=text.len() {
            let (head, tail) = text.split_at(at);
            assert_eq!(read(&[head, tail]), whole, "at {at}");
        }
    }

    #[test]
    fn nothing_is_read_after_a_line_that_is_too_long() {
        let long = "x".repeat(17);
        let oversize = Err(Oversize { max_bytes: 16 });
        assert_eq!(read(&[&format!("{long}\nok\n")]), std::slice::from_ref(&oversize));
        assert_eq!(read(&[&long, "\nok\n"]), [oversize]);
    }
}
