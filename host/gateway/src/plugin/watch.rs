//! The watched folder: a `.wasm` file that is put there is live, one that is deleted is gone. A
//! file is read once it has stopped changing, so that half a copy is never loaded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::registry::Shelf;

/// Watches until it is dropped.
pub(super) struct Watch {
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Makes the folder if it is missing, loads what is there, and watches on a thread of its own.
    ///
    /// # Errors
    /// When the folder can't be made, read or watched.
    pub(super) fn start(shelf: Arc<Shelf>, dir: &Path) -> Result<Self, anyhow::Error> {
        let place = || format!("plugins.dir is {}", dir.display());
        std::fs::create_dir_all(dir).with_context(place)?;
        // Events name files by the path that is watched, whatever the working directory is then.
        let dir = dir.canonicalize().with_context(place)?;
        let (sender, events) = channel();
        let notify = move |event: notify::Result<notify::Event>| {
            for path in event.map(|event| event.paths).unwrap_or_default() {
                // The other end is gone only when the process ends.
                let _ = sender.send(path);
            }
        };
        let mut watcher = notify::recommended_watcher(notify).with_context(place)?;
        // Watch first: a file that arrives while the others load is not missed.
        watcher.watch(&dir, RecursiveMode::NonRecursive).with_context(place)?;
        let mut files: Vec<_> = std::fs::read_dir(&dir).with_context(place)?.flatten().collect();
        files.sort_by_key(std::fs::DirEntry::file_name);
        for file in files.into_iter().map(|entry| entry.path()).filter(|file| is_wasm(file)) {
            shelf.install_file(&file);
        }
        let thread = std::thread::Builder::new().name("plugin-watch".to_owned());
        thread.spawn(move || follow(&shelf, &events)).with_context(place)?;
        Ok(Self { _watcher: watcher })
    }
}

/// Loads each file that changed, once it looks the same twice in a row.
fn follow(shelf: &Shelf, events: &Receiver<PathBuf>) {
    let mut changing: HashMap<PathBuf, Option<Look>> = HashMap::new();
    loop {
        let event = if changing.is_empty() {
            events.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            events.recv_timeout(QUIET)
        };
        match event {
            Ok(path) if is_wasm(&path) => {
                changing.insert(path, None);
            }
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => changing.retain(|path, seen| {
                let look = Look::at(path);
                let is_whole = seen.as_ref() == Some(&look);
                if is_whole {
                    match look {
                        Look::Gone => shelf.forget_file(path),
                        Look::There { .. } => shelf.install_file(path),
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

/// Editors and copies write to hidden or differently named files first.
fn is_wasm(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !is_hidden && path.extension().is_some_and(|extension| extension == "wasm")
}

/// A file that has not changed for so long, twice, is whole.
const QUIET: Duration = Duration::from_millis(50);
