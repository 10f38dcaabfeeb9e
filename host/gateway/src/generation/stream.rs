//! The chunk loop of a streamed reply: upstream, hooks, client; then settle, then say so.

use std::time::{Duration, Instant};

use wire::{Chunk, Delta, Reply as Said, WriteStream};

use super::record::Record;
use super::rounds::Asking;
use super::{Ask, Client, Reply};
use crate::app::App;
use crate::clock;
use crate::error::Error;
use crate::upstream::{Answer, Rest};

/// Streams a reply to its end. Failures from here on are written into the stream.
///
/// # Errors
/// Only when the settlement could not be written.
pub(super) async fn run(
    app: &App,
    ask: &Ask,
    mut reply: Reply,
    client: &mut Client,
    record: &mut Record,
) -> Result<(), Error> {
    client.stream();
    let mut writer = ask.surface.write_stream(&reply.head);
    let mut tail = Tail { said: ask.turn.as_ref().map(|_| Said::default()), ..Tail::default() };
    let outcome = {
        let mut pump = Pump { app, ask, reply: &mut reply, client, record, tail: &mut tail };
        let mut cut = app.cut();
        tokio::select! {
            biased;
            outcome = pump.run(writer.as_mut()) => outcome,
            _ = cut.wait_for(|cut| *cut) => Err(super::cut_off()),
        }
    };
    let outcome = outcome.map_err(|error| {
        let mut error = record.with_earlier_attempts(error);
        record.add_if_failed(&mut error);
        error
    });
    if outcome.is_ok() && client.is_gone() {
        record.cancelled = true;
    }
    if let Err(error) = &outcome {
        record.note_failure(error);
    }
    let metered = record.meter.read().await;
    let billed = record.bill(reply.endpoint.as_deref(), metered);
    drop(reply.rounds.take());
    // The end is announced after it is settled: what a client saw end was billed.
    reply.hold.settle(billed.amount, record.row()).await?;
    let usage = &billed.metered.usage;
    let outcome = match (outcome, &ask.turn, tail.said.take()) {
        (Ok(()), Some(turn), Some(mut said)) if !record.cancelled => {
            said.close();
            said.usage.clone_from(usage);
            let body = ask.surface.write_reply(&said, &reply.head, &billed.cost);
            turn.keep(app, ask, &body).await
        }
        (outcome, ..) => outcome,
    };
    // A client that counts as gone may read on, but what it missed must not look whole.
    if !record.cancelled {
        let mut out = Vec::with_capacity(1024);
        match &outcome {
            Ok(()) => {
                for chunk in &tail.chunks {
                    writer.chunk(chunk, &mut out);
                }
                if let Some(routed) = &reply.head.metadata {
                    writer.tell(record.with_pipeline(routed));
                }
                writer.end(usage, &billed.cost, &mut out);
            }
            Err(error) => writer.error(&error.failure, &mut out),
        }
        client.end(out).await;
    }
    reply.pipeline.complete(record.outcome(usage));
    Ok(())
}

/// Everything from the first finish on waits here until the settlement is written.
#[derive(Default)]
struct Tail {
    chunks: Vec<Chunk>,
    /// What the client is told, where it is to be kept.
    said: Option<Said>,
}

struct Pump<'a> {
    app: &'a App,
    ask: &'a Ask,
    reply: &'a mut Reply,
    client: &'a Client,
    record: &'a mut Record,
    tail: &'a mut Tail,
}

