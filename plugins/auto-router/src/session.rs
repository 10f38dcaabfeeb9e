//! Which model a conversation had before, so that it keeps it: a provider's prompt cache is warm
//! there, and the tone does not change in the middle.

use patchbay_sdk::{Generation, Message, Request, Role, state, warn};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Where a conversation's model is kept.
#[derive(Debug)]
pub(crate) struct Session {
    key: String,
    ttl_ms: u64,
}

impl Session {
    /// The conversation that a request belongs to: by the client's own name for it, or by how it
    /// began. `choice` is what the client asked of the router: another wish is another session.
    pub(crate) fn of(
        generation: &Generation,
        request: &Request,
        choice: &impl Hash,
        ttl_ms: u64,
    ) -> Self {
        let text = |name: &str| request.extra_get::<String>(name).ok().flatten();
        let named = text("session_id")
            .or_else(|| generation.header("x-session-id"))
            .or_else(|| text("prompt_cache_key"))
            .filter(|name| !name.is_empty());
        let mut hasher = DefaultHasher::new();
        request.user.hash(&mut hasher);
        choice.hash(&mut hasher);
        match named {
            Some(name) => name.hash(&mut hasher),
            None => beginning(&request.messages, &mut hasher),
        }
        let key = format!("{}:{:016x}", generation.key(), hasher.finish());
        Self { key, ttl_ms }
    }

    /// The model that the conversation had.
    pub(crate) fn model(&self) -> Option<String> {
        state::get_text(&self.key)
    }

    /// Keeps it, for as long again.
    pub(crate) fn keep(&self, model: &str) {
        if let Err(error) = state::set(&self.key, model.as_bytes(), Some(self.ttl_ms)) {
            warn!("the conversation's model is not kept: {error:?}");
        }
    }
}

/// The first system message and the first message of another kind.
fn beginning(messages: &[Message], hasher: &mut DefaultHasher) {
    let is_system = |message: &&Message| matches!(message.role, Role::System | Role::Developer);
    let system = messages.iter().find(is_system);
    let spoken = messages.iter().find(|message| !is_system(message));
    for message in [system, spoken].into_iter().flatten() {
        message.text().hash(hasher);
    }
}

/// The model that the last answer names: clients may send it back with the message.
pub(crate) fn last_model(messages: &[Message]) -> Option<String> {
    let answers = messages.iter().rev().filter(|message| message.role == Role::Assistant);
    answers.map(|message| message.extra_get::<String>("model").ok().flatten()).next().flatten()
}
