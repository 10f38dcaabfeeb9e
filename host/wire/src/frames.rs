//! How a streamed body is cut into events: a choice of three, each incremental, for any split.

use bytes::Bytes;

use crate::sse::{Event, Oversize, Reader};

mod lines;

use lines::Lines;

/// How a dialect's streams are cut into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// A JSON value on each line (NDJSON).
    Lines,
}

impl Framing {
    /// What the stream is called in `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::Lines => "application/x-ndjson",
        }
    }

    /// Starts reading. No event may be longer than `max_event_bytes`.
    pub fn reader(self, max_event_bytes: usize) -> Frames {
        match self {
            Self::Sse => Frames::Sse(Reader::new(max_event_bytes)),
            Self::Lines => Frames::Lines(Lines::new(max_event_bytes)),
        }
    }
}

/// Reads events from bytes in any split, whatever their framing.
#[derive(Debug)]
pub enum Frames {
    /// Of [`Framing::Sse`].
    Sse(Reader),
    /// Of [`Framing::Lines`].
    Lines(Lines),
}

impl Frames {
    /// Takes the next bytes. Read all events before pushing again: what is left is copied.
    pub fn push(&mut self, bytes: Bytes) {
        match self {
            Self::Sse(reader) => reader.push(bytes),
            Self::Lines(lines) => lines.push(bytes),
        }
    }

    /// The next whole event; `None` when more bytes are needed.
    ///
    /// # Errors
    /// An event that is too long; nothing is read after it.
    pub fn next_event(&mut self) -> Option<Result<Event, Oversize>> {
        match self {
            Self::Sse(reader) => reader.next_event(),
            Self::Lines(lines) => lines.next_event(),
        }
    }

    /// What the end of the stream completes, once [`Frames::next_event`] yields no more.
    ///
    /// # Errors
    /// As [`Frames::next_event`].
    pub fn finish(&mut self) -> Option<Result<Event, Oversize>> {
        match self {
            Self::Sse(reader) => reader.finish(),
            Self::Lines(lines) => lines.finish(),
        }
    }
}
