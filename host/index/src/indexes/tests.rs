//! What indexes promise to those who add and ask.

use super::*;
use crate::error::ReadError;
use crate::reader::{Extracted, Landmark, Mark};

struct Place {
    folder: tempfile::TempDir,
    indexes: Indexes,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let indexes = Indexes::open(folder.path().join("indexes"), small());
        Self { folder, indexes }
    }

    fn add(&self, folder: Option<&str>, documents: &[(&str, &str)]) -> Added {
        let documents = documents.iter().map(|(source, text)| Ok(document(source, text)));
        self.indexes.add("docs", folder, documents, |_| {}).unwrap()
    }

    fn sources(&self, text: &str) -> Vec<String> {
        let hits = self.indexes.query("docs", text, 10).unwrap();
        hits.into_iter().map(|hit| hit.source).collect()
    }
}

fn small() -> Settings {
    Settings { writer_bytes: 15_000_000, ..Settings::default() }
}

fn document(source: &str, text: &str) -> Document {
    Document { source: source.to_owned(), bytes: text.as_bytes().to_vec(), media_type: None }
}

fn counts(added: &Added) -> [u64; 4] {
    [added.added, added.changed, added.unchanged, added.removed]
}

#[test]
fn what_is_unchanged_is_passed_over_and_what_changed_is_replaced() {
    let place = Place::new();
    let first = place.add(None, &[("a.md", "The old walrus."), ("b.md", "A tern.")]);
    assert_eq!((counts(&first), first.passages), ([2, 0, 0, 0], 2));

    let second = place.add(None, &[("a.md", "The new penguin."), ("b.md", "A tern.")]);
    assert_eq!((counts(&second), second.passages), ([0, 1, 1, 0], 1));
    assert_eq!(place.sources("walrus"), [""; 0]);
    assert_eq!(place.sources("penguin"), ["a.md"]);
    let listing = place.indexes.list().unwrap().remove(0);
    assert_eq!((listing.documents, listing.passages), (2, 2));
    assert!(listing.bytes > 0);
}

#[test]
fn what_left_the_folder_leaves_the_index_and_nothing_else_does() {
    let place = Place::new();
    place.add(
        None,
        &[("docs/a.md", "Walrus."), ("docs/b.md", "Walrus."), ("docs2/c.md", "Walrus.")],
    );
    let again = place.add(Some("docs"), &[("docs/a.md", "Walrus.")]);
    assert_eq!(counts(&again), [0, 0, 1, 1]);
    let mut left = place.sources("walrus");
    left.sort();
    assert_eq!(left, ["docs/a.md", "docs2/c.md"]);
}

#[test]
fn the_same_source_twice_in_one_add_is_there_once() {
    let place = Place::new();
    let added = place.add(None, &[("a.md", "Walrus."), ("a.md", "Walrus."), ("a.md", "Tern.")]);
    assert_eq!(counts(&added), [1, 1, 1, 0]);
    assert_eq!(place.sources("walrus tern"), ["a.md"]);
}

#[test]
fn another_way_of_cutting_reads_everything_again() {
    let place = Place::new();
    place.add(None, &[("a.md", "Walrus.")]);
    let settings = Settings { passage_chars: 500, ..small() };
    let other = Indexes::open(place.folder.path().join("indexes"), settings);
    let added = other.add("docs", None, [Ok(document("a.md", "Walrus."))], |_| {}).unwrap();
    assert_eq!(counts(&added), [0, 1, 0, 0]);
}

#[test]
fn a_document_that_cannot_be_read_is_named_and_what_was_known_of_it_stays() {
    let place = Place::new();
    place.add(Some("d"), &[("d/a.txt", "Walrus."), ("d/b.txt", "Walrus.")]);
    let documents = [("d/a.txt", "zero \0 byte"), ("d/b.txt", "Walrus."), ("d/c.xyz", "Walrus.")];
    let added = place.add(Some("d"), &documents);
    assert_eq!(counts(&added), [0, 0, 1, 0]);
    let refused = added.refused.iter().map(Refused::to_string).collect::<Vec<_>>();
    assert!(refused[0].starts_with("d/a.txt: ") && refused[0].contains("binary"), "{refused:?}");
    assert!(refused[1].contains("`xyz`") && refused[1].contains("md"), "{refused:?}");
    assert_eq!(refused.len(), 2);
    assert_eq!(place.sources("walrus").len(), 2);
}

