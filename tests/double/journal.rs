//! What the double received and how each answer ended, for tests to read. An answer whose client
//! left is known by its body being dropped before its end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::clock;

/// Requests kept per name; older ones are forgotten.
const ENTRIES_MAX: usize = 10_000;

/// Everything received, by script name.
pub(crate) struct Journal {
    entries: Mutex<BTreeMap<String, VecDeque<Arc<Mutex<Entry>>>>>,
    changed: Arc<watch::Sender<u64>>,
}

/// One request and what became of its answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    /// The request's method.
    pub(crate) method: String,
    /// Its path without the script's name, with the query.
    pub(crate) path: String,
    /// Its headers; one that occurs twice is joined by a comma.
    pub(crate) headers: BTreeMap<String, String>,
    /// Its body: the JSON, or the text where it is none.
    pub(crate) body: Value,
    /// Its body's text, byte for byte where it is UTF-8.
    pub(crate) text: String,
    /// Where its answer stands.
    pub(crate) ending: Ending,
    /// Events of the answer that the server took; none is sent after `client_left`.
    pub(crate) events_sent: usize,
    /// Bytes of the answer that the server took.
    pub(crate) bytes_sent: usize,
    /// When it was received, nanoseconds of the wall clock.
    pub(crate) received_ns: u64,
    /// When its answer ended, nanoseconds of the wall clock.
    pub(crate) ended_ns: Option<u64>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    /// It goes on.
    Open,
    /// All was sent.
    Whole,
    /// The script closed the connection.
    Cut,
    /// The client closed the connection first.
    ClientLeft,
}

/// Keeps one answer's part of the journal true; dropped before its end, the client has left.
pub(crate) struct Receipt {
    entry: Arc<Mutex<Entry>>,
    changed: Arc<watch::Sender<u64>>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { entries: Mutex::default(), changed: Arc::new(watch::Sender::new(0)) }
    }
}

impl Journal {
    /// Writes down a request.
    pub(crate) fn receive(&self, name: &str, entry: Entry) -> Receipt {
        let entry = Arc::new(Mutex::new(entry));
        let mut entries = self.entries.lock();
        let of_name = entries.entry(name.to_owned()).or_default();
        if of_name.len() >= ENTRIES_MAX {
            of_name.pop_front();
        }
        of_name.push_back(Arc::clone(&entry));
        drop(entries);
        self.changed.send_modify(|version| *version += 1);
        Receipt { entry, changed: Arc::clone(&self.changed) }
    }

    /// What a name received so far.
    pub(crate) fn read(&self, name: &str) -> Vec<Entry> {
        let entries = self.entries.lock();
        entries.get(name).into_iter().flatten().map(|entry| entry.lock().clone()).collect()
    }

    /// Forgets what a name received.
    pub(crate) fn clear(&self, name: &str) {
        self.entries.lock().remove(name);
    }

    /// Told about every request that comes and every answer that ends.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

impl Receipt {
    /// Counts a piece of the answer.
    pub(crate) fn sent(&self, bytes: usize, ends_event: bool) {
        let mut entry = self.entry.lock();
        entry.bytes_sent += bytes;
        entry.events_sent += usize::from(ends_event);
    }

    /// Says how the answer ended; what is said later counts no more.
    pub(crate) fn end(&self, ending: Ending) {
        let mut entry = self.entry.lock();
        if entry.ending != Ending::Open {
            return;
        }
        entry.ending = ending;
        entry.ended_ns = Some(clock::stamp_ns());
        drop(entry);
        self.changed.send_modify(|version| *version += 1);
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.end(Ending::ClientLeft);
    }
}
