//! Words across cuts.

use super::{Patterns, Piece, Window};

/// Replaces each word by its index in brackets, with the text cut after every `size` characters.
fn marked(text: &str, words: &[&str], size: usize) -> String {
    let (patterns, mut window) = (Patterns::new(words.iter().copied()), Window::default());
    let mut out = String::new();
    let mut drain = |window: &mut Window| {
        while let Some(piece) = window.take(&patterns) {
            match piece {
                Piece::Text(text) => out.push_str(&text),
                Piece::Match(index) => out.push_str(&format!("[{index}]")),
            }
        }
    };
    let characters: Vec<char> = text.chars().collect();
    for piece in characters.chunks(size) {
        window.push(&piece.iter().collect::<String>());
        drain(&mut window);
    }
    window.end();
    drain(&mut window);
    assert!(window.is_empty());
    out
}

#[test]
fn words_are_found_wherever_the_text_is_cut() {
    let table: &[(&str, &[&str], &str)] = &[
        ("a cat sat", &["cat"], "a [0] sat"),
        ("category cat", &["cat", "category"], "[1] [0]"),
        ("categor", &["cat", "category"], "[0]egor"),
        ("ccat catcat ca", &["cat"], "c[0] [0][0] ca"),
        ("grün grüße grü", &["grüße"], "grün [0] grü"),
        ("aab", &["ab"], "a[0]"),
        ("nothing", &["", "zebra"], "nothing"),
        ("nothing", &[], "nothing"),
        ("日本語", &["本"], "日[0]語"),
    ];
    for (text, words, expected) in table {
        for size in 1..=text.len() {
            assert_eq!(marked(text, words, size), *expected, "{text:?} cut by {size}");
        }
    }
}

#[test]
fn only_a_possible_beginning_is_kept() {
    let (patterns, mut window) = (Patterns::new(["<think>"]), Window::default());
    assert!(window.passes("a < b", &patterns));
    assert!(!window.passes("a <", &patterns));
    window.push("a <thi");
    assert_eq!(window.take(&patterns), Some(Piece::Text("a ".into())));
    assert_eq!(window.take(&patterns), None);
    assert!(!window.passes("plain", &patterns));
    assert_eq!(window.take_all(), "<thi");
    assert!(window.is_empty());
}

#[test]
fn what_is_kept_is_shorter_than_the_longest_word() {
    let words = ["aab", "abaab", "grüße"];
    let (patterns, mut window) = (Patterns::new(words), Window::default());
    let longest = words.iter().map(|word| word.len()).max().unwrap();
    let mut kept_max = 0;
    for text in ["aaba", "abaaab", "grü", "ß", "abaa"].iter().cycle().take(1000) {
        window.push(text);
        while window.take(&patterns).is_some() {}
        kept_max = kept_max.max(window.rest().len());
    }
    assert_eq!(kept_max, longest - 1, "the bound is met, and kept");
    assert!(window.text.capacity() < 64, "what was taken is gone");
}
