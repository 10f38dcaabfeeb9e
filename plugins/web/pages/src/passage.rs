//! The passages of a text that fit a question best.

use std::collections::HashMap;

use crate::words;

/// A question's words.
#[derive(Debug, Clone)]
pub struct Question {
    words: HashMap<String, usize>,
    /// The bytes that they begin with.
    begins: Vec<u8>,
}

impl Question {
    /// Any text is a question. Of a very long one the first words count.
    pub fn new(text: &str) -> Self {
        let mut found = HashMap::new();
        let mut add = |word: &str| {
            if found.len() < WORDS_MAX {
                let next = found.len();
                found.entry(word.to_owned()).or_insert(next);
            }
        };
        words::each(
            crate::cut(text, QUESTION_CHARS_MAX),
            |_| true,
            |word| word.into_iter().for_each(&mut add),
        );
        let mut begins: Vec<u8> = found.keys().filter_map(|word| word.bytes().next()).collect();
        begins.sort_unstable();
        begins.dedup();
        Self { words: found, begins }
    }

    /// A text as it is if it has no more than `chars_max` characters, else its best passages, in
    /// their order, with `[...]` where something is left out. Without a word of the question in it,
    /// its beginning.
    pub fn pick(&self, text: &str, chars_max: usize) -> String {
        if text.char_indices().nth(chars_max).is_none() {
            return text.trim().to_owned();
        }
        let passages = passages(text);
        let scores = self.scores(&passages);
        let mut order: Vec<usize> = (0..passages.len()).collect();
        let score = |at: &usize| scores.get(*at).copied().unwrap_or_default();
        // A stable order: of equals the first.
        order.sort_by(|a, b| score(b).total_cmp(&score(a)));
        let mut left = chars_max;
        let mut chosen = Vec::new();
        for at in order {
            let Some(passage) = passages.get(at) else { continue };
            let length = passage.chars().count().saturating_add(JOINT.len());
            if length <= left {
                left = left.saturating_sub(length);
                chosen.push(at);
            } else if chosen.is_empty() {
                return crate::cut(passage, chars_max).to_owned();
            }
        }
        chosen.sort_unstable();
        join(&passages, &chosen)
    }

    /// BM25, with the passages of the text as its documents.
    fn scores(&self, passages: &[&str]) -> Vec<f64> {
        let mut holding = vec![0_u32; self.words.len()];
        let counted: Vec<Counted> = passages.iter().map(|passage| self.count(passage)).collect();
        for passage in &counted {
            for (holding, _) in
                holding.iter_mut().zip(&passage.of_word).filter(|(_, count)| **count > 0)
            {
                *holding = holding.saturating_add(1);
            }
        }
        let number = f64::from(u32::try_from(passages.len()).unwrap_or(u32::MAX)).max(1.0);
        let all: f64 = counted.iter().map(|passage| f64::from(passage.words)).sum();
        let usual = (all / number).max(1.0);
        let score = |passage: &Counted| {
            let length = 0.25 + 0.75 * f64::from(passage.words) / usual;
            let of_word = holding.iter().zip(&passage.of_word).map(|(holding, count)| {
                let (holding, count) = (f64::from(*holding), f64::from(*count));
                let rarity = ((number - holding + 0.5) / (holding + 0.5)).ln_1p();
                rarity * count * 2.2 / (count + 1.2 * length)
            });
            of_word.sum()
        };
        counted.iter().map(score).collect()
    }

    fn count(&self, passage: &str) -> Counted {
        let mut counted = Counted { words: 0, of_word: vec![0; self.words.len()] };
        let wants = |first: u8| self.begins.binary_search(&first).is_ok();
        words::each(passage, wants, |word| {
            counted.words = counted.words.saturating_add(1);
            let known = word.and_then(|word| self.words.get(word));
            if let Some(count) = known.and_then(|index| counted.of_word.get_mut(*index)) {
                *count = count.saturating_add(1);
            }
        });
        counted
    }
}

/// How often a passage has the question's words.
struct Counted {
    words: u32,
    of_word: Vec<u32>,
}

