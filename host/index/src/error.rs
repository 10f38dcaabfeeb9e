//! What goes wrong with an index, and what goes wrong with one document.

use std::io;
use std::path::PathBuf;

/// Why an index could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Names are folders, so they are kept plain.
    #[error("`{}` is no name for an index; use 1 to 64 of a-z, 0-9 and `-`", .0.escape_debug())]
    Name(String),
    /// There is no index of that name.
    #[error("there is no index `{name}`; {}", list(.known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Somebody else writes.
    #[error(
        "the index `{0}` is being written by another add; wait until it ends, or stop that process"
    )]
    Busy(String),
    /// The folder holds something else than this version writes.
    #[error(
        "the index `{name}` is damaged or of another version ({reason}); remove it and add its \
         documents again"
    )]
    Format {
        /// The index.
        name: String,
        /// What the engine says.
        reason: String,
    },
    /// A file or folder could not be used.
    #[error("can't use {}: {source}", .path.display())]
    Path {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Anything else that the engine met, such as a full disk.
    #[error("the search engine failed: {0}")]
    Engine(#[from] tantivy::TantivyError),
}

impl Error {
    /// For `map_err` on a path.
    pub(crate) fn path(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Path { path, source }
    }
}

/// Why one document was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is too large.
    #[error(
        "it has {bytes} bytes, at most {max} are read; raise `document_bytes_max`, or split it"
    )]
    TooLarge {
        /// How large it is, as far as that is known.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// No reader knows the format.
    #[error("no reader knows {kind}; files that are read end with {known}")]
    UnknownKind {
        /// The kind, from the media type or the name.
        kind: String,
        /// The endings of files that readers know.
        known: String,
    },
    /// It says that it is text, and is not.
    #[error("it holds zero bytes, so it is binary and not text")]
    Binary,
    /// Its name would not fit into the index.
    #[error("its name is longer than {max} bytes")]
    LongName {
        /// The limit.
        max: usize,
    },
    /// A reader could not make sense of it.
    #[error("it can't be read: {0}")]
    Malformed(String),
    /// The file could not be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "there is none yet, make it by adding documents to it".to_owned();
    }
    format!("known: {}", names.join(", "))
}
