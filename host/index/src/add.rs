//! Adding documents: what is as it was is passed over, the rest is read, cut and written, and all
//! of it is seen at once by one commit.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};
use tantivy::collector::DocSetCollector;
use tantivy::{IndexWriter, TantivyDocument};

use crate::document::{Document, Refused};
use crate::error::{Error, ReadError};
use crate::fields::Fields;
use crate::language;
use crate::opened::Opened;
use crate::passage::passages;
use crate::reader::{Extracted, Readers};
use crate::settings::Settings;

/// What an add did.
#[derive(Debug, Default)]
pub struct Added {
    /// Documents that were not there before.
    pub added: u64,
    /// Documents whose content replaced an older one.
    pub changed: u64,
    /// Documents that were there already, as they are.
    pub unchanged: u64,
    /// Documents that are gone from the folder.
    pub removed: u64,
    /// Passages that were written.
    pub passages: u64,
    /// Documents that could not be taken. What was known of them stays.
    pub refused: Vec<Refused>,
}

/// How far an add is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The document that was just dealt with.
    pub source: &'a str,
    /// How many documents that makes.
    pub documents: u64,
    /// How many passages were written.
    pub passages: u64,
}

/// What an add works with.
pub(crate) struct Adding<'a> {
    pub(crate) fields: &'a Fields,
    pub(crate) settings: &'a Settings,
    pub(crate) readers: &'a Readers,
    writer: IndexWriter,
    /// Source to digest of what is there.
    there: HashMap<String, String>,
    seen: HashSet<String>,
    added: Added,
}

impl<'a> Adding<'a> {
    /// Takes the place of the one writer. What is there is read after that, so nobody changes it.
    pub(crate) fn begin(
        opened: &'a Opened,
        settings: &'a Settings,
        readers: &'a Readers,
        writer: IndexWriter,
    ) -> Result<Self, Error> {
        let fields = &opened.fields;
        let there = records(opened)?;
        let (seen, added) = (HashSet::new(), Added::default());
        Ok(Self { fields, settings, readers, writer, there, seen, added })
    }

    /// One document, or why there is none.
    pub(crate) fn take(
        &mut self,
        document: Result<Document, Refused>,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<(), Error> {
        let source = match document {
            Ok(document) => {
                self.write(&document)?;
                document.source
            }
            Err(refused) => {
                let source = refused.source.clone();
                self.added.refused.push(refused);
                source
            }
        };
        let Added { added, changed, unchanged, passages, .. } = self.added;
        let refused = u64::try_from(self.added.refused.len()).unwrap_or(u64::MAX);
        let documents = [added, changed, unchanged, refused].into_iter().sum();
        progress(Progress { source: &source, documents, passages });
        self.seen.insert(source);
        Ok(())
    }

    /// Takes away what is below a folder and was not seen, and makes all of it visible.
    pub(crate) fn commit(mut self, folder: Option<&str>) -> Result<Added, Error> {
        if let Some(folder) = folder {
            let gone = self.there.keys().filter(|source| is_below(source, folder));
            for source in gone.filter(|source| !self.seen.contains(*source)) {
                self.writer.delete_term(self.fields.of_source(source));
                self.added.removed = self.added.removed.saturating_add(1);
            }
        }
        let Added { added, changed, removed, .. } = self.added;
        if added > 0 || changed > 0 || removed > 0 {
            self.writer.commit()?;
        }
        // Small parts are put together meanwhile; leaving before would undo that.
        self.writer.wait_merging_threads()?;
        Ok(self.added)
    }

    fn write(&mut self, document: &Document) -> Result<(), Error> {
        let digest = digest(document, self.settings);
        let known = self.there.get(&document.source);
        if known == Some(&digest) {
            self.added.unchanged = self.added.unchanged.saturating_add(1);
            return Ok(());
        }
        let text = match self.read(document) {
            Ok(text) => text,
            Err(reason) => {
                let source = document.source.clone();
                self.added.refused.push(Refused { source, reason });
                return Ok(());
            }
        };
        if known.is_some() {
            self.writer.delete_term(self.fields.of_source(&document.source));
            self.added.changed = self.added.changed.saturating_add(1);
        } else {
            self.added.added = self.added.added.saturating_add(1);
        }
        let stemming = language::of(&text.body);
        let title = text.title.as_deref().unwrap_or_else(|| document.name());
        for passage in passages(&text, self.settings) {
            let passage = self.fields.passage(&document.source, title, &passage, stemming);
            self.writer.add_document(passage)?;
            self.added.passages = self.added.passages.saturating_add(1);
        }
        self.writer.add_document(self.fields.record(&document.source, &digest, stemming))?;
        self.there.insert(document.source.clone(), digest);
        Ok(())
    }

    fn read(&self, document: &Document) -> Result<Extracted, ReadError> {
        let max = self.settings.document_bytes_max;
        let bytes = u64::try_from(document.bytes.len()).unwrap_or(u64::MAX);
        if bytes > max {
            return Err(ReadError::TooLarge { bytes, max });
        }
        if document.source.len() > SOURCE_BYTES_MAX {
            return Err(ReadError::LongName { max: SOURCE_BYTES_MAX });
        }
        self.readers.read(document)
    }
}

/// Source to digest of all documents in the newest version.
fn records(opened: &Opened) -> Result<HashMap<String, String>, Error> {
    let view = opened.view()?;
    let mut addresses: Vec<_> =
        view.searcher.search(&opened.fields.records(), &DocSetCollector)?.into_iter().collect();
    // In the order of the file, each of its blocks is unpacked once.
    addresses.sort_unstable();
    let mut records = HashMap::with_capacity(addresses.len());
    for address in addresses {
        let record: TantivyDocument = view.searcher.doc(address)?;
        let (source, digest) = opened.fields.read_record(&record);
        records.insert(source, digest);
    }
    Ok(records)
}

/// Differs whenever the passages may: by the bytes, by what they are said to be, by how they are
/// cut, and by this version of reading.
fn digest(document: &Document, settings: &Settings) -> String {
    let mut digest = Sha256::new();
    let Settings { passage_chars, overlap_chars, .. } = settings;
    let media_type = document.media_type.as_deref().unwrap_or_default();
    digest.update(format!("{READING}|{passage_chars}|{overlap_chars}|{media_type:?}|"));
    digest.update(&document.bytes);
    hex::encode(digest.finalize())
}

/// Whether a source is the folder or in it.
fn is_below(source: &str, folder: &str) -> bool {
    let folder = folder.strip_suffix('/').unwrap_or(folder);
    source.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Raised when reading, cutting or stemming changes, so that documents are read again.
const READING: &str = "1";

/// The engine takes no terms over 64 KiB; no file system and no server takes names this long.
const SOURCE_BYTES_MAX: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_not_its_neighbour_with_a_longer_name() {
        for (source, folder, below) in [
            ("docs/a.md", "docs", true),
            ("docs/a.md", "docs/", true),
            ("docs", "docs", true),
            ("docs2/a.md", "docs", false),
            ("./a.md", ".", true),
            ("/a.md", "/", true),
            ("a.md", "docs", false),
        ] {
            assert_eq!(is_below(source, folder), below, "{source} in {folder}");
        }
    }
}
