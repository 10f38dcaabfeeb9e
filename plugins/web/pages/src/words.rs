//! The words of a text, as they are compared.

/// Calls `each` with every word: in lower case, without common English endings. Writing without
/// spaces gives every two neighbours. A word that begins with a byte that is not wanted is `None`:
/// texts are long and questions short, so few words need to be looked at.
pub(crate) fn each(text: &str, wants: impl Fn(u8) -> bool, mut each: impl FnMut(Option<&str>)) {
    let mut word = String::new();
    for run in text.split(|it: char| !it.is_alphanumeric()) {
        let Some(first) = run.bytes().next() else { continue };
        if !first.is_ascii() || !run.is_ascii() {
            mixed(run, &mut word, &mut each);
        } else if wants(first.to_ascii_lowercase()) {
            word.push_str(run.get(..run.len().min(WORD_BYTES_MAX)).unwrap_or_default());
            word.make_ascii_lowercase();
            end(&mut word, &mut each);
        } else {
            each(None);
        }
    }
}

/// The words of a run that is not all ASCII.
fn mixed(run: &str, word: &mut String, each: &mut impl FnMut(Option<&str>)) {
    let mut last = None;
    for char in run.chars() {
        if is_unspaced(char) {
            end(word, each);
            if let Some(last) = last.replace(char) {
                word.extend([last, char]);
                each(Some(word));
                word.clear();
            }
        } else {
            last = None;
            if word.len() < WORD_BYTES_MAX {
                word.extend(char.to_lowercase());
            }
        }
    }
    end(word, each);
}

fn end(word: &mut String, each: &mut impl FnMut(Option<&str>)) {
    if !word.is_empty() {
        each(Some(stem(word)));
        word.clear();
    }
}

/// `caches`, `cached` and `caching` are `cach`.
fn stem(word: &str) -> &str {
    if word.len() < 4 || !word.is_ascii() {
        return word;
    }
    let bare = match word.strip_suffix('s') {
        Some(bare) if !bare.ends_with('s') => bare,
        _ => word,
    };
    let short = bare.strip_suffix("ing").or(bare.strip_suffix("ed"));
    let bare = short.filter(|short| short.len() > 2).unwrap_or(bare);
    bare.strip_suffix('e').filter(|short| short.len() > 2).unwrap_or(bare)
}

/// Kana and Han.
fn is_unspaced(char: char) -> bool {
    matches!(char, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// Longer ones are data that nobody asks for.
const WORD_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        super::each(text, |_| true, |word| words.extend(word.map(str::to_owned)));
        words
    }

    #[test]
    fn endings_case_and_marks_do_not_matter() {
        assert_eq!(words("Caches, cached caching CACHE!"), ["cach"; 4]);
        assert_eq!(words("set_var is the class"), ["set", "var", "is", "the", "class"]);
        assert_eq!(words("Élan ÉLAN"), ["élan", "élan"]);
    }

    #[test]
    fn what_is_not_wanted_is_only_counted() {
        let mut words = Vec::new();
        super::each(
            "Ab ba Élan",
            |first| first == b'a',
            |word| words.push(word.map(str::to_owned)),
        );
        assert_eq!(words, [Some("ab".to_owned()), None, Some("élan".to_owned())]);
    }

    #[test]
    fn writing_without_spaces_gives_pairs() {
        assert_eq!(words("全文検索 Rust言語"), ["全文", "文検", "検索", "rust", "言語"]);
    }
}
