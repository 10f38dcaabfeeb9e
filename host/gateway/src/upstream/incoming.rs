//! A streamed reply on its way in: bytes to events to chunks, with a limit on silence.

use std::sync::Arc;
use std::time::Duration;

use wire::sse::{Event, Oversize, Reader};
use wire::{Chunk, ErrorType, Failure, ReadStream, StreamError};

use super::{broken, named, unreachable};
use crate::config::Upstream as Limits;
use crate::config::catalog::{Endpoint, Provider};
use crate::error::Error;

/// The rest of a streamed reply. Dropping it closes the connection.
pub(crate) struct Incoming {
    provider: Arc<Provider>,
    response: reqwest::Response,
    events: Reader,
    reader: Box<dyn ReadStream>,
    idle: Duration,
}

impl Incoming {
    pub(super) fn new(endpoint: &Endpoint, response: reqwest::Response, limits: &Limits) -> Self {
        Self {
            provider: Arc::clone(&endpoint.provider),
            response,
            events: Reader::new(limits.event_bytes_max),
            reader: endpoint.provider.dialect.read_stream(),
            idle: Duration::from_millis(limits.idle_ms),
        }
    }

    /// Appends the next chunks: everything that is there, so that a burst is handled in one go.
    /// Returns whether more may come. May be dropped and called again without losing anything.
    ///
    /// # Errors
    /// The upstream's: silence, a broken or cut stream, or its own error event.
    pub(crate) async fn read(&mut self, chunks: &mut Vec<Chunk>) -> Result<bool, Error> {
        // After the dialect's own end only the connection's is left to read, so that it can be
        // used again; an upstream that forgets it must not keep the client waiting.
        let is_done = self.reader.is_done();
        let limit = if is_done { self.idle.min(CLOSING) } else { self.idle };
        let piece = match tokio::time::timeout(limit, self.response.chunk()).await {
            Ok(piece) => piece.map_err(|error| unreachable(&self.provider, error))?,
            Err(_) if is_done => return Ok(false),
            Err(_) => return Err(self.silent()),
        };
        match piece {
            Some(bytes) => {
                self.events.push(bytes);
                self.read_events(chunks)?;
                Ok(true)
            }
            None => {
                if let Some(event) = self.events.finish() {
                    self.read_event(event, chunks)?;
                }
                if self.reader.is_done() { Ok(false) } else { Err(self.cut()) }
            }
        }
    }

    fn read_events(&mut self, chunks: &mut Vec<Chunk>) -> Result<(), Error> {
        while let Some(event) = self.events.next_event() {
            self.read_event(event, chunks)?;
        }
        Ok(())
    }

    fn read_event(
        &mut self,
        event: Result<Event, Oversize>,
        chunks: &mut Vec<Chunk>,
    ) -> Result<(), Error> {
        let event = event.map_err(|error| broken(&self.provider, error.to_string()))?;
        self.reader.read(&event, chunks).map_err(|error| failed(&self.provider, error))
    }

    fn silent(&self) -> Error {
        let seconds = self.idle.as_secs_f64();
        let message = format!("{} sent nothing for {seconds} s", self.provider.name);
        named(&self.provider, Failure::new(ErrorType::Timeout, message))
    }

    fn cut(&self) -> Error {
        let message = format!("{} closed the stream before its end", self.provider.name);
        named(&self.provider, Failure::new(ErrorType::ProviderUnavailable, message))
    }
}

/// How long a finished stream may take to close.
const CLOSING: Duration = Duration::from_millis(500);

/// What a dialect's reader says, as an error of the provider.
pub(super) fn failed(provider: &Provider, error: StreamError) -> Error {
    match error {
        StreamError::Upstream(failure) => named(provider, failure),
        StreamError::Read(error) => broken(provider, error.to_string()),
    }
}
