//! Several replies to one request (`n`) from a provider that makes one at a time: it is asked as
//! often, and what it answers becomes one reply with as many choices. When one of them fails, all
//! of them have failed.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, select_all, try_join_all};
use wire::{Chunk, Delta, Request, Usage, WriteError};

use super::{Answer, Incoming, Rest, Upstream, unwritable};
use crate::config::catalog::Endpoint;
use crate::error::Error;

/// How often the endpoint has to be asked for what the request wants.
pub(super) fn count(endpoint: &Endpoint, request: &Request) -> u32 {
    let wanted = request.sampling.n.unwrap_or(1).max(1);
    if endpoint.provider.makes_choices() { 1 } else { wanted }
}

/// Asks as often at the same time; the others are cancelled when one fails.
pub(super) async fn send(
    upstream: &Upstream,
    endpoint: &Endpoint,
    request: &Request,
    count: u32,
) -> Result<Answer, Error> {
    let most = upstream.limits.fan_out_max;
    let Some(count) = u16::try_from(count).ok().filter(|count| u32::from(*count) <= most) else {
        let what =
            format!("n of {count} (it is asked once for each, upstream.fan_out_max: {most})");
        let dialect = endpoint.provider.dialect.name();
        return Err(unwritable(&endpoint.provider, &WriteError { dialect, what }));
    };
    let mut single = request.clone();
    single.sampling.n = None;
    let sent = (0..count).map(|_| upstream.attempt(endpoint, &single));
    let answers = try_join_all(sent).await?;
    let mut several = Several::default();
    for (choice, answer) in (0..count).zip(answers) {
        let incoming = match answer.incoming {
            Some(Rest::One(incoming)) => Some(*incoming),
            Some(Rest::Several(_)) | None => None,
        };
        several.branches.push(Branch { choice, incoming, chunks: answer.chunks, usage: None });
    }
    let mut chunks = Vec::new();
    several.take(&mut chunks);
    let incoming = several.is_open().then_some(Rest::Several(several));
    Ok(Answer { chunks, incoming, source: None })
}

/// The streams of several replies, which go on as one.
#[derive(Default)]
pub(crate) struct Several {
    branches: Vec<Branch>,
}

/// One of the replies.
struct Branch {
    choice: u16,
    /// What is still to come; none once it has ended.
    incoming: Option<Incoming>,
    /// What was read and not yet given on. It outlives a read that was given up.
    chunks: Vec<Chunk>,
    /// What it has counted by now.
    usage: Option<Usage>,
}

impl Several {
    /// As [`Incoming::read`], of whichever branch has something first.
    pub(super) async fn read(&mut self, chunks: &mut Vec<Chunk>) -> Result<bool, Error> {
        // In turns: a fast one must not hold up the others.
        if !self.branches.is_empty() {
            self.branches.rotate_left(1);
        }
        if self.is_open() {
            let reads = self.branches.iter_mut().filter_map(Branch::next);
            let (read, _, others) = select_all(reads).await;
            drop(others);
            read?;
        }
        self.take(chunks);
        Ok(self.is_open())
    }

    fn is_open(&self) -> bool {
        self.branches.iter().any(|branch| branch.incoming.is_some())
    }

    /// Gives on what was read, each branch as a choice of its own and their counts as a sum.
    fn take(&mut self, chunks: &mut Vec<Chunk>) {
        let mut has_counted = false;
        for branch in &mut self.branches {
            for mut chunk in branch.chunks.drain(..) {
                chunk.source = None;
                chunk.deltas.retain_mut(|delta| match delta {
                    Delta::Usage(usage) => {
                        branch.usage.get_or_insert_default().update(usage);
                        has_counted = true;
                        false
                    }
                    // What is said of the whole reply is said once.
                    Delta::Other { choice: None, .. } => branch.choice == 0,
                    delta => {
                        delta.move_to(branch.choice);
                        true
                    }
                });
                if !chunk.deltas.is_empty() {
                    chunks.push(chunk);
                }
            }
        }
        // A sum that leaves one out would be taken for the whole.
        let counted: Option<Vec<&Usage>> =
            self.branches.iter().map(|branch| branch.usage.as_ref()).collect();
        if let Some(counted) = counted.filter(|_| has_counted) {
            chunks.push(Chunk::of(vec![Delta::Usage(counted.into_iter().sum())]));
        }
    }
}

impl Branch {
    /// The next read, unless it has ended.
    fn next(&mut self) -> Option<BoxFuture<'_, Result<(), Error>>> {
        self.incoming.as_ref()?;
        let read = async {
            let Some(incoming) = &mut self.incoming else { return Ok(()) };
            if !incoming.read(&mut self.chunks).await? {
                self.incoming = None;
            }
            Ok(())
        };
        Some(read.boxed())
    }
}