#[test]
fn a_document_over_the_limit_is_refused_by_the_name_of_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { document_bytes_max: 10, ..small() };
    let indexes = Indexes::open(folder.path(), settings);
    let added = indexes.add("a", None, [Ok(document("a.md", "Eleven byte"))], |_| {}).unwrap();
    assert!(matches!(added.refused[0].reason, ReadError::TooLarge { bytes: 11, max: 10 }));
    assert!(added.refused[0].to_string().contains("document_bytes_max"));
}

#[test]
fn progress_counts_every_document() {
    let place = Place::new();
    let documents = ["a.md", "b.xyz", "c.md"].map(|source| Ok(document(source, "Walrus.")));
    let mut told = Vec::new();
    let note = |it: Progress<'_>| told.push((it.source.to_owned(), it.documents, it.passages));
    place.indexes.add("docs", None, documents, note).unwrap();
    let expected = [("a.md", 1, 1), ("b.xyz", 2, 1), ("c.md", 3, 2)];
    assert_eq!(told, expected.map(|(source, all, passages)| (source.to_owned(), all, passages)));
}

#[test]
fn a_name_that_is_no_name_is_refused_before_it_is_a_path() {
    let place = Place::new();
    for name in ["", "..", "a/b", "A", "ä", "a_b", &"a".repeat(65)] {
        assert!(matches!(place.indexes.query(name, "x", 1), Err(Error::Name(_))), "{name}");
        let added = place.indexes.add(name, None, [], |_| {});
        assert!(matches!(added, Err(Error::Name(_))), "{name}");
    }
}

#[test]
fn an_unknown_index_is_answered_with_the_known_ones() {
    let place = Place::new();
    let error = place.indexes.query("docs", "x", 1).unwrap_err().to_string();
    assert!(error.contains("there is none yet"), "{error}");
    place.indexes.add("zoo", None, [Ok(document("a.md", "x"))], |_| {}).unwrap();
    place.indexes.add("birds", None, [Ok(document("a.md", "x"))], |_| {}).unwrap();
    let error = place.indexes.query("docs", "x", 1).unwrap_err().to_string();
    assert!(error.contains("`docs`") && error.contains("birds, zoo"), "{error}");
}

#[test]
fn an_index_without_documents_is_not_made() {
    let place = Place::new();
    place.indexes.add("docs", None, [Ok(document("a.xyz", "x"))], |_| {}).unwrap();
    assert_eq!(place.indexes.list().unwrap(), []);
}

#[test]
fn an_open_reader_sees_what_another_one_wrote() {
    let place = Place::new();
    let reader = Indexes::open(place.folder.path().join("indexes"), small());
    place.add(None, &[("a.md", "Walrus.")]);
    assert_eq!(reader.query("docs", "walrus", 5).unwrap().len(), 1);
    place.add(None, &[("b.md", "Walrus.")]);
    assert_eq!(reader.query("docs", "walrus", 5).unwrap().len(), 2);
    place.indexes.remove("docs").unwrap();
    assert!(matches!(reader.query("docs", "walrus", 5), Err(Error::Unknown { .. })));
    place.add(None, &[("c.md", "Walrus.")]);
    assert_eq!(reader.query("docs", "walrus", 5).unwrap()[0].source, "c.md");
}

