//! The thread that writes: takes everything that waits, makes one transaction of it, then answers.
//! The busier it is, the larger its batches and the cheaper each write: a commit costs as much as
//! a few rows, so it makes at most one in [`GATHER`].

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::batch::Batch;
use super::broken;
use crate::clock;
use crate::store::{StoreError, Write};

/// What the thread is asked.
pub(super) enum Command {
    /// To write, and to answer if somebody waits.
    Write(Write, Option<oneshot::Sender<Result<(), StoreError>>>),
    /// To stop, after what was asked before.
    Close(oneshot::Sender<Result<(), StoreError>>),
}

type Waiter = Option<oneshot::Sender<Result<(), StoreError>>>;

/// Runs until it is told to stop, or nobody can ask any more.
pub(super) fn run(mut connection: Connection, path: &Path, mut commands: mpsc::Receiver<Command>) {
    let mut writes = Vec::with_capacity(BATCH_MAX);
    let mut waiters: Vec<Waiter> = Vec::with_capacity(BATCH_MAX);
    let mut stop = None;
    let mut committed = None;
    while stop.is_none()
        && let Some(first) = commands.blocking_recv()
    {
        gather(committed);
        let mut next = Some(first);
        while let Some(command) = next {
            match command {
                Command::Write(write, waiter) => {
                    writes.push(write);
                    waiters.push(waiter);
                }
                Command::Close(done) => {
                    stop = Some(done);
                    break;
                }
            }
            next = if writes.len() < BATCH_MAX { commands.try_recv().ok() } else { None };
        }
        let results = keep(&mut connection, path, &writes);
        committed = Some(clock::now());
        writes.clear();
        for (waiter, result) in waiters.drain(..).zip(results) {
            answer(waiter, result);
        }
    }
    // Whoever asks from here on is told that the store is closed.
    drop(commands);
    answer(stop, connection.close().map_err(|(_, error)| broken(path, &error)));
}

/// Lets more writes come together, unless the last commit is a while ago.
fn gather(committed: Option<Instant>) {
    let since = committed.map(|committed| clock::now().duration_since(committed));
    if let Some(rest) = since.and_then(|since| GATHER.checked_sub(since)) {
        std::thread::sleep(rest);
    }
}

/// Makes one transaction of everything. If a write is at fault, each has one of its own, so that
/// none fails for another's fault.
fn keep(connection: &mut Connection, path: &Path, writes: &[Write]) -> Vec<Result<(), StoreError>> {
    if writes.is_empty() {
        return Vec::new();
    }
    match attempt_patiently(connection, writes) {
        Ok(results) => results,
        Err(error) if writes.len() > 1 && is_of_a_write(&error) => {
            let alone = |write| match attempt_patiently(connection, std::slice::from_ref(write)) {
                Ok(mut results) => results.pop().unwrap_or(Ok(())),
                Err(error) => Err(broken(path, &error)),
            };
            writes.iter().map(alone).collect()
        }
        Err(error) => vec![Err(broken(path, &error)); writes.len()],
    }
}

/// Whether one of the writes can't be made, rather than none.
fn is_of_a_write(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(code, ErrorCode::ConstraintViolation | ErrorCode::TooBig),
        None => true,
    }
}

/// A settlement must not be lost because somebody looks into the file with another program.
fn attempt_patiently(
    connection: &mut Connection,
    writes: &[Write],
) -> rusqlite::Result<Vec<Result<(), StoreError>>> {
    for _ in 1..BUSY_ATTEMPTS {
        match attempt(connection, writes) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                tracing::warn!("the store is locked by another program; still trying");
            }
            result => return result,
        }
    }
    attempt(connection, writes)
}

fn attempt(
    connection: &mut Connection,
    writes: &[Write],
) -> rusqlite::Result<Vec<Result<(), StoreError>>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut batch = Batch::new(&transaction)?;
    let mut results = Vec::with_capacity(writes.len());
    for write in writes {
        results.push(batch.write(write)?);
    }
    batch.finish()?;
    transaction.commit()?;
    Ok(results)
}

fn answer(waiter: Waiter, result: Result<(), StoreError>) {
    match (waiter, result) {
        (Some(waiter), result) => {
            // A waiter that left needs no answer.
            let _ = waiter.send(result);
        }
        (None, Ok(())) => {}
        (None, Err(error)) => tracing::error!("the store could not write: {error}"),
    }
}

/// Between two commits. What waits for a commit waits this much longer at most.
const GATHER: Duration = Duration::from_millis(1);

/// Writes in one transaction: enough to make its fixed cost small, few enough to be quick.
const BATCH_MAX: usize = 1_024;

/// How often a batch is tried while another program keeps the file locked; each attempt waits
/// for five seconds.
const BUSY_ATTEMPTS: usize = 12;
