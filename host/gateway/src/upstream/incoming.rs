//! A streamed reply on its way in: bytes to events to chunks, with a limit on silence.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use wire::sse::Event;
use wire::{Chunk, ErrorType, Failure, FrameError, Frames, ReadStream, StreamError};

use super::{broken, named, unreachable};
use crate::config::Upstream as Limits;
use crate::config::catalog::{Endpoint, Provider};
use crate::error::Error;

/// The rest of a streamed reply. Dropping it closes the connection.
pub(crate) struct Incoming {
    provider: Arc<Provider>,
    response: reqwest::Response,
    events: Frames,
    reader: Box<dyn ReadStream>,
    idle: Duration,
    /// How it ended, while what came before is being handled.
    ended: Option<Result<bool, Error>>,
}

impl Incoming {
    pub(super) fn new(
        endpoint: &Endpoint,
        response: reqwest::Response,
        reader: Box<dyn ReadStream>,
        limits: &Limits,
    ) -> Self {
        Self {
            provider: Arc::clone(&endpoint.provider),
            response,
            events: endpoint.provider.dialect.framing().reader(limits.event_bytes_max),
            reader,
            idle: Duration::from_millis(limits.idle_ms),
            ended: None,
        }
    }

    /// Appends the next chunks: everything that is there, so that a burst is handled and sent on
    /// in one go. Returns whether more may come. May be dropped and called again without losing
    /// anything but its own wait.
    ///
    /// # Errors
    /// The upstream's: silence, a broken or cut stream, or its own error event. What came before
    /// the error is given first.
    pub(crate) async fn read(&mut self, chunks: &mut Vec<Chunk>) -> Result<bool, Error> {
        if let Some(ended) = self.ended.take() {
            return ended;
        }
        let piece = self.wait().await;
        let mut step = piece.and_then(|piece| self.take(piece, chunks));
        let mut has_breathed = false;
        while matches!(step, Ok(true)) && chunks.len() < BURST {
            match self.response.chunk().now_or_never() {
                Some(piece) => {
                    let piece = piece.map_err(|error| unreachable(&self.provider, error));
                    step = piece.and_then(|piece| self.take(piece, chunks));
                    has_breathed = false;
                }
                None if has_breathed => break,
                None => {
                    breathe().await;
                    has_breathed = true;
                }
            }
        }
        match step {
            Ok(true) => Ok(true),
            ended if chunks.is_empty() => ended,
            ended => {
                self.ended = Some(ended);
                Ok(true)
            }
        }
    }

    /// Waits for the next piece of the body; none at its end.
    async fn wait(&mut self) -> Result<Option<Bytes>, Error> {
        // After the dialect's own end only the connection's is left to read, so that it can be
        // used again; an upstream that forgets it must not keep the client waiting.
        let is_done = self.reader.is_done();
        let limit = if is_done { self.idle.min(CLOSING) } else { self.idle };
        match tokio::time::timeout(limit, self.response.chunk()).await {
            Ok(piece) => piece.map_err(|error| unreachable(&self.provider, error)),
            Err(_) if is_done => Ok(None),
            Err(_) => Err(self.silent()),
        }
    }

    /// Reads the events of one piece; without a piece, what the end completes.
    fn take(&mut self, piece: Option<Bytes>, chunks: &mut Vec<Chunk>) -> Result<bool, Error> {
        let Some(bytes) = piece else {
            if let Some(event) = self.events.finish() {
                self.read_event(event, chunks)?;
            }
            return if self.reader.is_done() { Ok(false) } else { Err(self.cut()) };
        };
        self.events.push(bytes);
        self.read_events(chunks)?;
        Ok(true)
    }

    fn read_events(&mut self, chunks: &mut Vec<Chunk>) -> Result<(), Error> {
        while let Some(event) = self.events.next_event() {
            self.read_event(event, chunks)?;
        }
        Ok(())
    }

    fn read_event(
        &mut self,
        event: Result<Event, FrameError>,
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

/// Lets the connection's own task bring what it has read already: it hands over one piece at a
/// time, and each sent on by itself would cost a system call.
async fn breathe() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Chunks that are handled in one go; enough to make system calls rare, few enough to keep other
/// streams waiting for microseconds only.
const BURST: usize = 64;

/// How long a finished stream may take to close.
const CLOSING: Duration = Duration::from_millis(500);

/// What a dialect's reader says, as an error of the provider.
pub(super) fn failed(provider: &Provider, error: StreamError) -> Error {
    match error {
        StreamError::Upstream(failure) => named(provider, failure),
        StreamError::Read(error) => broken(provider, error.to_string()),
    }
}
