//! The words of a text, as they are compared.

/// Calls `each` with every word: in lower case, without common English endings. Writing without
/// spaces gives every two neighbours.
pub(crate) fn each(text: &str, mut each: impl FnMut(&str)) {
    let mut word = String::new();
    let mut last = None;
    for char in text.chars() {
        if is_unspaced(char) {
            end(&mut word, &mut each);
            if let Some(last) = last.replace(char) {
                word.extend([last, char]);
                each(&word);
                word.clear();
            }
            continue;
        }
        last = None;
        if !char.is_alphanumeric() {
            end(&mut word, &mut each);
        } else if word.len() < WORD_BYTES_MAX {
            word.extend(char.to_lowercase());
        }
    }
    end(&mut word, &mut each);
}

fn end(word: &mut String, each: &mut impl FnMut(&str)) {
    if !word.is_empty() {
        each(stem(word));
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
        super::each(text, |word| words.push(word.to_owned()));
        words
    }

    #[test]
    fn endings_case_and_marks_do_not_matter() {
        assert_eq!(words("Caches, cached caching CACHE!"), ["cach"; 4]);
        assert_eq!(words("set_var is the class"), ["set", "var", "is", "the", "class"]);
        assert_eq!(words("Élan ÉLAN"), ["élan", "élan"]);
    }

    #[test]
    fn writing_without_spaces_gives_pairs() {
        assert_eq!(words("全文検索 Rust言語"), ["全文", "文検", "検索", "rust", "言語"]);
    }
}
