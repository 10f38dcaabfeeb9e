//! From a question in any words to the best passages.

use std::collections::BTreeSet;

use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{TantivyDocument, Term};

use crate::error::Error;
use crate::fields::Fields;
use crate::opened::{Opened, View};
use crate::words;

/// A passage that answers a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The file or address that it is from.
    pub source: String,
    /// The document's title, or its file name.
    pub title: String,
    /// The headings above it, outermost first, without one that is the title.
    pub headings: Vec<String>,
    /// The passage.
    pub text: String,
    /// Where it begins in the document's text, in characters.
    pub offset: u64,
    /// The page where it begins, in formats that have pages.
    pub page: Option<u64>,
    /// BM25 over all fields; comparable within one query only.
    pub score: f32,
}

/// The best passages first. Any text is a question: what is no word in it is passed over.
pub(crate) fn run(opened: &Opened, text: &str, count: usize) -> Result<Vec<Hit>, Error> {
    let view = opened.view()?;
    let count = count.min(HITS_MAX);
    let clauses = clauses(&opened.fields, &view, text);
    // The engine can't be asked for nothing.
    if count == 0 || clauses.is_empty() {
        return Ok(Vec::new());
    }
    let best = TopDocs::with_limit(count).order_by_score();
    let found = view.searcher.search(&BooleanQuery::new(clauses), &best)?;
    let mut hits = Vec::with_capacity(found.len());
    for (score, address) in found {
        let stored: TantivyDocument = view.searcher.doc(address)?;
        let stored = opened.fields.read_passage(&stored);
        let mut headings = stored.headings;
        // Most documents begin with their title.
        if headings.first() == Some(&stored.title) {
            headings.remove(0);
        }
        hits.push(Hit {
            source: stored.source,
            title: stored.title,
            headings,
            text: stored.text,
            offset: stored.offset,
            page: stored.page,
            score,
        });
    }
    Ok(hits)
}

/// Any of the words may match, in any way; what matches in more ways is better. The language of
/// a few words can't be known, so they are stemmed in each way that documents were.
fn clauses(fields: &Fields, view: &View, text: &str) -> Vec<(Occur, Box<dyn Query>)> {
    let text = text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or(text);
    let distinct = |words: Vec<String>| {
        let words = words.into_iter().collect::<BTreeSet<_>>();
        words.into_iter().take(WORDS_MAX)
    };
    let mut clauses = Vec::new();
    let mut add = |field, word: &str, weight| {
        clauses.push((Occur::Should, term(field, word, weight)));
    };
    for word in distinct(words::exact(text)) {
        add(fields.exact, &word, EXACT_WEIGHT);
    }
    for stemming in view.stemmings.iter() {
        for stem in distinct(words::stems(text, *stemming)) {
            add(fields.stems, &stem, 1.0);
            add(fields.title_stems, &stem, TITLE_WEIGHT);
            add(fields.heading_stems, &stem, HEADING_WEIGHT);
        }
    }
    clauses
}

fn term(field: Field, word: &str, weight: f32) -> Box<dyn Query> {
    let term = Term::from_field_text(field, word);
    let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
    Box::new(BoostQuery::new(Box::new(query), weight))
}

/// More is a mistake, and would be read from the disk.
const HITS_MAX: usize = 1000;

/// A question longer than this is a document; its beginning stands for it.
const TEXT_BYTES_MAX: usize = 4 << 10;

/// Each word costs a look-up per field and language.
const WORDS_MAX: usize = 64;

/// A word as it is written counts beside its stem, so the two together outweigh a stem alone.
const EXACT_WEIGHT: f32 = 0.6;

/// All passages of a document share its title.
const TITLE_WEIGHT: f32 = 0.3;

/// A heading says what the passage is about.
const HEADING_WEIGHT: f32 = 0.6;