#[test]
fn while_one_adds_others_ask_and_a_second_add_is_told_to_wait() {
    let place = Place::new();
    place.add(None, &[("a.md", "Walrus.")]);
    let other = Indexes::open(place.folder.path().join("indexes"), small());
    let documents = std::iter::once_with(|| {
        let error = other.add("docs", None, [], |_| {}).unwrap_err();
        assert!(matches!(error, Error::Busy(_)) && error.to_string().contains("wait"), "{error}");
        assert!(matches!(other.remove("docs"), Err(Error::Busy(_))));
        assert_eq!(other.query("docs", "walrus", 5).unwrap().len(), 1);
        Ok(document("b.md", "Walrus."))
    });
    place.indexes.add("docs", None, documents, |_| {}).unwrap();
    assert_eq!(other.query("docs", "walrus", 5).unwrap().len(), 2);
}

#[test]
fn many_threads_ask_while_one_adds_and_each_sees_a_whole_version() {
    let place = Place::new();
    place.add(None, &[("a.md", "Walrus 0."), ("b.md", "Walrus 0.")]);
    std::thread::scope(|scope| {
        let askers = [(); 4].map(|()| {
            scope.spawn(|| {
                for _ in 0..200 {
                    let hits = place.indexes.query("docs", "walrus", 5).unwrap();
                    assert_eq!(hits.len(), 2);
                    assert_eq!(hits[0].text, hits[1].text, "both are of one commit");
                }
            })
        });
        for round in 1..6 {
            let text = format!("Walrus {round}.");
            place.add(None, &[("a.md", &text), ("b.md", &text)]);
        }
        for asker in askers {
            asker.join().unwrap();
        }
    });
}

#[test]
fn a_folder_of_another_version_is_named_with_the_way_out() {
    let place = Place::new();
    place.add(None, &[("a.md", "Walrus.")]);
    let other = Indexes::open(place.folder.path().join("indexes"), small());
    fs::write(place.folder.path().join("indexes/docs/meta.json"), "{}").unwrap();
    let error = other.query("docs", "walrus", 1).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error:?}");
    assert!(
        error.to_string().contains("`docs`") && error.to_string().contains("add its documents")
    );
}

#[test]
fn a_reader_of_another_format_hands_in_text_with_pages() {
    struct Paged;
    impl Reader for Paged {
        fn kinds(&self) -> &[&str] {
            &["pdf", "application/pdf"]
        }
        fn read(&self, document: &Document) -> Result<Extracted, ReadError> {
            let body = String::from_utf8_lossy(&document.bytes).replace('\u{c}', "\n\n");
            let second = body.find("\n\n").unwrap() + 2;
            let page = |at, page| Mark { at, what: Landmark::Page(page) };
            Ok(Extracted { title: None, body, marks: vec![page(0, 1), page(second, 2)] })
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { passage_chars: 12, overlap_chars: 0, ..small() };
    let indexes = Indexes::open(folder.path(), settings).with_reader(Arc::new(Paged));
    let text = "A walrus.\u{c}A penguin.";
    indexes.add("a", None, [Ok(document("x.pdf", text))], |_| {}).unwrap();
    let hit = indexes.query("a", "penguin", 1).unwrap().remove(0);
    assert_eq!((hit.page, hit.offset, hit.text.as_str()), (Some(2), 11, "A penguin."));
    assert_eq!((hit.title.as_str(), hit.source.as_str()), ("x.pdf", "x.pdf"));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]
    #[test]
    fn any_text_is_a_question(
        text in "(\\PC|[\"'+\\-~:*?^(){}\\[\\]\\\\/ ]|AND |OR |NOT |walrus ){0,40}",
        count in 0usize..5,
    ) {
        static PLACE: std::sync::LazyLock<Place> = std::sync::LazyLock::new(|| {
            let place = Place::new();
            place.add(None, &[("a.md", "A walrus, one AND two.")]);
            place
        });
        let hits = PLACE.indexes.query("docs", &text, count).unwrap();
        proptest::prop_assert!(hits.len() <= count);
        if count > 0 && text.contains(" walrus ") {
            proptest::prop_assert_eq!(hits.len(), 1);
        }
    }
}
