//! How a streamed body is cut into events: a choice of three, each incremental, for any split.

use bytes::Bytes;

use crate::sse::{Event, Oversize, Reader};

pub mod event_stream;
mod lines;

use event_stream::Messages;
use lines::Lines;

/// How a dialect's streams are cut into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// A JSON value on each line (NDJSON).
    Lines,
    /// Amazon's binary messages with checksums.
    EventStream,
}

impl Framing {
    /// What the stream is called in `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::Lines => "application/x-ndjson",
            Self::EventStream => "application/vnd.amazon.eventstream",
        }
    }

    /// Starts reading. No event may be longer than `max_event_bytes`.
    pub fn reader(self, max_event_bytes: usize) -> Frames {
        match self {
            Self::Sse => Frames::Sse(Reader::new(max_event_bytes)),
            Self::Lines => Frames::Lines(Lines::new(max_event_bytes)),
            Self::EventStream => Frames::EventStream(Messages::new(max_event_bytes)),
        }
    }
}

/// Bytes that are no events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// An event that is longer than the reader's limit.
    #[error(transparent)]
    Oversize(#[from] Oversize),
    /// An event that was damaged on the way, or was never one.
    #[error("an event is damaged: {0}")]
    Corrupt(&'static str),
}

/// Reads events from bytes in any split, whatever their framing.
#[derive(Debug)]
pub enum Frames {
    /// Of [`Framing::Sse`].
    Sse(Reader),
    /// Of [`Framing::Lines`].
    Lines(Lines),
    /// Of [`Framing::EventStream`].
    EventStream(Messages),
}

impl Frames {
    /// Takes the next bytes. Read all events before pushing again: what is left is copied.
    pub fn push(&mut self, bytes: Bytes) {
        match self {
            Self::Sse(reader) => reader.push(bytes),
            Self::Lines(lines) => lines.push(bytes),
            Self::EventStream(messages) => messages.push(&bytes),
        }
    }

    /// The next whole event; `None` when more bytes are needed.
    ///
    /// # Errors
    /// An event that is too long or damaged; nothing is read after it.
    pub fn next_event(&mut self) -> Option<Result<Event, FrameError>> {
        match self {
            Self::Sse(reader) => Some(reader.next_event()?.map_err(FrameError::from)),
            Self::Lines(lines) => Some(lines.next_event()?.map_err(FrameError::from)),
            Self::EventStream(messages) => messages.next_event(),
        }
    }

    /// What the end of the stream completes, once [`Frames::next_event`] yields no more.
    ///
    /// # Errors
    /// As [`Frames::next_event`].
    pub fn finish(&mut self) -> Option<Result<Event, FrameError>> {
        match self {
            Self::Sse(reader) => Some(reader.finish()?.map_err(FrameError::from)),
            Self::Lines(lines) => Some(lines.finish()?.map_err(FrameError::from)),
            // A message is whole or it is none.
            Self::EventStream(_) => None,
        }
    }
}
