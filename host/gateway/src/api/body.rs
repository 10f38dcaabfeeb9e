//! The body of a streamed reply: what the generation writes, and comments while it is silent.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior};
use wire::{Dialect, Head, WriteStream};

use super::rescue;
use crate::error::Error;
use crate::generation::{Begun, Waiting};

/// What a streaming client reads. Dropped when the client leaves.
pub(super) struct StreamBody {
    /// Until the reply begins.
    begun: Option<oneshot::Receiver<Result<Begun, Error>>>,
    pieces: mpsc::Receiver<Bytes>,
    /// Writes comments, and the error when the reply never begins; none for sound, which bears
    /// neither.
    writer: Option<Box<dyn WriteStream>>,
    comments: Interval,
    /// Whether nothing was sent since the last tick.
    is_quiet: bool,
    is_over: bool,
}

impl StreamBody {
    /// A reply that has begun.
    pub(super) fn begun(
        surface: &dyn Dialect,
        id: &str,
        pieces: mpsc::Receiver<Bytes>,
        pause: Duration,
    ) -> Self {
        let head = Head {
            id: id.to_owned(),
            created: crate::clock::unix_ms() / 1000,
            model: String::new(),
            provider: String::new(),
            ..Head::default()
        };
        Self::of(Some(surface.write_stream(&head)), pieces, pause)
    }

    /// A reply that has begun, with a writer of its own.
    pub(super) fn of(
        writer: Option<Box<dyn WriteStream>>,
        pieces: mpsc::Receiver<Bytes>,
        pause: Duration,
    ) -> Self {
        let mut comments = tokio::time::interval_at(Instant::now() + pause, pause);
        comments.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { begun: None, pieces, writer, comments, is_quiet: true, is_over: false }
    }

    /// A reply that has yet to begin: a comment goes out at once.
    pub(super) fn waiting(
        surface: &dyn Dialect,
        id: &str,
        waiting: Waiting,
        pause: Duration,
    ) -> Self {
        Self::begun(surface, id, waiting.body, pause).until(waiting.begun)
    }

    /// The same before the reply has begun: a comment goes out at once.
    pub(super) fn until(mut self, begun: oneshot::Receiver<Result<Begun, Error>>) -> Self {
        self.begun = Some(begun);
        self.comments.reset_immediately();
        self
    }

    /// Whether the reply has begun; an error instead of it is written as the last event.
    fn poll_begun(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(begun) = &mut self.begun else { return Poll::Ready(None) };
        let Poll::Ready(result) = Pin::new(begun).poll(context) else { return Poll::Pending };
        self.begun = None;
        let error = match result {
            Ok(Ok(Begun::Stream | Begun::Sound(_))) => return Poll::Ready(None),
            Ok(Ok(Begun::Whole(body))) => {
                self.is_over = true;
                return Poll::Ready(Some(body));
            }
            Ok(Err(error)) => error,
            Err(_) => Error::us(anyhow::anyhow!("the generation ended without an answer")),
        };
        self.is_over = true;
        rescue::log(&error);
        let mut out = Vec::new();
        if let Some(writer) = &mut self.writer {
            writer.error(&error.failure, &mut out);
        }
        Poll::Ready(Some(out.into()))
    }

    fn poll_comment(&mut self, context: &mut Context<'_>) -> Poll<Bytes> {
        let Some(writer) = &mut self.writer else { return Poll::Pending };
        while self.comments.poll_tick(context).is_ready() {
            if std::mem::replace(&mut self.is_quiet, true) {
                let mut out = Vec::new();
                writer.keep_alive(&mut out);
                return Poll::Ready(out.into());
            }
        }
        Poll::Pending
    }
}

/// A reply that ended without its last piece.
#[derive(Debug, thiserror::Error)]
#[error("the reply was cut off")]
pub(super) struct Cut;

impl Body for StreamBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        match self.poll_begun(context) {
            Poll::Ready(Some(last)) => return Poll::Ready(Some(Ok(Frame::data(last)))),
            Poll::Ready(None) => match self.pieces.poll_recv(context) {
                Poll::Ready(Some(piece)) if piece.is_empty() => {
                    self.is_over = true;
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(piece)) => {
                    self.is_quiet = false;
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                // It has no end: closing the connection tells the client.
                Poll::Ready(None) => {
                    self.is_over = true;
                    return Poll::Ready(Some(Err(Cut)));
                }
                Poll::Pending => {}
            },
            Poll::Pending => {}
        }
        self.poll_comment(context).map(|comment| Some(Ok(Frame::data(comment))))
    }
}
