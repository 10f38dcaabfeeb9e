//! The named indexes below one folder, and everything that can be done with them.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tantivy::collector::Count;
use tantivy::directory::error::LockError;
use tantivy::{IndexWriter, TantivyError};

use crate::add::{Added, Adding, Progress};
use crate::document::{Document, Refused};
use crate::error::Error;
use crate::opened::{Opened, is_index};
use crate::query::{self, Hit};
use crate::reader::{Reader, Readers};
use crate::settings::Settings;
use crate::walk;

/// The indexes below a folder. Share it: any number of threads may ask while one adds, here or in
/// another process.
pub struct Indexes {
    folder: PathBuf,
    settings: Settings,
    readers: Readers,
    /// Those that were asked, kept open.
    opened: Mutex<HashMap<String, Arc<Opened>>>,
}

/// One index in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Its name.
    pub name: String,
    /// How many documents it has.
    pub documents: u64,
    /// How many passages they were cut into.
    pub passages: u64,
    /// What it takes on disk.
    pub bytes: u64,
}

impl Indexes {
    /// Those below a folder. Nothing is opened, or even looked at, before it is asked for.
    #[must_use]
    pub fn open(folder: impl Into<PathBuf>, settings: Settings) -> Self {
        let readers = Readers::built_in();
        Self { folder: folder.into(), settings, readers, opened: Mutex::default() }
    }

    /// Reads another format too, or one of the built-in ones in another way.
    #[must_use]
    pub fn with_reader(mut self, reader: Arc<dyn Reader>) -> Self {
        self.readers.add(reader);
        self
    }

    /// The documents below a folder, sorted by path: the files whose endings a reader knows; a file
    /// gives itself, whatever it is.
    ///
    /// # Errors
    /// When a folder can't be read: to go on without it would take its documents out of an index.
    pub fn walk(&self, root: &Path) -> Result<Vec<PathBuf>, Error> {
        walk::walk(root, |ending| self.readers.know(ending))
    }

    /// What there is, by name.
    ///
    /// # Errors
    /// When a folder or an index can't be read.
    pub fn list(&self) -> Result<Vec<Listing>, Error> {
        self.names()?.into_iter().map(|name| self.listing(name)).collect()
    }

    /// The best passages for a question, at most `count`. Any text will do.
    ///
    /// # Errors
    /// When there is no such index, or it can't be read.
    pub fn query(&self, name: &str, text: &str, count: usize) -> Result<Vec<Hit>, Error> {
        query::run(&*self.opened(name)?, text, count)
    }

    /// Adds documents, and makes the index if it is not there. Those that are there as they are
    /// cost no more than reading them. If `folder` is given, the documents are all of that folder:
    /// what else the index has below it is removed. Nothing is seen before all of it is; after an
    /// error nothing has changed.
    ///
    /// # Errors
    /// When somebody else writes, or the index can't be written. A document that can't be taken is
    /// no error but listed in [`Added::refused`].
    pub fn add(
        &self,
        name: &str,
        folder: Option<&str>,
        documents: impl IntoIterator<Item = Result<Document, Refused>>,
        mut progress: impl FnMut(Progress<'_>),
    ) -> Result<Added, Error> {
        let path = self.path(name)?;
        let is_new = !is_index(&path);
        let opened = Opened::create(name, &path)?;
        let writer = writer(name, &opened, self.settings.writer_bytes)?;
        let mut adding = Adding::begin(&opened, &self.settings, &self.readers, writer)?;
        for document in documents {
            adding.take(document, &mut progress)?;
        }
        let added = adding.commit(folder)?;
        if is_new && added.added == 0 {
            // Nothing came of it, so there is no index either.
            fs::remove_dir_all(&path).map_err(Error::path(path))?;
        }
        Ok(added)
    }

    /// Removes an index.
    ///
    /// # Errors
    /// When there is none, somebody writes to it, or the files can't be removed.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        let opened = self.opened(name)?;
        // Held until it is gone, so that nobody writes into what is being removed.
        let _writer = writer(name, &opened, self.settings.writer_bytes)?;
        self.opened.lock().remove(name);
        let path = self.path(name)?;
        fs::remove_dir_all(&path).map_err(Error::path(path))
    }

    fn opened(&self, name: &str) -> Result<Arc<Opened>, Error> {
        let path = self.path(name)?;
        let mut all = self.opened.lock();
        if !is_index(&path) {
            all.remove(name);
            drop(all);
            return Err(Error::Unknown { name: name.to_owned(), known: self.names()? });
        }
        if let Some(opened) = all.get(name) {
            return Ok(Arc::clone(opened));
        }
        let opened = Arc::new(Opened::open(name, &path)?);
        all.insert(name.to_owned(), Arc::clone(&opened));
        Ok(opened)
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::path(&self.folder)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(Error::path(&self.folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_name(&name) && is_index(&entry.path()) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn listing(&self, name: String) -> Result<Listing, Error> {
        let opened = self.opened(&name)?;
        let view = opened.view()?;
        let documents = view.searcher.search(&opened.fields.records(), &Count)?;
        let documents = u64::try_from(documents).unwrap_or(u64::MAX);
        let passages = view.searcher.num_docs().saturating_sub(documents);
        let path = self.path(&name)?;
        let bytes = bytes_in(&path).map_err(Error::path(path))?;
        Ok(Listing { name, documents, passages, bytes })
    }

    fn path(&self, name: &str) -> Result<PathBuf, Error> {
        if !is_name(name) {
            return Err(Error::Name(name.to_owned()));
        }
        Ok(self.folder.join(name))
    }
}

impl fmt::Debug for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Indexes").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// The one writer. One thread is enough: reading and stemming take the time, not writing.
fn writer(name: &str, opened: &Opened, bytes: usize) -> Result<IndexWriter, Error> {
    let writer = opened.index.writer_with_num_threads(1, bytes);
    writer.map_err(|error| match error {
        TantivyError::LockFailure(LockError::LockBusy, _) => Error::Busy(name.to_owned()),
        error => Error::Engine(error),
    })
}

fn is_name(name: &str) -> bool {
    let plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(plain)
}

fn bytes_in(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0_u64;
    for entry in fs::read_dir(folder)? {
        bytes = bytes.saturating_add(entry?.metadata()?.len());
    }
    Ok(bytes)
}

/// Fits any file system, and any line.
const NAME_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests;
