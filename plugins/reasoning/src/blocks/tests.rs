//! The split must not depend on the cuts: many texts, each cut in many ways.

use super::{Blocks, Tags};
use crate::families::by_name;
use crate::split::Settled;
use std::rc::Rc;

/// What the reader of the answer and the reader of the thoughts see, in order.
fn split(pieces: &[&str], anywhere: bool, opened: bool) -> Vec<(bool, String)> {
    let tags = [("<think>", "</think>"), ("<t", "t>")].map(|(a, b)| (a.into(), b.into()));
    split_by(Tags::own(tags.to_vec(), anywhere), pieces, opened)
}

fn split_by(tags: Tags, pieces: &[&str], opened: bool) -> Vec<(bool, String)> {
    let mut blocks = Blocks::new(Rc::new(tags), opened);
    let mut out: Vec<(bool, String)> = Vec::new();
    let mut add = |is_thought: bool, text: &str| match out.last_mut() {
        Some((last, so_far)) if *last == is_thought => so_far.push_str(text),
        _ => out.push((is_thought, text.to_owned())),
    };
    let settle = |blocks: &mut Blocks, add: &mut dyn FnMut(bool, &str)| {
        while let Some(piece) = blocks.take() {
            match piece {
                Settled::Thought(text) => add(true, &text),
                Settled::Answer(text) => add(false, &text),
                Settled::Call(_) | Settled::Arguments(_) => panic!("tags know no calls"),
            }
        }
    };
    for piece in pieces {
        if blocks.passes(piece) {
            add(false, piece);
            continue;
        }
        blocks.push(piece);
        settle(&mut blocks, &mut add);
    }
    blocks.push("");
    blocks.end();
    settle(&mut blocks, &mut add);
    assert!(blocks.is_empty());
    out
}

#[test]
fn the_split_does_not_depend_on_where_the_text_is_cut() {
    let words =
        ["<think>", "</think>", "<t", "t>", "\n", " ", "a", "<", "ü", "think>", "  \n", "x y"];
    let mut random = 7_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(random >> 33).unwrap() % below
    };
    for round in 0..3000 {
        let text: String = (0..next(14)).map(|_| words[next(words.len())]).collect();
        let text = if round % 7 == 0 { " ".repeat(60) + &text } else { text };
        let (anywhere, opened) = (next(2) == 0, next(4) == 0);
        let whole = split(&[&text], anywhere, opened);
        let mut pieces: Vec<&str> = text.split_inclusive(|_| true).collect();
        assert_eq!(split(&pieces, anywhere, opened), whole, "{text:?} {anywhere} {opened}");
        if let Some(at) = text.char_indices().map(|(at, _)| at).nth(next(20)) {
            pieces = vec![&text[..at], &text[at..]];
            assert_eq!(split(&pieces, anywhere, opened), whole, "{pieces:?} {anywhere} {opened}");
        }
    }
}

#[test]
fn a_wrapped_answer_does_not_depend_on_where_the_text_is_cut() {
    let words = ["<think>", "</think>", "<answer>", "</answer>", "\n", " ", "a", "<", "ü"];
    let long = " ".repeat(60);
    let words: Vec<&str> = words.into_iter().chain([long.as_str()]).collect();
    let mut random = 3_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(random >> 33).unwrap() % below
    };
    let tags = || Tags::of(by_name("hunyuan"), false);
    for _ in 0..3000 {
        let text: String = (0..next(14)).map(|_| words[next(words.len())]).collect();
        let whole = split_by(tags(), &[&text], false);
        let pieces: Vec<&str> = text.split_inclusive(|_| true).collect();
        assert_eq!(split_by(tags(), &pieces, false), whole, "{text:?}");
    }
}
