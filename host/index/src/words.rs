//! From text to the words that are indexed and looked for. Queries and passages go the same way,
//! so no query is ever wrong.

use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, PreTokenizedString, RawTokenizer, Stemmer, TextAnalyzer, Token,
};

use crate::language::Stemming;

/// The words as they are written, but for case and accents. Identifiers stay whole: `set_var` is
/// one word. Chinese and Japanese, which have no spaces, give every two neighbours.
pub(crate) fn exact(text: &str) -> Vec<String> {
    let mut folding = TextAnalyzer::builder(RawTokenizer::default())
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build();
    let mut words = Vec::new();
    for run in text.split(|it: char| !is_inside(it)).filter(|run| run.contains(is_letter)) {
        for word in by_script(run) {
            if word.starts_with(is_unspaced) {
                push_pairs(word, &mut words);
            } else {
                // Accents that are characters of their own go as those on letters do.
                let word = word.replace(is_accent, "");
                push(through(&mut folding, &word), &mut words);
            }
        }
    }
    words
}

/// The words' stems, named by their language, so that languages don't mix. Identifiers are taken
/// apart. Without a stemmer the words are as they are.
pub(crate) fn stems(text: &str, stemming: Option<Stemming>) -> Vec<String> {
    let Some(stemming) = stemming else { return exact(text) };
    let mut stemmer = TextAnalyzer::builder(RawTokenizer::default())
        .filter(LowerCaser)
        .filter(Stemmer::new(stemming.stemmer))
        // After stemming, which knows accents. Questions are often typed without.
        .filter(AsciiFoldingFilter)
        .build();
    let mut words = Vec::new();
    let parts = text.split(|it: char| !is_letter(it) && !is_accent(it));
    for word in parts.filter(|part| part.contains(is_letter)) {
        let stem = through(&mut stemmer, &word.replace(is_accent, ""));
        push(format!("{}:{stem}", stemming.code), &mut words);
    }
    words
}

/// Words in the form in which a field takes them. Only their number and order count.
pub(crate) fn tokens(words: Vec<String>) -> PreTokenizedString {
    let token = |(position, text)| Token { position, text, ..Token::default() };
    let tokens = words.into_iter().enumerate().map(token).collect();
    PreTokenizedString { text: String::new(), tokens }
}

fn push(word: String, words: &mut Vec<String>) {
    if !word.is_empty() && word.len() <= WORD_BYTES_MAX {
        words.push(word);
    }
}

fn through(analyzer: &mut TextAnalyzer, word: &str) -> String {
    let mut stream = analyzer.token_stream(word);
    if stream.advance() { std::mem::take(&mut stream.token_mut().text) } else { String::new() }
}

/// Cuts where writing with spaces and without meet.
fn by_script(run: &str) -> impl Iterator<Item = &str> {
    let mut rest = run;
    std::iter::from_fn(move || {
        let unspaced = is_unspaced(rest.chars().next()?);
        let end = rest.find(|it| is_unspaced(it) != unspaced).unwrap_or(rest.len());
        let (word, behind) = rest.split_at_checked(end)?;
        rest = behind;
        Some(word)
    })
}

fn push_pairs(run: &str, words: &mut Vec<String>) {
    let mut chars = run.chars();
    let Some(mut last) = chars.next() else { return };
    if run.len() == last.len_utf8() {
        words.push(run.to_owned());
    }
    for char in chars {
        words.push([last, char].iter().collect());
        last = char;
    }
}

fn is_inside(char: char) -> bool {
    is_letter(char) || char == '_' || is_accent(char)
}

fn is_letter(char: char) -> bool {
    char.is_alphanumeric()
}

/// Combining marks, as in decomposed text.
fn is_accent(char: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&char)
}

/// Kana and Han.
fn is_unspaced(char: char) -> bool {
    matches!(char, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// Longer ones are data, such as base64, that nobody looks for.
const WORD_BYTES_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identifiers_are_whole_words_and_stems_are_parts() {
        let english = Stemming::of_code("en");
        assert_eq!(exact("std::env::set_var(A)"), ["std", "env", "set_var", "a"]);
        assert_eq!(stems("set_vars running", english), ["en:set", "en:var", "en:run"]);
        assert_eq!(stems("set_vars", None), ["set_vars"]);
    }

    #[test]
    fn accents_and_case_do_not_matter_in_exact_words() {
        assert_eq!(exact("Élève e\u{301}le\u{300}ve ELEVE"), ["eleve", "eleve", "eleve"]);
    }

    #[test]
    fn writing_without_spaces_gives_pairs() {
        assert_eq!(exact("全文検索 Rust言語 字"), ["全文", "文検", "検索", "rust", "言語", "字"]);
    }

    #[test]
    fn languages_are_stemmed_each_in_its_way() {
        let german = |text| stems(text, Stemming::of_code("de"));
        assert_eq!(german("Häuser"), german("Haus"));
        let french = |text| stems(text, Stemming::of_code("fr"));
        assert_eq!(french("préparés"), french("prepare"));
    }

    proptest! {
        #[test]
        fn any_text_gives_words_of_bounded_size(text in any::<String>()) {
            let mut words = exact(&text);
            words.extend(stems(&text, Stemming::of_code("en")));
            prop_assert!(words.iter().all(|word| !word.is_empty() && word.len() <= WORD_BYTES_MAX));
        }
    }
}
