//! The host, for native tests: a log that is captured, a state map, a clock that stands still, and
//! replies that a test scripts. All of it belongs to the current thread, so tests do not meet. Not
//! compiled into plugins.
//!
//! Most of a plugin is tested by its [`cases`]; [`kit`] is for tests that call hooks themselves.

pub mod cases;
mod cuts;
mod deltas;
mod doubles;
pub(crate) mod host;
mod kit;
mod replay;
mod requests;
mod script;
#[cfg(test)]
mod tests;
mod tools;

#[doc(no_inline)]
pub use cases::{Failures, check};
pub use kit::{Kit, asked, charged, if_failed, kit, sent, stages, unmet};

use crate::Generation;
use crate::log::Level;
use host::SCENE;

/// What a [`Generation`] tells a plugin in a test. Change what matters, keep the rest:
/// `Facts { options: r#"{"k":1}"#.into(), ..Facts::default() }`.
#[derive(Debug, Clone)]
pub struct Facts {
    /// `gen-…`
    pub id: String,
    /// The client's dialect.
    pub surface: String,
    /// The model as the client named it.
    pub model: String,
    /// The hash of the client's key.
    pub key: String,
    /// Name in lower case, and value.
    pub headers: Vec<(String, String)>,
    /// The plugin's options: a JSON object as text.
    pub options: String,
    /// Milliseconds left.
    pub remaining_ms: u32,
    /// Media that the host holds: MIME type and bytes. A medium's number is its index.
    pub media: Vec<(String, Vec<u8>)>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            id: "gen-test".into(),
            surface: "openai-chat".into(),
            model: "test/model".into(),
            key: "test-key".into(),
            headers: Vec::new(),
            options: "{}".into(),
            remaining_ms: 60_000,
            media: Vec::new(),
        }
    }
}

/// A generation with these facts.
pub fn generation(facts: Facts) -> Generation {
    Generation::of(facts)
}

/// What was logged since the last call, with `fields` left out.
pub fn logged() -> Vec<(Level, String)> {
    SCENE.with_borrow_mut(|scene| std::mem::take(&mut scene.lines))
}

/// What was counted since the last call: name and amount. Labels are left out.
pub fn counted() -> Vec<(String, u64)> {
    SCENE.with_borrow_mut(|scene| std::mem::take(&mut scene.counts))
}

/// What was observed since the last call: name and value. Labels are left out.
pub fn observed() -> Vec<(String, f64)> {
    SCENE.with_borrow_mut(|scene| std::mem::take(&mut scene.observations))
}

/// Moves the clocks forward. They begin at 1,700,000,000,000 ms and at 0 ns, and stand still.
pub fn advance_ms(by: u64) {
    SCENE.with_borrow_mut(|scene| scene.elapsed_ms += by);
}

impl Facts {
    pub(crate) fn id(&self) -> String {
        self.id.clone()
    }

    pub(crate) fn surface(&self) -> String {
        self.surface.clone()
    }

    pub(crate) fn model(&self) -> String {
        self.model.clone()
    }

    pub(crate) fn key(&self) -> String {
        self.key.clone()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    pub(crate) fn options(&self) -> String {
        self.options.clone()
    }

    pub(crate) fn remaining_ms(&self) -> u32 {
        self.remaining_ms
    }

    pub(crate) fn media_size(&self, held: u32) -> Option<u64> {
        self.medium(held).and_then(|(_, bytes)| u64::try_from(bytes.len()).ok())
    }

    pub(crate) fn media_mime(&self, held: u32) -> Option<String> {
        self.medium(held).map(|(mime, _)| mime.clone())
    }

    pub(crate) fn media_read(&self, held: u32, offset: u64, length: u32) -> Vec<u8> {
        let bytes = self.medium(held).map_or(&[][..], |(_, bytes)| bytes);
        let (offset, length) = (usize::try_from(offset), usize::try_from(length));
        let rest = bytes.get(offset.unwrap_or(usize::MAX)..).unwrap_or_default();
        rest.get(..length.unwrap_or(usize::MAX).min(rest.len())).unwrap_or_default().to_vec()
    }

    fn medium(&self, held: u32) -> Option<&(String, Vec<u8>)> {
        self.media.get(usize::try_from(held).ok()?)
    }
}
