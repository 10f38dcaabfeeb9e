//! The line between a running generation and the client's connection: how the reply begins, its
//! bytes, and whether anybody is still there. Bounded, so that a slow client slows its upstream.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;

/// The generation's end.
pub(crate) struct Client {
    begin: Option<oneshot::Sender<Result<Begun, Error>>>,
    body: mpsc::Sender<Bytes>,
    stall: Duration,
}

/// The connection's end. Dropping it says that the client left.
pub(crate) struct Waiting {
    /// How the reply begins.
    pub(crate) begun: oneshot::Receiver<Result<Begun, Error>>,
    /// The bytes of a streamed reply, and an empty piece after the last. Without that the reply
    /// is not whole.
    pub(crate) body: mpsc::Receiver<Bytes>,
}

/// How a reply begins.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It is streamed.
    Stream,
    /// Here it is.
    Whole(Bytes),
    /// It is sound of this MIME type, piece by piece.
    Sound(&'static str),
}

/// Both ends. `stall`: how long the client may take nothing before it counts as gone.
pub(crate) fn pair(stall: Duration) -> (Client, Waiting) {
    let (begin, begun) = oneshot::channel();
    let (body, receiver) = mpsc::channel(PIECES);
    (Client { begin: Some(begin), body, stall }, Waiting { begun, body: receiver })
}

/// Pieces that wait for a slow client. Each is what one read of the upstream brought.
const PIECES: usize = 4;

impl Client {
    /// Says that a streamed reply begins.
    pub(crate) fn stream(&mut self) {
        self.tell(Ok(Begun::Stream));
    }

    /// Gives a whole reply.
    pub(crate) fn whole(&mut self, body: Bytes) {
        self.tell(Ok(Begun::Whole(body)));
    }

    /// Says that sound begins.
    pub(crate) fn sound(&mut self, mime: &'static str) {
        self.tell(Ok(Begun::Sound(mime)));
    }

    /// Says that no reply begins. Does nothing once one has.
    pub(crate) fn fail(&mut self, error: Error) {
        self.tell(Err(error));
    }

    fn tell(&mut self, begun: Result<Begun, Error>) {
        // A client that left is not told; `is_gone` knows.
        let _ = self.begin.take().map(|begin| begin.send(begun));
    }

    /// Sends a piece of a streamed reply; waits while the client is slow. Returns whether the
    /// client is still there.
    pub(crate) async fn send(&self, piece: Vec<u8>) -> bool {
        if piece.is_empty() {
            return !self.is_gone();
        }
        match self.body.try_send(piece.into()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(piece)) => {
                self.body.send_timeout(piece, self.stall).await.is_ok()
            }
        }
    }

    /// Sends the last piece of a streamed reply. Dropped without it, the reply is cut.
    pub(crate) async fn end(&self, piece: Vec<u8>) {
        if self.send(piece).await {
            let _ = self.body.send_timeout(Bytes::new(), self.stall).await;
        }
    }

    /// Whether the client left.
    pub(crate) fn is_gone(&self) -> bool {
        self.body.is_closed()
    }

    /// Returns when the client has left.
    pub(crate) async fn gone(&self) {
        self.body.closed().await;
    }
}
