//! Where keys, money and records are kept: what any store must do, in the gateway's own words.
//! It keeps what it is given and decides nothing; `billing` and `auth` do.
//!
//! To add a store: 1. a file and a folder beside `sqlite`, 2. a line in [`open`], 3. a line in
//! `tests.rs`, which runs the same contract over every store.

use std::pin::Pin;
use std::sync::Arc;

use ledger::{Id, Movement, State};

use crate::config;

mod entries;
mod record;
mod sqlite;

pub(crate) use entries::{read_entries, write_entries};
pub(crate) use record::{
    GenerationRecord, KeyRecord, PluginCall, PluginUse, ProviderResponse, ResponseRecord,
};

/// A store. Writes are made in the order in which they were given, in batches; a write that was
/// answered survives the end of the process.
pub(crate) trait Store: Send + Sync {
    /// Queues a write and does not wait. If it fails later, only the log says so.
    ///
    /// # Errors
    /// [`StoreError::Full`] when too many wait, [`StoreError::Closed`].
    fn offer(&self, write: Write) -> Result<(), StoreError>;

    /// Makes a write and waits until it is kept. It is queued by the call itself where there is
    /// room, else when the future finds some: a caller that goes away early loses the answer,
    /// and the write only if the queue was full.
    fn commit(&self, write: Write) -> Pending<()>;

    /// What the book is restored from. This claims the book: as long as this process lives, no
    /// other can do the same, since two books would each spend the same credit.
    fn book(&self) -> Pending<State>;

    /// Every key, by time of creation.
    fn keys(&self) -> Pending<Vec<KeyRecord>>;

    /// The key with this hash.
    fn key(&self, hash: &str) -> Pending<Option<KeyRecord>>;

    /// The record of a generation.
    fn generation(&self, id: &str) -> Pending<Option<GenerationRecord>>;

    /// A reply that a client asked to keep, unless its time is over.
    fn response(&self, id: &str, now_ms: u64) -> Pending<Option<ResponseRecord>>;

    /// Proves that each account's total is the sum of its settlements. Reads everything.
    fn audit(&self) -> Pending<()>;

    /// Makes the writes that wait, then stops. Later writes fail.
    ///
    /// # Errors
    /// When what is written could not be put in its last place; it is safe all the same.
    fn close(&self) -> Pending<()>;
}

/// What is on its way from the store.
pub(crate) type Pending<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// One thing to write; all of it or none.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    /// Money moved.
    Movement(Movement),
    /// Money moved because a generation ended, and its record.
    End(Movement, Box<GenerationRecord>),
    /// The record of a generation that moved no money. A record of the same id is replaced.
    Generation(Box<GenerationRecord>),
    /// A new key.
    NewKey(Box<KeyRecord>),
    /// A key, changed.
    Key(Box<KeyRecord>),
    /// The key with this hash is gone; what it spent stays.
    NoKey(Id),
    /// A reply that a client asked to keep.
    Response(Box<ResponseRecord>),
    /// The kept reply with this id is gone.
    NoResponse(Id),
    /// Kept replies whose time was over then, in milliseconds since 1970, are gone.
    NoResponsesBefore(u64),
}

/// Why something was not kept or could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    /// The queue is full.
    #[error("{queue_max} writes wait for the disk, as many as may (store.queue_max)")]
    Full {
        /// As many may wait.
        queue_max: usize,
    },
    /// The id belongs to something that differs.
    #[error("`{id}` is there already, and differs")]
    Conflict {
        /// Which.
        id: String,
    },
    /// There is no such thing to change.
    #[error("there is no `{id}`")]
    Unknown {
        /// Which.
        id: String,
    },
    /// It was closed.
    #[error("the store is closed")]
    Closed,
    /// The store's own trouble, with the fix where there is one.
    #[error("{0}")]
    Broken(String),
}

/// Opens the store that the URL names and brings its tables up to date.
///
/// # Errors
/// Names the setting or the file, and the fix.
pub(crate) fn open(config: &config::Store) -> Result<Arc<dyn Store>, StoreError> {
    match config.url.split_once(':') {
        Some(("sqlite", path)) if !path.is_empty() => {
            let store = sqlite::Sqlite::open(path.as_ref(), config.queue_max)?;
            Ok(Arc::new(store))
        }
        _ => Err(StoreError::Broken(format!(
            "store.url is `{}`; write `sqlite:<file>`, such as `sqlite:patchbay.db`",
            config.url
        ))),
    }
}

#[cfg(test)]
mod tests;