impl Pump<'_> {
    async fn run(&mut self, writer: &mut dyn WriteStream) -> Result<(), Error> {
        let mut chunks = std::mem::take(&mut self.reply.answer.chunks);
        let mut incoming = self.reply.answer.incoming.take();
        let mut passed = Vec::with_capacity(chunks.len() + 1);
        loop {
            let pushed = self.push(writer, &mut chunks, &mut passed).await;
            // What passed before a hook ended the reply is the client's.
            let is_there = self.write(writer, &mut passed).await;
            pushed?;
            // Should this process be killed, the hold that it leaves behind settles at this.
            self.reply.hold.progress(self.record.cost_so_far(self.reply));
            if !is_there && self.leaves_upstream() {
                return Ok(());
            }
            let more = match &mut incoming {
                Some(incoming) => self.next(writer, incoming, &mut chunks, &mut passed).await?,
                None => false,
            };
            if more || !chunks.is_empty() {
                continue;
            }
            match self.ask_again().await? {
                Some(answer) => (chunks, incoming) = (answer.chunks, answer.incoming),
                None => break,
            }
        }
        let finished = self.reply.pipeline.finish(&mut passed).await;
        self.write(writer, &mut passed).await;
        finished
    }

    /// The next round's answer; none when the reply is over.
    async fn ask_again(&mut self) -> Result<Option<Answer>, Error> {
        let Some(mut rounds) = self.reply.rounds.take().filter(|rounds| rounds.goes_on()) else {
            return Ok(None);
        };
        if self.record.cancelled || self.client.is_gone() {
            return Ok(None);
        }
        let deadline = self.record.deadline;
        let asking = Asking { app: self.app, ask: self.ask, client: self.client };
        let next = rounds.next(&asking, self.reply, self.record);
        let answer = tokio::time::timeout_at(deadline.into(), Box::pin(next)).await;
        self.reply.rounds = Some(rounds);
        match answer {
            Ok(answer) => answer,
            Err(_) => self.over().map(|_| None),
        }
    }

    /// Takes chunks through the hooks. A slow one does not keep back what passed before.
    async fn push(
        &mut self,
        writer: &mut dyn WriteStream,
        chunks: &mut Vec<Chunk>,
        passed: &mut Vec<Chunk>,
    ) -> Result<(), Error> {
        for mut chunk in chunks.drain(..) {
            self.record.meter.note(&chunk, clock::now);
            if let Some(rounds) = &mut self.reply.rounds {
                rounds.take(&mut chunk);
            }
            if self.reply.pipeline.push(chunk, passed).await? {
                self.write(writer, passed).await;
            }
        }
        Ok(())
    }

    /// Waits for the next chunks; gives up on hooks that hold too long, and on the upstream when
    /// the client has left or the time is over.
    async fn next(
        &mut self,
        writer: &mut dyn WriteStream,
        incoming: &mut Rest,
        chunks: &mut Vec<Chunk>,
        passed: &mut Vec<Chunk>,
    ) -> Result<bool, Error> {
        while chunks.is_empty() {
            let held = self.reply.pipeline.held_deadline();
            let deadline = self.deadline();
            tokio::select! {
                biased;
                more = incoming.read(chunks) => return more,
                () = self.client.gone(), if !self.record.cancelled => {
                    self.record.cancelled = true;
                    if self.leaves_upstream() {
                        return Ok(false);
                    }
                }
                () = sleep_until(held), if held.is_some() => {
                    self.reply.pipeline.expire_held(clock::now(), passed).await?;
                    if !self.write(writer, passed).await && self.leaves_upstream() {
                        return Ok(false);
                    }
                }
                () = sleep_until(Some(deadline)) => return self.over(),
            }
        }
        // A wait that was broken off had brought something already.
        Ok(true)
    }

    /// Whether nobody is left to read and closing the connection stops the upstream's bill.
    /// Otherwise the rest is read, to know what it cost.
    fn leaves_upstream(&mut self) -> bool {
        self.record.cancelled = true;
        self.reply.endpoint.as_ref().is_none_or(|endpoint| endpoint.provider.cancel)
    }

    /// When the generation must be over; sooner once nobody is there.
    fn deadline(&mut self) -> Instant {
        match self.record.cancelled {
            false => self.record.deadline,
            true => {
                let drain = Duration::from_millis(self.app.config.upstream.drain_ms);
                *self.record.drain_until.get_or_insert_with(|| clock::now() + drain)
            }
        }
    }

    fn over(&self) -> Result<bool, Error> {
        if self.record.cancelled {
            return Ok(false);
        }
        Err(super::too_late(self.app))
    }

    /// Sends what passed the hooks. Returns whether the client is still there.
    async fn write(&mut self, writer: &mut dyn WriteStream, passed: &mut Vec<Chunk>) -> bool {
        if self.record.cancelled {
            passed.clear();
            return false;
        }
        self.reply.hide(passed);
        if let Some(said) = &mut self.tail.said {
            passed.iter().flat_map(|chunk| &chunk.deltas).for_each(|delta| said.push(delta));
        }
        let mut out = Vec::with_capacity(512 * passed.len());
        for chunk in passed.drain(..) {
            if !self.tail.chunks.is_empty() || ends(&chunk) {
                self.tail.chunks.push(chunk);
            } else {
                writer.chunk(&chunk, &mut out);
            }
        }
        let is_there = self.client.send(out).await;
        self.record.cancelled |= !is_there;
        is_there
    }
}

/// Whether a chunk says that a choice ended.
fn ends(chunk: &Chunk) -> bool {
    chunk.deltas.iter().any(|delta| matches!(delta, Delta::Finish { .. }))
}

async fn sleep_until(when: Option<Instant>) {
    if let Some(when) = when {
        tokio::time::sleep_until(when.into()).await;
    }
}
