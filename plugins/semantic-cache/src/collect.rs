//! Reads along while a reply passes, and keeps it when it ended well.

use crate::reply::Reply;
use crate::store::Store;
use crate::vector::Vector;
use patchbay_sdk::{Delta, Error, FinishReason, Interest, ReasoningDelta, Stream, Verdict};
use std::rc::Rc;

/// What is needed to keep a reply.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) store: Store,
    /// The hash of the question, and its vector.
    pub(crate) question: String,
    pub(crate) vector: Vector,
    pub(crate) bytes_max: usize,
}

/// A reply on its way.
pub(crate) struct Collector {
    place: Rc<Place>,
    reply: Reply,
    bytes: usize,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// Ended by itself.
    Clean,
    /// Has what is not kept, or ended otherwise.
    Unfit,
}

impl Collector {
    pub(crate) fn new(place: Rc<Place>) -> Self {
        Self { place, reply: Reply::default(), bytes: 0, end: End::Open }
    }

    fn add(&mut self, delta: &Delta) {
        let bytes = match delta {
            Delta::Text(piece) => {
                self.reply.text.push_str(&piece.text);
                piece.text.len()
            }
            Delta::Reasoning(piece) if is_plain(piece) => {
                self.reply.reasoning.push_str(&piece.text);
                piece.text.len()
            }
            Delta::Annotation(annotation) => match serde_json::from_str(&annotation.json) {
                Ok(json) => {
                    self.reply.annotations.push(json);
                    annotation.json.len()
                }
                Err(_) => return self.give_up(),
            },
            Delta::Finish(finish) if finish.reason == FinishReason::Stop => {
                self.end = End::Clean;
                0
            }
            _ => return self.give_up(),
        };
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.place.bytes_max {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        self.end = End::Unfit;
        self.reply = Reply::default();
    }
}

/// A proof belongs to the one generation that it was made for.
fn is_plain(piece: &ReasoningDelta) -> bool {
    let detail = piece.detail.as_ref();
    detail.is_none_or(|detail| detail.signature.is_none() && detail.data.is_none())
}

impl Stream for Collector {
    fn interest(&self) -> Interest {
        Interest::TEXT
            | Interest::REASONING
            | Interest::TOOL_CALL
            | Interest::REFUSAL
            | Interest::ANNOTATION
            | Interest::IMAGE
            | Interest::AUDIO
            | Interest::FINISH
    }

    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        for delta in &batch {
            if self.end == End::Unfit {
                break;
            }
            self.add(delta);
        }
        Ok(Verdict::Pass)
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        if self.end == End::Clean && !self.reply.text.trim().is_empty() {
            let Place { store, question, vector, .. } = self.place.as_ref();
            store.keep(question, vector, &self.reply);
        }
        Ok(Verdict::Pass)
    }
}
