//! Plugin swaps under load: a hundred streams run through a plugin while it is put in place anew
//! again and again. Every version is the same file with a section of its own at the end, so no
//! two are the same bytes and all do the same; whether a stream ended with the version that it
//! began with is a test's question, not this program's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use tokio::task::JoinSet;

use crate::client::Connection;
use crate::clock;
use crate::measure::Spread;
use crate::target::Target;

/// The model of the streams: half a second each, so that new ones begin all the time.
pub(crate) const MODEL: &str = "pace-20-25";
const CHUNKS: usize = 25;
const STREAMS: usize = 100;

/// What happened meanwhile.
pub(crate) struct Swaps {
    /// How long a swap took, from the upload's first byte to its answer.
    pub(crate) took: Spread,
    /// Streams that ended whole.
    pub(crate) whole: usize,
    /// Why others did not.
    pub(crate) failures: Vec<String>,
}

/// Swaps a plugin `count` times, one after the other.
///
/// # Errors
/// When a swap is refused, or the file can't be read.
pub(crate) async fn swaps(
    target: &Target,
    id: &str,
    file: &Path,
    count: u32,
) -> Result<Swaps, anyhow::Error> {
    let wasm = std::fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut streams = JoinSet::new();
    for _ in 0..STREAMS {
        let (ask, is_over) = (target.ask(MODEL, true), Arc::clone(&is_over));
        streams.spawn(async move {
            let (mut whole, mut failures) = (0, Vec::new());
            while !is_over.load(Ordering::Relaxed) && failures.is_empty() {
                let mut chunks = 0;
                let streamed = match Connection::open(ask.address).await {
                    Ok(mut connection) => connection.stream(&ask, |_| chunks += 1).await,
                    Err(error) => Err(error),
                };
                match streamed {
                    Ok(()) if chunks == CHUNKS => whole += 1,
                    Ok(()) => failures.push(format!("{chunks} chunks instead of {CHUNKS}")),
                    Err(error) => failures.push(format!("{error:#}")),
                }
            }
            (whole, failures)
        });
    }
    let mut took = Vec::new();
    let mut connection = Connection::open(target.ask(MODEL, true).address).await?;
    for version in 0..count {
        let put = target.put_plugin(id, versioned(&wasm, version).into());
        let begin = clock::now();
        connection.whole(&put).await.with_context(|| format!("swap {version}"))?;
        took.push(u64::try_from(begin.elapsed().as_nanos())?);
    }
    is_over.store(true, Ordering::Relaxed);
    let mut swaps = Swaps { took: Spread::of(took)?, whole: 0, failures: Vec::new() };
    while let Some(stream) = streams.join_next().await {
        let (whole, failures) = stream?;
        swaps.whole += whole;
        swaps.failures.extend(failures);
    }
    Ok(swaps)
}

/// The file with a custom section at its end, which WebAssembly ignores: id 0, the section's
/// size, its name's size, its name, and the version.
fn versioned(wasm: &[u8], version: u32) -> Vec<u8> {
    let mut out = wasm.to_vec();
    out.extend([0, 9, 4]);
    out.extend(b"load");
    out.extend(version.to_le_bytes());
    out
}
