//! A guard: words that no client may read, wherever in a reply they stand and however it was cut.
//! It is for the tests that try to get round it, and is never shipped.
//!
//! Each thing that a client joins by itself (the text, the thoughts, the refusal, each tool call's
//! arguments) has a window of its own: what comes between two pieces of one of them ends no word.

mod watched;

use patchbay_sdk::{
    Delta, Description, Error, Generation, Interest, Kind, Patterns, Plugin, Rejection, Stream,
    Verdict,
};
use serde::Deserialize;

use watched::{Found, Watched};

/// The plugin, for one generation.
pub struct Censor {
    options: Options,
}

#[derive(Clone, Deserialize)]
struct Options {
    words: Vec<String>,
    #[serde(default)]
    action: Action,
}

/// What becomes of a word.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    /// The reply ends there.
    #[default]
    Stop,
    /// The reply goes on with [`MASK`] in its place.
    Mask,
}

impl Plugin for Censor {
    fn describe() -> Description {
        Description::new("censor", env!("CARGO_PKG_VERSION"), Kind::Guard)
            .summary("Keeps words from the client.")
            .options(include_str!("options.json"))
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()? })
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        let patterns = Patterns::new(self.options.words.clone());
        let watched = Watched::new(choice, patterns);
        Ok(Box::new(Choice { action: self.options.action, watched }))
    }
}

struct Choice {
    action: Action,
    watched: Watched,
}

impl Choice {
    /// What is settled goes on, unless a word was in it and the reply must stop.
    fn verdict(&self, found: Found, out: Vec<Delta>) -> Verdict {
        match found {
            Found::Word if self.action == Action::Stop => Verdict::Stop(Rejection {
                status: 403,
                message: "The reply has a word in it that nobody may read".into(),
                metadata: Vec::new(),
                retry_after_ms: None,
            }),
            _ if out.is_empty() && self.watched.holds() => Verdict::Hold,
            _ => Verdict::Emit(out),
        }
    }
}

impl Stream for Choice {
    fn interest(&self) -> Interest {
        Interest::TEXT
            | Interest::REASONING
            | Interest::TOOL_CALL
            | Interest::REFUSAL
            | Interest::ANNOTATION
            | Interest::IMAGE
            | Interest::AUDIO
            | Interest::OTHER
            | Interest::FINISH
    }

    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        if self.watched.passes(&batch) {
            return Ok(Verdict::Pass);
        }
        let mut out = Vec::with_capacity(batch.len());
        let mut found = Found::Nothing;
        for delta in batch {
            found = found.or(self.watched.take(delta, &mut out));
        }
        Ok(self.verdict(found, out))
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        let mut out = Vec::new();
        let found = self.watched.end(&mut out);
        Ok(self.verdict(found, out))
    }
}

patchbay_sdk::export!(Censor: stream);
patchbay_sdk::cases!["cases/mask.json", "cases/stop.json"];

#[cfg(test)]
mod tests {
    use super::{CASES, Censor};
    use patchbay_sdk::testing::{Failures, check};

    #[test]
    fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
        check::<Censor>(env!("CARGO_MANIFEST_DIR"), CASES)
    }
}
