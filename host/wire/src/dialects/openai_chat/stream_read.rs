//! Reading a stream, event by event. `[DONE]` ends it; hosts that never send it have ended once
//! every choice has and tokens were counted.

use super::NAME;
use super::error;
use super::reply_read::{Choices, parse};
use crate::chunk::Chunk;
use crate::dialect::ReadStream;
use crate::error::StreamError;
use crate::source::Source;
use crate::sse::Event;

/// A stream so far.
#[derive(Debug, Default)]
pub(super) struct Stream {
    choices: Choices,
    has_ended: bool,
}

impl ReadStream for Stream {
    fn read(&mut self, event: &Event, chunks: &mut Vec<Chunk>) -> Result<(), StreamError> {
        let data = event.data.trim_ascii();
        if data == b"[DONE]" {
            self.has_ended = true;
            return Ok(());
        }
        if self.has_ended || data.is_empty() || event.name.as_deref().is_some_and(is_foreign) {
            return Ok(());
        }
        if event.name.as_deref() == Some("error") {
            return Err(StreamError::Upstream(error::read(200, data)));
        }
        let body = parse(data)?;
        if let Some(failure) = error::read_inside(&body, data) {
            return Err(StreamError::Upstream(failure));
        }
        let mut deltas = Vec::with_capacity(1);
        self.choices.read(body, &mut deltas)?;
        if !deltas.is_empty() {
            let source = Some(Source { dialect: NAME, bytes: event.data.clone() });
            chunks.push(Chunk { deltas, source });
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.has_ended || self.choices.are_complete()
    }
}

/// Events beside the reply that some gateways send under a name of their own.
fn is_foreign(name: &str) -> bool {
    matches!(name, "ping" | "keepalive" | "keep-alive")
}
