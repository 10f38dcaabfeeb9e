//! What was given to the model, by address.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::url;

/// A page that the model was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Its address; of the local index it may be a path.
    pub url: String,
    /// Its title, or something that tells it from others.
    pub title: String,
    /// What the model was given of it.
    pub text: String,
    /// When it was published, as the source says it.
    pub date: Option<String>,
}

/// The sources of one generation, each once, which its hooks and streams share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources(Rc<RefCell<Known>>);

#[derive(Debug, Default)]
struct Known {
    all: Vec<Source>,
    by_key: HashMap<String, usize>,
}

impl Sources {
    /// Adds a source; of one that is known, what is new.
    pub(crate) fn add(&self, source: &Source) {
        let mut known = self.0.borrow_mut();
        let key = url::key(&source.url);
        let index = known.by_key.get(&key).copied();
        match index.and_then(|index| known.all.get_mut(index)) {
            Some(old) if old.text.contains(&source.text) => {}
            Some(old) => {
                old.text.push_str("\n[...]\n");
                old.text.push_str(&source.text);
            }
            None => {
                let next = known.all.len();
                known.by_key.insert(key, next);
                known.all.push(source.clone());
            }
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().all.is_empty()
    }

    /// The source that a link leads to.
    pub(crate) fn of(&self, link: &str) -> Option<Source> {
        let known = self.0.borrow();
        let index = known.by_key.get(&url::key(link))?;
        known.all.get(*index).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Source> {
        self.0.borrow().all.clone()
    }
}

/// Cuts the texts of sources to what a hook may add, which is bounded in bytes: each to its share,
/// where they are too long together with their names.
pub(crate) fn fit_into(sources: &mut [Source], bytes: usize) {
    let names = |source: &Source| source.url.len().saturating_add(NAMES_BYTES);
    let named: usize = sources.iter().map(names).sum();
    let texts: usize = sources.iter().map(|source| source.text.len()).sum();
    let left = bytes.saturating_sub(named);
    if texts > left {
        let share = left / sources.len().max(1);
        for source in sources {
            source.text.truncate(source.text.floor_char_boundary(share));
        }
    }
}

/// What a hook may add to a request that has so many bytes of text, or to a call. A host's limit is
/// 16 times that and 64 KiB.
pub fn room(input: usize) -> usize {
    input.saturating_mul(12).saturating_add(52 << 10)
}

/// A title as it is shown, a date, and what stands around a source.
const NAMES_BYTES: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, text: &str) -> Source {
        Source { url: url.into(), text: text.into(), ..Source::default() }
    }

    #[test]
    fn texts_are_cut_to_their_share_only_where_they_are_too_long_together() {
        let mut sources =
            [of("https://a.example", "zebra"), of("https://b.example", &"ß".repeat(50))];
        let names = 2 * (17 + NAMES_BYTES);
        fit_into(&mut sources, names + 105);
        assert_eq!(sources[1].text.len(), 100);
        fit_into(&mut sources, names + 41);
        assert_eq!((sources[0].text.as_str(), sources[1].text.len()), ("zebra", 20));
        fit_into(&mut [], 0);
    }

    #[test]
    fn a_page_is_one_source_and_what_is_new_of_it_is_added() {
        let sources = Sources::default();
        for text in ["one", "two", "one"] {
            sources.add(&of("https://a.example/x", text));
        }
        sources.add(&of("http://www.a.example/x/", "two"));
        assert_eq!(sources.all(), [of("https://a.example/x", "one\n[...]\ntwo")]);
    }
}