fn join(passages: &[&str], chosen: &[usize]) -> String {
    let mut out = String::new();
    let mut last: Option<usize> = None;
    for at in chosen {
        let is_next = last.is_none_or(|last| last.saturating_add(1) == *at);
        let passage = passages.get(*at).copied().unwrap_or_default();
        match (out.is_empty(), is_next) {
            (true, _) => {}
            (false, true) => out.push_str("\n\n"),
            (false, false) => out.push_str(JOINT),
        }
        out.push_str(passage);
        last = Some(*at);
    }
    out
}

/// Whole paragraphs as long as they are short, and sentences of those that are long. A heading
/// stands with what is under it.
fn passages(text: &str) -> Vec<&str> {
    let mut passages = Vec::new();
    let (mut from, mut to) = (0_usize, 0_usize);
    let mut at = 0_usize;
    for paragraph in text.split("\n\n") {
        let (start, end) = (at, at.saturating_add(paragraph.len()));
        at = end.saturating_add(2);
        let is_over = end.saturating_sub(from) > PASSAGE_BYTES || paragraph.starts_with('#');
        if is_over && to > from {
            push(text.get(from..to), &mut passages);
            from = start;
        }
        to = end;
    }
    push(text.get(from..to), &mut passages);
    passages
}

fn push<'a>(piece: Option<&'a str>, passages: &mut Vec<&'a str>) {
    let mut rest = piece.unwrap_or_default().trim();
    while rest.len() > PASSAGE_BYTES.saturating_mul(2) {
        let window = rest.get(..rest.floor_char_boundary(PASSAGE_BYTES)).unwrap_or(rest);
        let ends = window.rfind(['\n', '。']).or(window.rfind(". ")).or(window.rfind(' '));
        let end = ends.filter(|end| *end > PASSAGE_BYTES / 3).unwrap_or(window.len());
        let end = rest.ceil_char_boundary(end.saturating_add(1));
        let (piece, behind) = rest.split_at(end);
        passages.push(piece.trim());
        rest = behind.trim();
    }
    if !rest.is_empty() {
        passages.push(rest);
    }
}

/// As Exa joins its excerpts.
const JOINT: &str = "\n[...]\n";

/// What answers a question is rarely longer.
const PASSAGE_BYTES: usize = 600;

const WORDS_MAX: usize = 64;

const QUESTION_CHARS_MAX: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn filler(number: usize) -> String {
        format!("Paragraph {number} speaks of the weather and of nothing else. ").repeat(8)
    }

    #[test]
    fn a_short_text_stays_whole() {
        assert_eq!(Question::new("x").pick(" a\n\nb ", 10), "a\n\nb");
    }

    #[test]
    fn the_paragraph_that_answers_is_picked_from_a_long_text() {
        let answer = "The cache keeps entries for 90 seconds.";
        let mut paragraphs: Vec<String> = (0..30).map(filler).collect();
        paragraphs.insert(17, answer.to_owned());
        paragraphs.insert(4, "# Caching".to_owned());
        let text = paragraphs.join("\n\n");
        let picked = Question::new("How long are cached entries kept?").pick(&text, 1500);
        assert!(picked.contains(answer), "{picked}");
        assert!(picked.contains("[...]"), "{picked}");
        assert!(picked.chars().count() <= 1500);
    }

    #[test]
    fn without_a_fitting_word_it_is_the_beginning() {
        let text = (0..30).map(filler).collect::<Vec<_>>().join("\n\n");
        let picked = Question::new("zebra").pick(&text, 600);
        assert!(picked.starts_with("Paragraph 0"), "{picked}");
    }

    #[test]
    fn text_without_any_break_is_cut_and_nothing_is_longer_than_asked() {
        for text in ["x".repeat(50_000), "字".repeat(50_000), "a b. ".repeat(20_000)] {
            for most in [1, 100, 3000] {
                let picked = Question::new("b 字").pick(&text, most);
                assert!(!picked.is_empty() && picked.chars().count() <= most, "{most}");
            }
        }
    }
}
