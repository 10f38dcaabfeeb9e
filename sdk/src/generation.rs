//! The generation that a hook runs for. In the sandbox a handle of the host's; natively the facts
//! that a test gave.

use crate::Error;
#[cfg(target_arch = "wasm32")]
use crate::bindings::base::patchbay::plugin::context::Generation as Source;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::Facts as Source;
use serde::de::DeserializeOwned;

/// Facts about the generation. Each call asks the host, so keep what is needed often.
pub struct Generation {
    source: std::mem::ManuallyDrop<Source>,
}

impl Generation {
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn of(facts: Source) -> Self {
        Self { source: std::mem::ManuallyDrop::new(facts) }
    }

    /// The same generation under another borrow. The caller's borrow must outlive it: the handle
    /// is the caller's, and is given back to the host by the caller.
    #[cfg(target_arch = "wasm32")]
    #[expect(unsafe_code, reason = "one handle is seen under two types and dropped under one")]
    pub(crate) fn lent(lender: &Source) -> Self {
        // SAFETY: the handle is live while `lender` is, and `ManuallyDrop` never gives it back.
        Self {
            source: std::mem::ManuallyDrop::new(unsafe { Source::from_handle(lender.handle()) }),
        }
    }

    /// `gen-…`
    pub fn id(&self) -> String {
        self.source.id()
    }

    /// The client's dialect (`openai-chat`).
    pub fn surface(&self) -> String {
        self.source.surface()
    }

    /// The model as the client named it.
    pub fn model(&self) -> String {
        self.source.model()
    }

    /// The hash of the client's key: stable, and not the key.
    pub fn key(&self) -> String {
        self.source.key()
    }

    /// A request header, by lower-case name. Credentials and cookies are never shown.
    pub fn header(&self, name: &str) -> Option<String> {
        self.source.header(name)
    }

    /// This plugin's options for this request. The host has checked them by the schema.
    ///
    /// # Errors
    /// `Error::Options` when `T` does not fit them, which means that `T` and schema differ.
    pub fn options<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.source.options())
            .map_err(|error| Error::Options(error.to_string()))
    }

    /// Wall-clock time that is left for the generation, in milliseconds.
    pub fn remaining_ms(&self) -> u32 {
        self.source.remaining_ms()
    }

    /// The size in bytes of a medium that the host holds ([`MediaData::Held`](crate::MediaData)).
    pub fn media_size(&self, held: u32) -> Option<u64> {
        self.source.media_size(held)
    }

    /// The MIME type of a medium that the host holds.
    pub fn media_mime(&self, held: u32) -> Option<String> {
        self.source.media_mime(held)
    }

    /// A range of its bytes, shortened at its end.
    pub fn media_read(&self, held: u32, offset: u64, length: u32) -> Vec<u8> {
        self.source.media_read(held, offset, length)
    }
}
