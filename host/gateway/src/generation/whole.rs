//! A reply that is not streamed: the same chunks through the same hooks, folded at the end.

use wire::{Chunk, Cost, Head};

use super::record::Record;
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
    let Settled { reply, head, cost } = settle(reply, client, record).await?;
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
    mut reply: Reply,
    client: &Client,
    record: &mut Record,
) -> Result<Settled, Error> {
    let chunks = std::mem::take(&mut reply.answer.chunks);
    for chunk in &chunks {
        record.meter.note(chunk, clock::now);
    }
    record.cancelled = client.is_gone();
    let hooked = hook(&mut reply, chunks).await;
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
    Ok(Settled { reply: folded, head: reply.head, cost: billed.cost })
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
