//! The embedded store: one SQLite file. One thread writes, in batches; readers have connections
//! of their own. Only this file and its folder know SQL.
//!
//! A commit survives the end of the process, however it comes; a power cut may take back the
//! last moments (`synchronous = NORMAL`), but never half of a commit.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ledger::State;
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{GenerationRecord, KeyRecord, Pending, ResponseRecord, Store, StoreError, Write};
use writer::Command;

mod batch;
mod responses;
mod rows;
mod writer;

/// A SQLite file that is open.
pub(super) struct Sqlite {
    writer: mpsc::Sender<Command>,
    queue_max: usize,
    readers: Arc<Readers>,
}

/// Connections that can't write.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    /// Locked while this process keeps the book; the lock goes with the process.
    claim: Mutex<Option<File>>,
}

impl Sqlite {
    /// Opens the file, makes it if there is none, and brings its tables up to date.
    pub(super) fn open(path: &Path, queue_max: usize) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path).map_err(|error| broken(path, &error))?;
        prepare(&connection).map_err(|error| broken(path, &error))?;
        migrate(&mut connection, path)?;
        let readers = Readers {
            path: path.to_owned(),
            idle: Mutex::new(Vec::new()),
            claim: Mutex::new(None),
        };
        let (writer, commands) = mpsc::channel(queue_max);
        let owner = path.to_owned();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer::run(connection, &owner, commands))
            .map_err(|error| StoreError::Broken(format!("no thread for the store: {error}")))?;
        Ok(Self { writer, queue_max, readers: Arc::new(readers) })
    }

    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Pending<T> {
        let readers = Arc::clone(&self.readers);
        Box::pin(blocking(move || readers.with(read)))
    }
}

impl Store for Sqlite {
    fn offer(&self, write: Write) -> Result<(), StoreError> {
        self.writer.try_send(Command::Write(write, None)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Full { queue_max: self.queue_max },
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })
    }

    fn commit(&self, write: Write) -> Pending<()> {
        let (done, answer) = oneshot::channel();
        let late = match self.writer.try_send(Command::Write(write, Some(done))) {
            Err(mpsc::error::TrySendError::Full(command)) => Some((self.writer.clone(), command)),
            // A closed store drops `done`, which is the answer.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => None,
        };
        Box::pin(async move {
            if let Some((writer, command)) = late {
                writer.send(command).await.map_err(|_| StoreError::Closed)?;
            }
            answer.await.unwrap_or(Err(StoreError::Closed))
        })
    }

    fn book(&self) -> Pending<State> {
        let readers = Arc::clone(&self.readers);
        Box::pin(blocking(move || {
            readers.claim()?;
            readers.with(rows::read_state)
        }))
    }

    fn keys(&self) -> Pending<Vec<KeyRecord>> {
        self.read(rows::read_keys)
    }

    fn key(&self, hash: &str) -> Pending<Option<KeyRecord>> {
        let hash = hash.to_owned();
        self.read(move |connection| rows::read_key(connection, &hash))
    }

    fn generation(&self, id: &str) -> Pending<Option<GenerationRecord>> {
        let id = id.to_owned();
        self.read(move |connection| rows::read_generation(connection, &id))
    }

    fn response(&self, id: &str, now_ms: u64) -> Pending<Option<ResponseRecord>> {
        let id = id.to_owned();
        self.read(move |connection| responses::read(connection, &id, now_ms))
    }

    fn audit(&self) -> Pending<()> {
        let wrong = self.read(rows::find_wrong_account);
        Box::pin(async move {
            match wrong.await? {
                None => Ok(()),
                Some((key, total, settled)) => Err(StoreError::Broken(format!(
                    "the account of key {key} says {total} USD, its settlements add up to \
                     {settled} USD"
                ))),
            }
        })
    }

    fn close(&self) -> Pending<()> {
        let (writer, readers) = (self.writer.clone(), Arc::clone(&self.readers));
        Box::pin(async move {
            let (done, answer) = oneshot::channel();
            // Readers go first: the last connection to go puts the log back into the file.
            readers.idle.lock().clear();
            // One that is closed already has nobody to send to, and needs nothing.
            let closed = match writer.send(Command::Close(done)).await {
                Ok(()) => answer.await.unwrap_or(Ok(())),
                Err(_) => Ok(()),
            };
            readers.claim.lock().take();
            closed
        })
    }
}

impl Readers {
    /// Reads with an idle connection, or a new one.
    fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let broken = |error| broken(&self.path, &error);
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect().map_err(broken)?,
        };
        let result = read(&connection).map_err(broken);
        let mut idle = self.idle.lock();
        if idle.len() < READERS_IDLE_MAX {
            idle.push(connection);
        }
        result
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    }

    fn claim(&self) -> Result<(), StoreError> {
        let mut claim = self.claim.lock();
        if claim.is_some() {
            return Ok(());
        }
        let mut name = self.path.clone().into_os_string();
        name.push(".lock");
        let path = PathBuf::from(name);
        let broken = |error: &dyn std::fmt::Display| {
            StoreError::Broken(format!("can't lock {}: {error}", path.display()))
        };
        let file = File::create(&path).map_err(|error| broken(&error))?;
        match file.try_lock() {
            Ok(()) => *claim = Some(file),
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Broken(format!(
                    "another patchbay serves from {}; stop it, or give this one another \
                     store.url",
                    self.path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(broken(&error)),
        }
        Ok(())
    }
}

/// Runs on a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let broken = |error| StoreError::Broken(format!("reading the store failed: {error}"));
    tokio::task::spawn_blocking(run).await.map_err(broken)?
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // A checkpoint copies pages and waits for the disk: rarely, then, for 40 MB of log at most.
    connection.pragma_update(None, "wal_autocheckpoint", 10_000)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Kept in memory: pages of the file, and statements once they are parsed.
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Runs the migrations that this file has not had, each once.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let had = step(connection).map_err(|error| broken(path, &error))?;
    if had > MIGRATIONS.len() {
        return Err(StoreError::Broken(format!(
            "{} has schema {had}, and this patchbay knows schemas up to {}; use the newer \
             patchbay that wrote it",
            path.display(),
            MIGRATIONS.len()
        )));
    }
    Ok(())
}

/// Returns which schema the file had.
fn step(connection: &mut Connection) -> rusqlite::Result<usize> {
    // The version is read under the lock: two programs that start at once migrate once.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let had: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let had = usize::try_from(had).unwrap_or(usize::MAX);
    for (number, migration) in (1i64..).zip(MIGRATIONS).skip(had) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    transaction.commit()?;
    Ok(had)
}

/// What SQLite says, with the file and the fix.
fn broken(path: &Path, error: &rusqlite::Error) -> StoreError {
    let fix = match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => "see that its folder exists and may be written",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "see that the file and its folder may be written"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program keeps it locked; stop that one"
        }
        Some(ErrorCode::NotADatabase) => "it is no SQLite file; give store.url another name",
        Some(ErrorCode::DiskFull) => "free some space on its disk",
        Some(ErrorCode::DatabaseCorrupt) => "it is damaged; restore a copy",
        _ => "see store.url in the configuration",
    };
    StoreError::Broken(format!("{}: {error} ({fix})", path.display()))
}

/// In order; a file's `user_version` counts those that it had. A released one never changes.
const MIGRATIONS: [&str; 3] = [
    include_str!("migrations/sqlite/0001_begin.sql"),
    include_str!("migrations/sqlite/0002_key_plugins.sql"),
    include_str!("migrations/sqlite/0003_response.sql"),
];

/// How long a lock that another program holds is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// Connections for reading that stay open.
const READERS_IDLE_MAX: usize = 4;
