//! A reply that is not streamed: the same chunks through the same hooks, folded at the end.

use wire::Chunk;

use super::record::Record;
use super::{Ask, Client, Reply};
use crate::clock;
use crate::error::Error;

/// Takes a whole reply to its end. The upstream's work is billed even if a plugin refuses it.
///
/// # Errors
/// A plugin's refusal, or a settlement that could not be written.
pub(super) async fn run(
    ask: &Ask,
    mut reply: Reply,
    client: &mut Client,
    record: &mut Record,
) -> Result<(), Error> {
    let chunks = std::mem::take(&mut reply.answer.chunks);
    for chunk in &chunks {
        record.meter.note(chunk, clock::now);
    }
    record.cancelled = client.is_gone();
    let hooked = hook(&mut reply, chunks);
    if let Err(error) = &hooked {
        record.note_failure(error);
    }
    record.plugins = reply.pipeline.used();
    let billed = record.bill(&reply);
    // The reply is announced after it is settled: what a client saw was billed.
    reply.hold.settle(billed.amount, record.row()).await?;
    reply.pipeline.complete(record.outcome(&billed.metered.usage));
    let mut folded = hooked?;
    folded.usage = billed.metered.usage;
    client.whole(ask.surface.write_reply(&folded, &reply.head, &billed.cost).into());
    Ok(())
}

/// The whole reply through the stream hooks, as one batch. One that nobody changed keeps its
/// bytes.
fn hook(reply: &mut Reply, chunks: Vec<Chunk>) -> Result<wire::Reply, Error> {
    let before = wire::Reply::fold(&chunks);
    let mut passed = Vec::with_capacity(chunks.len());
    reply.pipeline.push_all(chunks, &mut passed)?;
    reply.pipeline.finish(&mut passed)?;
    reply.hide(&mut passed);
    let after = wire::Reply::fold(&passed);
    let source = reply.answer.source.take().filter(|_| after == before);
    Ok(wire::Reply { source, ..after })
}
