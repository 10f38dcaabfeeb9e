//! `patchbay index …`: documents put into the indexes that plugins search, and what a plugin would
//! find there. A running gateway sees what was added with its next query.

mod parser;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};
use index::{Added, Document, Hit, Indexes, Progress, Refused};
use indicatif::{ProgressBar, ProgressStyle};

use super::announce;
use crate::config::Config;
use crate::plugin;
use crate::upstream::page;

/// What to do with indexes.
#[derive(Debug, Subcommand)]
pub(super) enum Index {
    /// Add documents, or read them again: what did not change costs next to nothing.
    Add(Add),
    /// Show the passages that fit best, as a plugin would get them.
    Query(Query),
    /// List the indexes: documents, passages, size.
    List,
    /// Remove an index.
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Folders, files and addresses (http://…, https://…). A folder stands for all it holds: what
    /// is no longer in it goes out of the index.
    #[arg(required = true, value_name = "DIR|FILE|URL")]
    sources: Vec<String>,
    /// The index; it is made if it is not there.
    #[arg(long, default_value = DEFAULT_NAME, value_name = "NAME")]
    index: String,
}

#[derive(Debug, Args)]
pub(super) struct Query {
    /// What to look for.
    #[arg(required = true)]
    words: Vec<String>,
    /// The index.
    #[arg(long, default_value = DEFAULT_NAME, value_name = "NAME")]
    index: String,
    /// At most so many passages.
    #[arg(long, default_value_t = 5, value_name = "N")]
    count: usize,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Which one.
    name: String,
}

/// Runs one of them.
///
/// # Errors
/// When the index is not there or can't be read or written, or nothing could be added.
pub(super) fn run(config: &Config, command: &Index) -> Result<(), anyhow::Error> {
    let parser = Arc::new(parser::Parser::new(config));
    let indexes = plugin::indexes(&config.index).with_reader(parser);
    match command {
        Index::Add(add) => {
            for source in &add.sources {
                add_source(config, &indexes, &add.index, source)?;
            }
        }
        Index::Query(query) => {
            let hits = indexes.query(&query.index, &query.words.join(" "), query.count)?;
            if hits.is_empty() {
                announce::line(&format!("Nothing in `{}` fits.", query.index));
            }
            hits.iter().for_each(|hit| announce::line(&shown(hit)));
        }
        Index::List => {
            for it in indexes.list()? {
                let (name, documents, passages) = (it.name, it.documents, it.passages);
                let bytes = it.bytes;
                announce::line(&format!(
                    "{name}  {documents} documents  {passages} passages  {bytes} bytes"
                ));
            }
        }
        Index::Remove(Remove { name }) => {
            indexes.remove(name)?;
            announce::line(&format!("The index `{name}` is removed."));
        }
    }
    Ok(())
}

fn add_source(
    config: &Config,
    indexes: &Indexes,
    name: &str,
    source: &str,
) -> Result<(), anyhow::Error> {
    let is_address = ["http://", "https://"].iter().any(|scheme| source.starts_with(scheme));
    let added = match is_address {
        true => indexes.add(name, None, [Ok(fetch(config, source)?)], |_| ())?,
        false => add_path(config, indexes, name, Path::new(source))?,
    };
    announce::line(&summary(name, &added));
    let taken = [added.added, added.changed, added.unchanged, added.removed];
    anyhow::ensure!(taken.iter().any(|count| *count > 0), "nothing of {source} could be added");
    Ok(())
}

/// A folder or a file. Sources are whole paths, so that the same document is the same wherever the
/// command is typed.
fn add_path(
    config: &Config,
    indexes: &Indexes,
    name: &str,
    path: &Path,
) -> Result<Added, anyhow::Error> {
    let shown = path.display();
    let whole = path.canonicalize();
    let whole = whole.with_context(|| format!("{shown} is no file or folder (nor http(s)://…)"))?;
    let files = indexes.walk(&whole)?;
    let folder = whole.is_dir().then(|| whole.to_string_lossy());
    let telling = Telling::new(files.len());
    let bytes_max = config.index.document_bytes_max;
    let documents = files.iter().map(|file| Document::from_file(file, bytes_max));
    let added = indexes.add(name, folder.as_deref(), documents, |progress| telling.tell(&progress));
    telling.bar.finish_and_clear();
    Ok(added?)
}

fn fetch(config: &Config, url: &str) -> Result<Document, anyhow::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let got = page::get(&config.upstream, url, config.index.document_bytes_max);
    let page = runtime.block_on(got)?;
    Ok(Document { source: page.url, bytes: page.bytes, media_type: page.media_type })
}

/// How far it is: a bar for people, now and then a line for files and pipes.
struct Telling {
    bar: ProgressBar,
    has_bar: bool,
    total: u64,
}

impl Telling {
    fn new(files: usize) -> Self {
        let total = u64::try_from(files).unwrap_or(u64::MAX);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} documents, {msg}");
        let bar = match style {
            Ok(style) => ProgressBar::new(total).with_style(style),
            Err(_) => ProgressBar::new(total),
        };
        Self { bar, has_bar: io::stderr().is_terminal(), total }
    }

    fn tell(&self, progress: &Progress<'_>) {
        let Progress { documents, passages, .. } = *progress;
        if self.has_bar {
            self.bar.set_message(format!("{passages} passages"));
            self.bar.set_position(documents);
        } else if documents.is_multiple_of(DOCUMENTS_PER_LINE) {
            let total = self.total;
            // Whoever does not read it is not told.
            let _ = writeln!(io::stderr(), "{documents}/{total} documents, {passages} passages");
        }
    }
}

fn summary(name: &str, it: &Added) -> String {
    let refused = it.refused.len();
    let Added { added, changed, unchanged, removed, passages, .. } = it;
    let mut text = format!(
        "`{name}`: {added} added, {changed} changed, {unchanged} unchanged, {removed} removed, \
         {refused} refused; {passages} passages written"
    );
    for one in it.refused.iter().take(REFUSED_SHOWN) {
        let Refused { source, reason } = one;
        text.push_str(&format!("\n  refused {source}: {reason}"));
    }
    if let Some(more) = refused.checked_sub(REFUSED_SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}

/// A passage with where it stands, its text set in.
fn shown(hit: &Hit) -> String {
    let Hit { source, title, headings, text, offset, page, score } = hit;
    let place: Vec<&str> = std::iter::once(title).chain(headings).map(String::as_str).collect();
    let page = page.map(|page| format!(", page {page}")).unwrap_or_default();
    let text: String = text.lines().map(|line| format!("    {line}\n")).collect();
    format!("{score:.2}  {}\n    {source}, character {offset}{page}\n\n{text}", place.join(" > "))
}

/// Where documents go that nobody sorts.
const DEFAULT_NAME: &str = "docs";

/// Enough to see what is wrong; a folder may hold any number of them.
const REFUSED_SHOWN: usize = 20;

/// A log does not need to know of each.
const DOCUMENTS_PER_LINE: u64 = 500;
