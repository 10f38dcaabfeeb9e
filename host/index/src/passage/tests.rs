//! What passages promise, for chosen texts and for any.

use proptest::prelude::*;

use super::*;
use crate::reader::Mark;

fn settings(passage_chars: usize, overlap_chars: usize) -> Settings {
    Settings { passage_chars, overlap_chars, ..Settings::default() }
}

fn plain(body: &str) -> Extracted {
    Extracted { body: body.to_owned(), ..Extracted::default() }
}

fn texts<'a>(text: &'a Extracted, settings: &Settings) -> Vec<&'a str> {
    passages(text, settings).map(|passage| passage.text).collect()
}

fn heading(at: usize, level: u8, text: &str) -> Mark {
    Mark { at, what: Landmark::Heading { level, text: text.to_owned() } }
}

#[test]
fn paragraphs_are_kept_whole_where_they_fit() {
    let text = plain("One one one.\n\nTwo two two.\n\nThree three three three.");
    let cut = texts(&text, &settings(30, 8));
    assert_eq!(cut, ["One one one.\n\nTwo two two.", "Three three three three."]);
}

#[test]
fn a_long_paragraph_is_cut_at_sentences_that_overlap() {
    let text = plain("Aaa aaa aaa aaa. Bbb bbb. C c. Ddd ddd ddd ddd ddd.");
    let cut = texts(&text, &settings(32, 8));
    assert_eq!(cut, ["Aaa aaa aaa aaa. Bbb bbb. C c.", "C c. Ddd ddd ddd ddd ddd."]);
    let cut = texts(&text, &settings(32, 0));
    assert_eq!(cut, ["Aaa aaa aaa aaa. Bbb bbb. C c.", "Ddd ddd ddd ddd ddd."]);
}

#[test]
fn what_has_no_border_is_cut_between_characters() {
    let text = plain(&"ä".repeat(25));
    assert_eq!(texts(&text, &settings(10, 2)), ["ä".repeat(10), "ä".repeat(10), "ä".repeat(5)]);
}

#[test]
fn a_heading_begins_a_passage_and_is_in_its_path() {
    let body = "Before.\n\nTop\n\nInner\n\nText.\n\nNext\n\nMore.";
    let at = |what: &str| body.find(what).unwrap();
    let marks = vec![
        heading(at("Top"), 1, "Top"),
        heading(at("Inner"), 2, "Inner"),
        heading(at("Next"), 2, "Next"),
    ];
    let text = Extracted { title: None, body: body.to_owned(), marks };
    let found = passages(&text, &Settings::default()).collect::<Vec<_>>();
    let found = found.iter().map(|it| (it.text, it.headings.as_slice())).collect::<Vec<_>>();
    let expected: [(&str, &[&str]); 3] = [
        ("Before.", &[]),
        ("Top\n\nInner\n\nText.", &["Top", "Inner"]),
        ("Next\n\nMore.", &["Top", "Next"]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_passage_is_on_the_page_where_it_begins() {
    let page = |at, page| Mark { at, what: Landmark::Page(page) };
    let marks = vec![page(0, 7), page(9, 8)];
    let text = Extracted { title: None, body: "One one.\n\nTwo two.".to_owned(), marks };
    let pages = passages(&text, &settings(12, 0)).map(|it| it.page).collect::<Vec<_>>();
    assert_eq!(pages, [Some(7), Some(8)]);
}

#[test]
fn a_text_without_words_has_no_passages() {
    assert_eq!(texts(&plain(""), &Settings::default()), [""; 0]);
    assert_eq!(texts(&plain(" \n\n\t"), &Settings::default()), [""; 0]);
}

proptest! {
    #[test]
    fn nothing_is_lost_and_offsets_point_at_the_text(
        body in "([a-zäß漢。.!? \n]|\u{301}|🦀|\n\n|[a-z]{9}){0,300}",
        places in proptest::collection::vec((0usize..900, 1u8..7), 0..6),
        chars in 0usize..60,
        overlap in 0usize..60,
    ) {
        let mut marks = places.iter().map(|(at, level)| heading(*at, *level, "ab")).collect::<Vec<_>>();
        marks.sort_by_key(|mark| mark.at);
        let text = Extracted { title: None, body: body.clone(), marks };
        let all = body.chars().collect::<Vec<_>>();
        let mut covered = vec![false; all.len()];
        let mut last = None;
        for passage in passages(&text, &settings(chars, overlap)) {
            let from = usize::try_from(passage.offset).unwrap();
            let length = passage.text.chars().count();
            prop_assert!(length <= chars.max(1));
            prop_assert!(!passage.text.trim().is_empty());
            prop_assert_eq!(passage.text, all[from..from + length].iter().collect::<String>());
            prop_assert!(last < Some(from), "passages go forward");
            last = Some(from);
            covered[from..from + length].fill(true);
        }
        for (char, covered) in all.iter().zip(covered) {
            prop_assert!(covered || char.is_whitespace(), "{:?} is in no passage", char);
        }
    }
}
