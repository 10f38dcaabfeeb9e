//! What plugins may see of a generation beside the request itself.

use std::time::{Duration, Instant};

use super::outside::Outside;
use crate::clock;

/// What plugins may see of a generation.
#[derive(Debug)]
pub(crate) struct GenerationView {
    /// `gen-…`
    pub(crate) id: String,
    /// The client's dialect.
    pub(crate) surface: &'static str,
    /// The model as the client named it.
    pub(crate) model: String,
    /// The hash of the client's key.
    pub(crate) key: String,
    /// Request headers, lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    /// When the generation's time is over.
    pub(crate) deadline: Instant,
    /// What lies outside the sandbox, as this generation reaches it.
    pub(crate) outside: Outside,
    /// Whether what the plugin does must change nothing.
    pub(crate) is_shadow: bool,
}

impl GenerationView {
    /// No generation at all: a plugin is being loaded or tested.
    pub(super) fn of_load(limit: Duration) -> Self {
        Self {
            id: "load".to_owned(),
            surface: "openai-chat",
            model: String::new(),
            key: String::new(),
            headers: Vec::new(),
            deadline: clock::now() + limit,
            outside: Outside::Nothing,
            is_shadow: false,
        }
    }

    /// The same for a version that runs beside the serving one: it sees everything and reaches
    /// nothing, so that nobody pays for it and nothing is done twice.
    pub(super) fn shadow(&self) -> Self {
        Self {
            id: self.id.clone(),
            surface: self.surface,
            model: self.model.clone(),
            key: self.key.clone(),
            headers: self.headers.clone(),
            deadline: self.deadline,
            outside: Outside::Nothing,
            is_shadow: true,
        }
    }

    /// A header that plugins may see.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        if HIDDEN.contains(&name) {
            return None;
        }
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Headers that carry credentials: no plugin sees them, whoever granted what.
const HIDDEN: [&str; 7] = [
    "api-key",
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "x-goog-api-key",
    "set-cookie",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_never_shown() {
        let headers = HIDDEN.iter().chain(&["x-title"]);
        let headers = headers.map(|name| ((*name).to_owned(), "value".to_owned())).collect();
        let view = GenerationView { headers, ..GenerationView::of_load(Duration::ZERO) };
        assert_eq!(view.header("x-title"), Some("value"));
        for name in HIDDEN {
            assert_eq!(view.header(name), None, "{name}");
        }
    }
}
