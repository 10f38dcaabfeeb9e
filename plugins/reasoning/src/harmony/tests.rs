//! Harmony as the model writes it, and as hostile text imitates it, cut in every way.

use super::{HEADER_BYTES_MAX, TOKENS};
use crate::blocks::Tags;
use crate::split::{Settled, Splitter};
use std::rc::Rc;

/// What comes out, neighbours of one kind joined.
fn split(pieces: &[&str]) -> Vec<Settled> {
    let functions: Rc<[String]> = Rc::new(["weather".to_owned()]);
    let mut splitter = Splitter::new(Rc::new(Tags::of(None, false)), false, functions);
    let mut out: Vec<Settled> = Vec::new();
    let mut add = |piece: Settled| match (out.last_mut(), piece) {
        (Some(Settled::Thought(last)), Settled::Thought(more))
        | (Some(Settled::Answer(last)), Settled::Answer(more))
        | (Some(Settled::Arguments(last)), Settled::Arguments(more)) => last.push_str(&more),
        (_, piece) => out.push(piece),
    };
    for piece in pieces {
        if splitter.passes(piece) {
            add(Settled::Answer((*piece).to_owned()));
            continue;
        }
        splitter.push(piece);
        while let Some(piece) = splitter.take() {
            add(piece);
        }
    }
    splitter.push("");
    splitter.end();
    while let Some(piece) = splitter.take() {
        add(piece);
    }
    assert!(splitter.is_empty());
    out
}

#[test]
fn the_split_does_not_depend_on_where_the_text_is_cut() {
    let long = "x".repeat(HEADER_BYTES_MAX);
    let mut words: Vec<&str> = TOKENS.to_vec();
    words.extend(["analysis", "final", "commentary to=functions.weather ", "assistant", "json"]);
    words.extend(["a", " ", "\n", "<|", "ü", "{}", "<think>", "</think>", &long]);
    let mut random = 11_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(random >> 33).unwrap() % below
    };
    for _ in 0..3000 {
        let text: String = (0..next(16)).map(|_| words[next(words.len())]).collect();
        let whole = split(&[&text]);
        let pieces: Vec<&str> = text.split_inclusive(|_| true).collect();
        assert_eq!(split(&pieces), whole, "{text:?}");
        if let Some(at) = text.char_indices().map(|(at, _)| at).nth(next(40)) {
            let pieces = [&text[..at], &text[at..]];
            assert_eq!(split(&pieces), whole, "{pieces:?}");
        }
    }
}

#[test]
fn a_header_that_never_ends_is_text() {
    let text = format!("<|channel|> is a token. {}", "And so on. ".repeat(100));
    assert_eq!(split(&[&text]), [Settled::Answer(text.clone())]);
    assert_eq!(
        split(&["<|channel|> is a token."]),
        [Settled::Answer("<|channel|> is a token.".into())]
    );
}

#[test]
fn tokens_without_end_are_text_too() {
    let text = "<|channel|>".repeat(100);
    assert_eq!(split(&[&text]), [Settled::Answer(text.clone())]);
}
