//! A hash over many values, none of which can run into the next.

use sha2::{Digest as _, Sha256};
use std::fmt::{Debug, Display};

/// The hash in the making.
pub(super) struct Digest(Sha256);

impl Digest {
    pub(super) fn new() -> Self {
        Self(Sha256::new())
    }

    /// The length goes before the text, so that no two lists of texts are alike.
    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    pub(super) fn with(mut self, text: &str) -> Self {
        self.text(text);
        self
    }

    pub(super) fn named(&mut self, name: &str, text: &str) {
        self.text(name);
        self.text(text);
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.0.update([u8::from(flag)]);
    }

    pub(super) fn count(&mut self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.0.update(count.to_le_bytes());
    }

    pub(super) fn option(&mut self, value: Option<&impl Display>) {
        self.flag(value.is_some());
        if let Some(value) = value {
            self.text(&value.to_string());
        }
    }

    /// A word of a fixed list.
    pub(super) fn debug(&mut self, word: &impl Debug) {
        self.text(&format!("{word:?}"));
    }

    /// 128 bits in hexadecimal: no two requests meet by chance, nor by effort.
    pub(super) fn end(self) -> String {
        let hash = self.0.finalize();
        hex::encode(hash.get(..16).unwrap_or_default())
    }
}
