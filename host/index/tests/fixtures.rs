//! Indexes the manual below `fixtures/` as a folder and asks what `fixtures/queries.json` lists.
//! A new document or question is a file or a line there.

use std::path::Path;

use index::{Document, Indexes, Settings};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    query: String,
    /// What the best hit is from.
    source: Option<String>,
    /// What stands above it.
    headings: Option<Vec<String>>,
    /// What must not be found at all.
    none_of: Option<String>,
}

#[test]
fn each_question_is_answered_from_the_expected_place() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let manual = fixtures.join("manual");
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { writer_bytes: 15_000_000, ..Settings::default() };
    let indexes = Indexes::open(folder.path(), settings.clone());

    let files = indexes.walk(&manual).unwrap();
    let documents =
        || files.iter().map(|file| Document::from_file(file, settings.document_bytes_max));
    let root = manual.to_str().unwrap();
    let added = indexes.add("manual", Some(root), documents(), |_| {}).unwrap();
    assert!(added.refused.is_empty(), "{:?}", added.refused);
    assert!(added.added >= 7);
    let again = indexes.add("manual", Some(root), documents(), |_| {}).unwrap();
    assert_eq!((again.unchanged, again.passages), (added.added, 0));

    let questions = std::fs::read_to_string(fixtures.join("queries.json")).unwrap();
    let questions: Vec<Question> = serde_json::from_str(&questions).unwrap();
    let mut wrong = Vec::new();
    for question in &questions {
        let hits = indexes.query("manual", &question.query, 3).unwrap();
        let path = |source: &str| source.strip_prefix(&format!("{root}/")).map(str::to_owned);
        let best = hits.first().and_then(|hit| path(&hit.source));
        let headings = hits.first().map(|hit| &hit.headings);
        let is_found = question.source.is_none() || question.source == best;
        let is_below = question.headings.is_none() || question.headings.as_ref() == headings;
        let is_clean = hits.iter().all(|hit| path(&hit.source) != question.none_of);
        if !(is_found && is_below && is_clean) {
            wrong.push(format!("{question:?}\n  found {best:?} {headings:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), questions.len(), wrong.join("\n"));
}
