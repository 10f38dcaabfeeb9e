//! An index that is open for reading. It notices by itself when somebody, perhaps another process,
//! has written a new version.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use tantivy::schema::Field;
use tantivy::{Index, IndexReader, ReloadPolicy, Searcher, TantivyError};

use crate::error::Error;
use crate::fields::Fields;
use crate::language::Stemming;

/// One index.
pub(crate) struct Opened {
    pub(crate) index: Index,
    pub(crate) fields: Fields,
    folder: PathBuf,
    reader: IndexReader,
    version: Mutex<Version>,
}

/// What one question sees, whatever is written meanwhile.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) searcher: Searcher,
    /// The ways in which documents were stemmed.
    pub(crate) stemmings: Arc<[Option<Stemming>]>,
}

struct Version {
    stamp: Stamp,
    view: View,
}

/// What changes whenever a version is written: the file that lists the parts is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    file: u64,
}

impl Opened {
    /// Opens the index in a folder.
    pub(crate) fn open(name: &str, folder: &Path) -> Result<Self, Error> {
        let index = Index::open_in_dir(folder).map_err(|error| format(name, error))?;
        Self::of(name, folder, index)
    }

    /// Makes an empty index, or opens the one that is there.
    pub(crate) fn create(name: &str, folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::path(folder))?;
        let directory = tantivy::directory::MmapDirectory::open(folder);
        let directory = directory.map_err(|error| Error::Engine(error.into()))?;
        let index = Index::open_or_create(directory, Fields::new().schema);
        Self::of(name, folder, index.map_err(|error| format(name, error))?)
    }

    fn of(name: &str, folder: &Path, index: Index) -> Result<Self, Error> {
        let fields = Fields::new();
        if index.schema() != fields.schema {
            let reason = "its fields are others".to_owned();
            return Err(Error::Format { name: name.to_owned(), reason });
        }
        // Without a thread of its own: `view` looks.
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        // The stamp first: what is written in between is then read once more, and never missed.
        let stamp = Stamp::of(folder).map_err(Error::path(folder))?;
        let reader = reader.try_into().map_err(|error| format(name, error))?;
        let view = View::of(&reader, fields.language)?;
        let version = Mutex::new(Version { stamp, view });
        Ok(Self { index, fields, folder: folder.to_owned(), reader, version })
    }

    /// The newest version.
    pub(crate) fn view(&self) -> Result<View, Error> {
        let stamp = Stamp::of(&self.folder).map_err(Error::path(&self.folder))?;
        let mut version = self.version.lock();
        if version.stamp != stamp {
            self.reader.reload()?;
            *version = Version { stamp, view: View::of(&self.reader, self.fields.language)? };
        }
        Ok(version.view.clone())
    }
}

impl View {
    fn of(reader: &IndexReader, language: Field) -> Result<Self, Error> {
        let searcher = reader.searcher();
        let mut stemmings = Vec::new();
        for segment in searcher.segment_readers() {
            let index = segment.inverted_index(language)?;
            let mut codes = index.terms().stream().map_err(TantivyError::from)?;
            while let Some((code, _)) = codes.next() {
                let stemming = std::str::from_utf8(code).ok().and_then(Stemming::of_code);
                if !stemmings.contains(&stemming) {
                    stemmings.push(stemming);
                }
            }
        }
        Ok(Self { searcher, stemmings: stemmings.into() })
    }
}

impl Stamp {
    fn of(folder: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(folder.join(VERSION_FILE))?;
        Ok(Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            file: file_number(&metadata),
        })
    }
}

/// Two versions within one tick of the file system's clock are told apart by this.
#[cfg(unix)]
fn file_number(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn file_number(_: &fs::Metadata) -> u64 {
    0
}

/// Whether a folder holds an index.
pub(crate) fn is_index(folder: &Path) -> bool {
    folder.join(VERSION_FILE).is_file()
}

/// What the engine says of files that it can't make sense of.
fn format(name: &str, error: TantivyError) -> Error {
    match error {
        TantivyError::IoError(_) | TantivyError::LockFailure(..) => Error::Engine(error),
        error => Error::Format { name: name.to_owned(), reason: error.to_string() },
    }
}

/// The engine's list of the parts of a version; it is replaced as a whole.
const VERSION_FILE: &str = "meta.json";
