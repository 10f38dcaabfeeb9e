//! As much of a page as fits into so many tokens.

use patchbay_sdk::tokens;
use web_pages::{Question, cut};

/// The text if it is short enough, else the passages that fit the question best, or without a
/// question its beginning.
pub(crate) fn fit(text: &str, question: Option<&Question>, model: &str, tokens_max: u32) -> String {
    let most = usize::try_from(tokens_max).unwrap_or(usize::MAX);
    // A token has a byte at least, and rarely more than eight characters.
    if text.len() <= most {
        return text.to_owned();
    }
    let mut characters = most.saturating_mul(CHARS_PER_TOKEN_MAX);
    for _ in 0..TRIES {
        let picked = match question {
            Some(question) => question.pick(text, characters),
            None => cut(text, characters).to_owned(),
        };
        let count = tokens::count(model, &picked).tokens;
        if count <= tokens_max {
            return picked;
        }
        let length = picked.chars().count();
        // Somewhat less than in proportion, so that the next try fits.
        let share = u64::try_from(length).unwrap_or(u64::MAX).saturating_mul(u64::from(tokens_max));
        let next = share / u64::from(count.max(1)) / 20 * 19;
        characters = usize::try_from(next).unwrap_or(most).max(1);
    }
    cut(text, most).to_owned()
}

const CHARS_PER_TOKEN_MAX: usize = 8;

const TRIES: usize = 3;

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
                assert!(tokens::count("m", &fitted).tokens <= most, "{most}");
                assert!(!fitted.is_empty());
            }
        }
        assert!(fit(&text, Some(&question), "m", 500).contains("The zebra is here."));
        assert_eq!(fit("short", None, "m", 5), "short");
    }
}
