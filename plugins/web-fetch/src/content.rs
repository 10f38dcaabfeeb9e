//! As much of a page as fits into so many tokens.

use patchbay_sdk::tokens;
use web_pages::{Question, cut};

/// The text if it is short enough, else the passages that fit the question best, or without a
/// question its beginning. Counting is dear: a text with three bytes or fewer to each of the tokens is
/// not counted, and of a longer one three samples stand for all of it.
pub(crate) fn fit(text: &str, question: Option<&Question>, model: &str, most: usize) -> String {
    if text.len() <= most.saturating_mul(BYTES_PER_TOKEN) {
        return text.to_owned();
    }
    let characters = characters(text, model, most);
    match question {
        Some(question) => question.pick(text, characters),
        None => cut(text, characters).to_owned(),
    }
}

/// How many characters of a text make so many tokens, by that of its samples which has the most
/// tokens for its length.
fn characters(text: &str, model: &str, most: usize) -> usize {
    let last = text.len().saturating_sub(SAMPLE_BYTES);
    let starts = [0, last / 2, last];
    let estimates = starts.into_iter().map(|start| {
        let from = text.floor_char_boundary(start);
        let to = text.ceil_char_boundary(start.saturating_add(SAMPLE_BYTES));
        let sample = text.get(from..to).unwrap_or_default();
        let count = usize::try_from(tokens::count(model, sample).tokens).unwrap_or(usize::MAX);
        sample.chars().count().saturating_mul(most) / count.max(1)
    });
    estimates.min().unwrap_or_default().max(1)
}

/// Tokens of prose have more, in whichever writing.
const BYTES_PER_TOKEN: usize = 3;

const SAMPLE_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use patchbay_sdk::testing;

    #[test]
    fn what_is_given_has_no_more_tokens_than_asked() {
        testing::kit();
        let text = "Ten bytes. ".repeat(2000) + "\n\nThe zebra is here.\n\n" + &"End. ".repeat(900);
        let question = Question::new("Where is the zebra?");
        for most in [1, 10, 100, 1000] {
            for question in [None, Some(&question)] {
                let fitted = fit(&text, question, "m", most);
                assert!(
                    usize::try_from(tokens::count("m", &fitted).tokens).unwrap() <= most,
                    "{most}"
                );
                assert!(!fitted.is_empty());
            }
        }
        assert!(fit(&text, Some(&question), "m", 500).contains("The zebra is here."));
        assert_eq!(fit("short", None, "m", 5), "short");
    }

    #[test]
    fn writing_with_more_tokens_to_a_character_is_cut_shorter() {
        testing::kit();
        let text = "plain text ".repeat(1000) + &"字".repeat(4000);
        let fitted = fit(&text, None, "m", 1000);
        assert!(fitted.chars().count() < 1500, "{}", fitted.chars().count());
    }
}
