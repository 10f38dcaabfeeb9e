//! Cuts a text in its middle, at a word's border where one is near, and says how much is gone.

use crate::measure::Counter;

/// The text within `limit` tokens, with its size; `tokens` is what the whole makes. Where there is
/// no room for a rest that says something, the mark stands alone.
pub(crate) fn cut(counter: &mut Counter, text: &str, tokens: u64, limit: u64) -> (String, u64) {
    let room = limit.saturating_sub(MARK_TOKENS);
    // Tokens are not spread evenly over a text: what was kept is counted, and if it is too much,
    // less of it is kept.
    let mut bytes = if room < KEPT_TOKENS_MIN { 0 } else { share(text.len(), room, tokens) };
    for _ in 0..TRIES {
        let (head, tail) = ends(text, bytes);
        if head.is_empty() && tail.is_empty() {
            break;
        }
        let kept = counter.text(head).saturating_add(counter.text(tail));
        if kept <= room {
            let gone = tokens.saturating_sub(kept);
            let text = format!("{head}\n\n[… {gone} tokens left out …]\n\n{tail}");
            return (text, kept.saturating_add(MARK_TOKENS));
        }
        bytes = share(bytes, room.saturating_mul(19) / 20, kept);
    }
    (format!("[… {tokens} tokens left out …]"), MARK_TOKENS)
}

/// Beginning and end of a text, each of at most half of so many bytes, without the white space
/// where they were cut.
fn ends(text: &str, bytes: usize) -> (&str, &str) {
    let half = bytes / 2;
    let (head, _) = text.split_at_checked(text.floor_char_boundary(half)).unwrap_or_default();
    let from = text.ceil_char_boundary(text.len().saturating_sub(half));
    let (_, tail) = text.split_at_checked(from).unwrap_or_default();
    (whole_words_before(head), whole_words_after(tail))
}

fn whole_words_before(head: &str) -> &str {
    let near = head.floor_char_boundary(head.len().saturating_sub(WORD_BYTES_MAX));
    let border = head.get(near..).and_then(|near| near.rfind(char::is_whitespace));
    let end = border.map_or(head.len(), |at| near.saturating_add(at));
    head.get(..end).unwrap_or(head).trim_end()
}

fn whole_words_after(tail: &str) -> &str {
    let near = tail.floor_char_boundary(WORD_BYTES_MAX);
    let border = tail.get(..near).and_then(|near| near.find(char::is_whitespace));
    tail.get(border.unwrap_or(0)..).unwrap_or(tail).trim_start()
}

/// `bytes · part / whole`
fn share(bytes: usize, part: u64, whole: u64) -> usize {
    let bytes = u128::try_from(bytes).unwrap_or(0) * u128::from(part);
    usize::try_from(bytes / u128::from(whole.max(1))).unwrap_or(usize::MAX)
}

/// `[… 123456 tokens left out …]` between blank lines; no tokenizer makes more of it.
pub(crate) const MARK_TOKENS: u64 = 16;
/// A rest that is smaller is not worth its place.
const KEPT_TOKENS_MIN: u64 = 16;
/// How far from the cut a word's border is looked for.
const WORD_BYTES_MAX: usize = 48;
const TRIES: usize = 4;

#[cfg(test)]
mod tests {
    use super::{MARK_TOKENS, cut};
    use crate::measure::Counter;

    fn try_cut(text: &str, limit: u64) -> (String, u64) {
        let mut counter = Counter::new("test/model");
        let tokens = counter.text(text);
        cut(&mut counter, text, tokens, limit)
    }

    #[test]
    fn beginning_and_end_stay_in_whole_words() {
        let words: Vec<String> = (0..1000).map(|n| format!("word{n}")).collect();
        let (text, tokens) = try_cut(&words.join(" "), 100);
        assert!(text.starts_with("word0 word1 ") && text.ends_with(" word998 word999"), "{text}");
        let all = |part: &str| part.split(' ').all(|word| words.iter().any(|known| known == word));
        let (head, rest) = text.split_once("\n\n[… ").unwrap();
        let (mark, tail) = rest.split_once(" tokens left out …]\n\n").unwrap();
        assert!(all(head) && all(tail), "{text}");
        assert!(mark.parse::<u64>().unwrap() > 1800);
        assert!(tokens <= 100 && tokens > 70, "{tokens}");
    }

    #[test]
    fn a_text_without_borders_is_cut_between_characters() {
        let (text, tokens) = try_cut(&"漢".repeat(5000), 60);
        assert!(text.starts_with('漢') && text.ends_with('漢'));
        assert!(tokens <= 60);
    }

    #[test]
    fn a_place_too_small_for_a_rest_takes_the_mark_alone() {
        let mark = ("[… 1250 tokens left out …]".to_owned(), MARK_TOKENS);
        assert_eq!(try_cut(&"word ".repeat(1000), MARK_TOKENS + 15), mark);
        assert_eq!(try_cut(&"word ".repeat(1000), 0), mark);
    }

    #[test]
    fn a_text_whose_tokens_are_all_at_its_ends_is_cut_all_the_same() {
        // The counter samples a long text, and here the samples miss what is dense.
        let text = format!("{}{}", "a b c d ".repeat(4000), " ".repeat(400_000));
        let (_, tokens) = try_cut(&text, 1000);
        assert!(tokens <= 1000);
    }
}
