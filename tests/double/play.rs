//! Plays one answer of a script as a body: pieces with pauses, and the end it was told to have.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use crate::body::Cut;
use crate::encoding::Encoding;
use crate::journal::{Ending, Receipt};
use crate::script::{Answer, Content, Event, Hang};

/// An answer on its way.
pub(crate) struct Play {
    steps: VecDeque<Step>,
    last: Last,
    wait: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    has_waited: bool,
    gate: watch::Receiver<bool>,
    bytes_announced: Option<usize>,
    receipt: Receipt,
}

struct Step {
    pauses: Vec<Pause>,
    bytes: Bytes,
    ends_event: bool,
}

#[derive(Clone, Copy)]
enum Pause {
    /// Lets the server flush what it has.
    Flush,
    Silence(u64),
    Gate,
}

enum Last {
    End,
    Cut,
    Hang,
}

impl Play {
    /// Lays out the answer. The gate is the name's; the receipt keeps what is sent.
    pub(crate) fn new(answer: &Answer, gate: watch::Receiver<bool>, receipt: Receipt) -> Self {
        let mut steps = lay_out(answer);
        let bytes_total: usize = steps.iter().map(|step| step.bytes.len()).sum();
        let is_whole = matches!(answer.content, Content::Whole(_)) && answer.split.is_none();
        let cut_at = cut_bytes(answer, &steps);
        if let Some(limit) = cut_at {
            truncate(&mut steps, limit);
        }
        if let Some(size) = answer.split {
            steps = steps.into_iter().flat_map(|step| split(step, size)).collect();
        }
        let last = match (cut_at, answer.hang) {
            (Some(_), _) => Last::Cut,
            (None, Some(Hang::End)) => Last::Hang,
            (None, _) => Last::End,
        };
        let bytes_announced = is_whole.then_some(bytes_total);
        if bytes_announced == Some(0) {
            receipt.end(Ending::Whole);
        }
        let steps = steps.into();
        Self { steps, last, wait: None, has_waited: false, gate, bytes_announced, receipt }
    }

    /// The body's length where the answer is in one piece; a cut announces what it won't send.
    pub(crate) fn bytes_announced(&self) -> Option<usize> {
        self.bytes_announced
    }

    /// The next piece, when its time has come.
    pub(crate) fn poll_bytes(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        loop {
            if let Some(wait) = &mut self.wait {
                ready!(wait.as_mut().poll(context));
                self.wait = None;
                self.has_waited = true;
            }
            if !self.has_waited {
                self.wait = Some(Box::pin(pause(self.pauses(), self.gate.clone())));
                continue;
            }
            let Some(step) = self.steps.pop_front() else { return self.poll_last() };
            self.has_waited = self.steps.front().is_some_and(|next| next.pauses.is_empty());
            self.receipt.sent(step.bytes.len(), step.ends_event);
            // The server asks no more once it has a body's announced length.
            if self.steps.is_empty() && matches!(self.last, Last::End) {
                self.receipt.end(Ending::Whole);
            }
            return Poll::Ready(Some(Ok(step.bytes)));
        }
    }

    fn pauses(&self) -> Vec<Pause> {
        // What was sent before a cut must be on the wire when the connection closes.
        self.steps.front().map_or_else(|| vec![Pause::Flush], |step| step.pauses.clone())
    }

    fn poll_last(&mut self) -> Poll<Option<Result<Bytes, Cut>>> {
        match self.last {
            Last::End => {
                self.receipt.end(Ending::Whole);
                Poll::Ready(None)
            }
            Last::Cut => {
                self.receipt.end(Ending::Cut);
                Poll::Ready(Some(Err(Cut)))
            }
            // Nobody wakes this again: the client has to leave.
            Last::Hang => {
                self.has_waited = true;
                Poll::Pending
            }
        }
    }
}

async fn pause(pauses: Vec<Pause>, mut gate: watch::Receiver<bool>) {
    for pause in pauses {
        match pause {
            Pause::Flush => tokio::task::yield_now().await,
            Pause::Silence(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            // A closed gate channel is a script that was replaced: its streams go on.
            Pause::Gate => drop(gate.wait_for(|is_open| *is_open).await),
        }
    }
}

fn lay_out(answer: &Answer) -> Vec<Step> {
    let frames: Vec<Vec<u8>> = match &answer.content {
        Content::Whole(text) => vec![text.clone().into_bytes()],
        Content::Stream(events) => events.iter().map(Event::frame).collect(),
    };
    let mut encoder = answer.content_encoding.map(Encoding::encoder);
    let mut steps = Vec::new();
    for (at, frame) in frames.into_iter().enumerate() {
        let bytes = match &mut encoder {
            Some(encoder) => encoder.write(&frame),
            None => frame,
        };
        let mut pauses = Vec::new();
        let silence_ms = if at == 0 { answer.first_ms } else { answer.pace_ms };
        if silence_ms > 0 {
            pauses.push(Pause::Silence(silence_ms));
        }
        if answer.gate_after == Some(at) {
            pauses.push(Pause::Gate);
        }
        steps.push(Step { pauses, bytes: bytes.into(), ends_event: true });
    }
    if let Some(encoder) = encoder {
        let bytes = encoder.finish().into();
        steps.push(Step { pauses: Vec::new(), bytes, ends_event: false });
    } else if answer.gate_after.is_some_and(|after| after >= steps.len()) {
        let pauses = vec![Pause::Gate];
        steps.push(Step { pauses, bytes: Bytes::new(), ends_event: false });
    }
    steps
}

/// The byte at which the connection is closed, if the script closes it.
fn cut_bytes(answer: &Answer, steps: &[Step]) -> Option<usize> {
    let by_events = answer
        .cut_after
        .map(|events| steps.iter().take(events).map(|step| step.bytes.len()).sum::<usize>());
    match (by_events, answer.cut_bytes) {
        (Some(events), Some(bytes)) => Some(events.min(bytes)),
        (events, bytes) => events.or(bytes),
    }
}

fn truncate(steps: &mut Vec<Step>, limit: usize) {
    let mut left = limit;
    steps.retain_mut(|step| {
        let had_room = left > 0;
        step.ends_event &= step.bytes.len() <= left;
        step.bytes.truncate(left);
        left = left.saturating_sub(step.bytes.len());
        had_room
    });
}

fn split(step: Step, size: usize) -> Vec<Step> {
    let mut bytes = step.bytes;
    let mut pieces = Vec::new();
    let mut pauses = step.pauses;
    while bytes.len() > size {
        let piece = bytes.split_to(size);
        pieces.push(Step { pauses, bytes: piece, ends_event: false });
        pauses = vec![Pause::Flush];
    }
    pauses.push(Pause::Flush);
    pieces.push(Step { pauses, bytes, ends_event: step.ends_event });
    pieces
}
