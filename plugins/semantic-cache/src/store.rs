//! Where replies are kept: in the plugin's state, each under its scope and question, and per scope a
//! list of its questions, the oldest first.
//!
//! An entry is three lines: when it ends (milliseconds since 1970), the question's vector, the reply
//! as JSON. Entries end by themselves, so a list may name some that are gone. Several generations
//! may write at once: the list is only changed by compare-and-set.

use crate::reply::Reply;
use crate::vector::Vector;
use patchbay_sdk::state::{self, StateError};
use patchbay_sdk::system;

/// What was kept for a question.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) vector: Vector,
    reply: String,
}

/// A scope's replies.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    scope: String,
    ttl_ms: u64,
    entries_max: usize,
}

impl Store {
    /// Those of the scope with this hash.
    pub(crate) fn new(scope: String, ttl_ms: u64, entries_max: usize) -> Self {
        Self { scope, ttl_ms, entries_max }
    }

    /// What was kept for a question.
    pub(crate) fn entry(&self, question: &str) -> Option<Entry> {
        let entry = state::get_text(&self.key(question))?;
        let (until, rest) = entry.split_once('\n')?;
        let (vector, reply) = rest.split_once('\n')?;
        let is_over = until.parse::<u64>().ok()? <= system::unix_ms();
        (!is_over).then_some(())?;
        Some(Entry { vector: Vector::read(vector)?, reply: reply.to_owned() })
    }

    /// The entry nearest to a vector, and how near it is.
    pub(crate) fn nearest(&self, vector: &Vector) -> Option<(Entry, f32)> {
        let list = self.list();
        let entries = questions(&list).filter_map(|question| self.entry(question));
        let near = entries.filter_map(|entry| {
            let similarity = entry.vector.similarity(vector)?;
            Some((entry, similarity))
        });
        near.max_by(|left, right| left.1.total_cmp(&right.1))
    }

    /// Keeps a reply. The oldest of the scope give way; where none is left to give way, it is not
    /// kept: the next one of its kind costs a model's answer again, no more.
    pub(crate) fn keep(&self, question: &str, vector: &Vector, reply: &Reply) -> bool {
        let Ok(reply) = serde_json::to_string(reply) else { return false };
        let until = system::unix_ms().saturating_add(self.ttl_ms);
        let entry = format!("{until}\n{}\n{reply}", vector.write());
        let key = self.key(question);
        self.making_room(question, || {
            state::set(&key, entry.as_bytes(), Some(self.ttl_ms)).map(|()| true)
        }) && self.enlist(question)
    }

    /// Puts a question at the end of the list.
    fn enlist(&self, question: &str) -> bool {
        for _ in 0..TRIES {
            let old = state::get_text(&self.scope);
            let list = old.clone().unwrap_or_default();
            let mut kept: Vec<&str> = questions(&list).filter(|other| *other != question).collect();
            kept.push(question);
            let surplus = kept.len().saturating_sub(self.entries_max);
            let gone: Vec<&str> = kept.drain(..surplus).collect();
            let is_set = self.swap(old.as_deref(), &kept.join(" "));
            if is_set == Ok(true) {
                gone.iter().for_each(|question| state::delete(&self.key(question)));
                return true;
            }
            if is_set.is_err() && !self.drop_oldest(question) {
                break;
            }
        }
        state::delete(&self.key(question));
        false
    }

    /// Writes, and when the plugin's state is full once more after the oldest is gone, and so on.
    fn making_room(&self, question: &str, write: impl Fn() -> Result<bool, StateError>) -> bool {
        loop {
            match write() {
                Ok(is_written) => return is_written,
                Err(StateError::Quota) if self.drop_oldest(question) => {}
                Err(_) => return false,
            }
        }
    }

    /// Forgets the scope's oldest entry but this one, and says whether there was one.
    fn drop_oldest(&self, question: &str) -> bool {
        for _ in 0..TRIES {
            let Some(old) = state::get_text(&self.scope) else { return false };
            let mut kept: Vec<&str> = questions(&old).collect();
            let Some(at) = kept.iter().position(|other| *other != question) else { return false };
            let oldest = kept.remove(at);
            if self.swap(Some(&old), &kept.join(" ")) == Ok(true) {
                state::delete(&self.key(oldest));
                return true;
            }
        }
        false
    }

    fn swap(&self, old: Option<&str>, new: &str) -> Result<bool, StateError> {
        let (old, ttl_ms) = (old.map(str::as_bytes), Some(self.ttl_ms));
        state::compare_and_set(&self.scope, old, new.as_bytes(), ttl_ms)
    }

    fn list(&self) -> String {
        state::get_text(&self.scope).unwrap_or_default()
    }

    fn key(&self, question: &str) -> String {
        format!("{}/{question}", self.scope)
    }
}

impl Entry {
    /// The reply; none if another version of the plugin wrote it otherwise.
    pub(crate) fn reply(&self) -> Option<Reply> {
        serde_json::from_str(&self.reply).ok()
    }
}

fn questions(list: &str) -> impl Iterator<Item = &str> {
    list.split(' ').filter(|question| !question.is_empty())
}

/// How often a list is read anew when others change it at the same time.
const TRIES: usize = 8;

#[cfg(test)]
mod tests {
    use super::{Reply, Store, Vector};
    use patchbay_sdk::{state, testing};

    fn vector() -> Vector {
        Vector::new(&[1.0, 0.5]).unwrap()
    }

    fn reply(text: &str) -> Reply {
        Reply { text: text.into(), ..Reply::default() }
    }

    #[test]
    fn the_oldest_give_way() {
        testing::kit();
        let store = Store::new("s".into(), 1000, 2);
        for question in ["a", "b", "a", "c"] {
            assert!(store.keep(question, &vector(), &reply(question)));
        }
        assert_eq!(state::get_text("s").as_deref(), Some("a c"));
        assert!(store.entry("b").is_none());
        assert_eq!(store.entry("a").unwrap().reply(), Some(reply("a")));
    }

    #[test]
    fn where_room_is_needed_the_oldest_but_the_new_one_goes() {
        testing::kit();
        let store = Store::new("s".into(), 1000, 9);
        for question in ["a", "b"] {
            assert!(store.keep(question, &vector(), &reply(question)));
        }
        assert!(store.drop_oldest("a"));
        assert_eq!(state::get_text("s").as_deref(), Some("a"));
        assert_eq!(state::get("s/b"), None);
        assert!(!store.drop_oldest("a"), "nothing else is left");
    }

    #[test]
    fn what_another_version_wrote_is_nothing() {
        testing::kit();
        let store = Store::new("s".into(), 1000, 2);
        for entry in ["", "x", "9999999999999\nAQ", "9999999999999\n!\n{}", "soon\nAQ\n{}"] {
            state::set("s/a", entry.as_bytes(), None).unwrap();
            assert!(store.entry("a").is_none(), "{entry:?}");
        }
        state::set("s/a", b"9999999999999\nAQ\n[]", None).unwrap();
        assert_eq!(store.entry("a").unwrap().reply(), None);
    }

    #[test]
    fn the_nearest_is_found() {
        testing::kit();
        let store = Store::new("s".into(), 1000, 9);
        for (question, numbers) in [("a", [1.0, 0.0]), ("b", [0.9, 0.1]), ("c", [0.0, 1.0])] {
            assert!(store.keep(question, &Vector::new(&numbers).unwrap(), &reply(question)));
        }
        let (entry, similarity) = store.nearest(&Vector::new(&[0.8, 0.1]).unwrap()).unwrap();
        assert_eq!(entry.reply(), Some(reply("b")));
        assert!(similarity > 0.99);
    }
}
