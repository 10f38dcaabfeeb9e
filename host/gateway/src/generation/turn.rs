//! A turn that a client asked to keep: what was asked and what was answered, so that a later
//! request can go on from it.

use wire::Memory;

use super::Ask;
use crate::app::App;
use crate::error::Error;
use crate::store::{ResponseRecord, Write};

/// A turn that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The reply's id, as the client will name it.
    pub(crate) id: String,
    /// The turn that it goes on from.
    pub(crate) previous: Option<String>,
    /// What is asked in it: a JSON list of items in the surface's dialect.
    pub(crate) input: String,
    /// How long it is kept, in milliseconds since 1970.
    pub(crate) expires_at_ms: u64,
}

impl Turn {
    /// What its reply says of it.
    pub(super) fn memory(&self) -> Memory {
        Memory { is_kept: true, previous: self.previous.clone() }
    }

    /// Keeps it with its reply. Whoever sees the reply can go on from it.
    ///
    /// # Errors
    /// When the store can't be written.
    pub(super) async fn keep(&self, app: &App, ask: &Ask, body: &[u8]) -> Result<(), Error> {
        let record = ResponseRecord {
            id: self.id.clone(),
            key: ask.caller.hash.clone(),
            previous: self.previous.clone(),
            expires_at_ms: self.expires_at_ms,
            input: self.input.clone(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        app.store.commit(Write::Response(Box::new(record))).await.map_err(Error::us)
    }
}
