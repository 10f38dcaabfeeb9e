//! A reply that is not streamed: the same chunks through the same hooks, folded at the end.

use wire::{Chunk, Cost, Head};

use super::record::Record;
use super::rounds::Asking;
use super::{Ask, Client, Reply};
use crate::app::App;
use crate::clock;
use crate::error::Error;

/// Takes a whole reply to its end. The upstream's work is billed even if a plugin refuses it.
///
/// # Errors
/// A plugin's refusal, or a settlement that could not be written.
pub(super) async fn run(
    app: &App,
    ask: &Ask,
    reply: Reply,
    client: &mut Client,
    record: &mut Record,
) -> Result<(), Error> {
    let Settled { reply, head, cost } = settle(app, ask, reply, client, record).await?;
    let body = ask.surface.write_reply(&reply, &head, &cost);
    if let Some(turn) = &ask.turn {
        turn.keep(app, ask, &body).await?;
    }
    client.whole(body.into());
    Ok(())
}

/// A whole reply that is paid for.
pub(super) struct Settled {
    /// What to show.
    pub(super) reply: wire::Reply,
    /// What it begins with.
    pub(super) head: Head,
    /// What it cost.
    pub(super) cost: Cost,
}

/// Counts, hooks, settles. What comes of it may be shown.
///
/// # Errors
/// As [`run`].
pub(super) async fn settle(
    app: &App,
    ask: &Ask,
    mut reply: Reply,
    client: &Client,
    record: &mut Record,
) -> Result<Settled, Error> {
    let mut chunks = std::mem::take(&mut reply.answer.chunks);
    for chunk in &chunks {
        record.meter.note(chunk, clock::now);
    }
    let asking = Asking { app, ask, client };
    let rounds = Box::pin(go_on(asking, &mut reply, &mut chunks, record)).await;
    record.cancelled = client.is_gone();
    let hooked = match rounds {
        Ok(()) => hook(&mut reply, chunks).await,
        Err(error) => Err(error),
    };
    if let Err(error) = &hooked {
        record.note_failure(error);
    }
    let metered = record.meter.read().await;
    let billed = record.bill(reply.endpoint.as_deref(), metered);
    // The reply is announced after it is settled: what a client saw was billed.
    reply.hold.settle(billed.amount, record.row()).await?;
    reply.pipeline.complete(record.outcome(&billed.metered.usage));
    let mut folded = hooked?;
    folded.usage = billed.metered.usage;
    let mut head = reply.head;
    head.metadata = head.metadata.map(|routed| record.with_pipeline(&routed));
    Ok(Settled { reply: folded, head, cost: billed.cost })
}

/// Asks again for as long as the model calls tools that plugins run. The rounds' chunks are joined.
async fn go_on(
    asking: Asking<'_>,
    reply: &mut Reply,
    chunks: &mut Vec<Chunk>,
    record: &mut Record,
) -> Result<(), Error> {
    let Some(mut rounds) = reply.rounds.take() else { return Ok(()) };
    chunks.iter_mut().for_each(|chunk| rounds.take(chunk));
    // What came is a round's, and no more the whole.
    reply.answer.source = None;
    while rounds.goes_on() && !asking.client.is_gone() {
        let deadline = record.deadline;
        let next = rounds.next(&asking, reply, record);
        let answer = tokio::time::timeout_at(deadline.into(), next).await;
        let Some(answer) = answer.unwrap_or_else(|_| Err(super::too_late(asking.app)))? else {
            break;
        };
        for mut chunk in answer.chunks {
            record.meter.note(&chunk, clock::now);
            rounds.take(&mut chunk);
            chunks.push(chunk);
        }
    }
    Ok(())
}

/// The whole reply through the stream hooks, as one batch. One that nobody changed keeps its
/// bytes.
async fn hook(reply: &mut Reply, chunks: Vec<Chunk>) -> Result<wire::Reply, Error> {
    let before = wire::Reply::fold(&chunks);
    let mut passed = Vec::with_capacity(chunks.len());
    reply.pipeline.push_all(chunks, &mut passed).await?;
    reply.pipeline.finish(&mut passed).await?;
    reply.hide(&mut passed);
    let after = wire::Reply::fold(&passed);
    let source = reply.answer.source.take().filter(|_| after == before);
    Ok(wire::Reply { source, ..after })
}
