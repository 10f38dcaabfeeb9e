//! The watched folder: a `.wasm` file that is put there is live, one that is deleted is gone, and
//! what is granted there counts. A file is read once it has stopped changing, so that half a copy
//! is never loaded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::folder::{Folder, is_wasm};
use super::shelf::Shelf;

/// Watches until it is dropped.
pub(super) struct Watch {
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Loads what is in the folder, and watches it on a thread of its own.
    ///
    /// # Errors
    /// When the folder can't be read or watched.
    pub(super) fn start(shelf: &Arc<Shelf>, folder: &Folder) -> Result<Self, anyhow::Error> {
        let place = || format!("plugins.dir is {}", folder.dir().display());
        let (sender, events) = channel();
        let notify = move |event: notify::Result<notify::Event>| {
            for path in event.map(|event| event.paths).unwrap_or_default() {
                // The other end is gone only when the process ends.
                let _ = sender.send(path);
            }
        };
        let mut watcher = notify::recommended_watcher(notify).with_context(place)?;
        // Watch first: a file that arrives while the others load is not missed.
        watcher.watch(folder.dir(), RecursiveMode::NonRecursive).with_context(place)?;
        for file in folder.files()? {
            shelf.install_file(&file);
        }
        // Requests need not wait for what is only kept, nor files that arrive.
        let kept = Arc::clone(shelf);
        thread("plugin-kept").spawn(move || kept.load_all_kept()).with_context(place)?;
        let (shelf, grants) = (Arc::clone(shelf), folder.grants_file());
        let following = move || follow(&shelf, &grants, &events);
        thread("plugin-watch").spawn(following).with_context(place)?;
        Ok(Self { _watcher: watcher })
    }
}

fn thread(name: &str) -> std::thread::Builder {
    std::thread::Builder::new().name(name.to_owned())
}

/// Loads each file that changed, once it looks the same twice in a row.
fn follow(shelf: &Shelf, grants: &Path, events: &Receiver<PathBuf>) {
    let mut changing: HashMap<PathBuf, Option<Look>> = HashMap::new();
    loop {
        let event = if changing.is_empty() {
            events.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            events.recv_timeout(QUIET)
        };
        match event {
            Ok(path) if path == grants || is_wasm(&path) => {
                changing.insert(path, None);
            }
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => changing.retain(|path, seen| {
                let look = Look::at(path);
                let is_whole = seen.as_ref() == Some(&look);
                if is_whole {
                    match look {
                        _ if path == grants => shelf.follow_grants(),
                        Look::Gone => shelf.forget_file(path),
                        Look::There { .. } => shelf.follow_file(path),
                    }
                }
                *seen = Some(look);
                !is_whole
            }),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// What can be seen of a file from outside.
#[derive(PartialEq, Eq)]
enum Look {
    Gone,
    There { bytes: u64, modified: Option<SystemTime> },
}

impl Look {
    fn at(path: &Path) -> Self {
        std::fs::metadata(path).map_or(Self::Gone, |metadata| Self::There {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

/// A file that has not changed for so long, twice, is whole.
const QUIET: Duration = Duration::from_millis(50);
