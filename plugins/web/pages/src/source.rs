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
pub struct Sources(Rc<RefCell<Known>>);

#[derive(Debug, Default)]
struct Known {
    all: Vec<Source>,
    by_key: HashMap<String, usize>,
}

impl Sources {
    /// Adds a source; of one that is known, what is new.
    pub fn add(&self, source: &Source) {
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
    pub fn is_empty(&self) -> bool {
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
