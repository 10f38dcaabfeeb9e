//! The one body type of every answer: in one piece, the load pattern, or a script played.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::fast;
use crate::play::Play;

/// A body of this program.
pub(crate) enum Answer {
    /// All there is, at once.
    Whole(Option<Bytes>),
    /// The load pattern.
    Fast(Box<fast::Stream>),
    /// A script.
    Scripted(Box<Play>),
}

/// The connection ends here because a script said so.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut by the script")
    }
}

impl std::error::Error for Cut {}

impl Body for Answer {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Fast(stream) => stream.poll_bytes(context).map(|b| b.map(|b| Ok(Frame::data(b)))),
            Self::Scripted(play) => {
                play.poll_bytes(context).map(|bytes| bytes.map(|bytes| bytes.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        let exact = |bytes: usize| {
            u64::try_from(bytes).map_or_else(|_| SizeHint::new(), SizeHint::with_exact)
        };
        match self {
            Self::Whole(bytes) => exact(bytes.as_ref().map_or(0, Bytes::len)),
            Self::Fast(_) => SizeHint::new(),
            Self::Scripted(play) => play.bytes_announced().map_or_else(SizeHint::new, exact),
        }
    }
}
