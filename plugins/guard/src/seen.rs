//! What was found in one direction, and what is told about it.

use patchbay_sdk::{Rejection, metrics, report};

/// The labels that were found, each once, in order.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) blocked: Vec<String>,
    masked: Vec<String>,
    flagged: Vec<String>,
}

impl Seen {
    pub(crate) fn block(&mut self, label: &str) {
        note(&mut self.blocked, "blocked", label);
    }

    pub(crate) fn mask(&mut self, label: &str) {
        note(&mut self.masked, "masked", label);
    }

    pub(crate) fn flag(&mut self, label: &str) {
        note(&mut self.flagged, "flagged", label);
    }

    /// Keeps the first of what blocks alone: how much else was found by then depends on how the
    /// reply was cut.
    pub(crate) fn keep_first_block(&mut self) {
        self.blocked.truncate(1);
        self.masked.clear();
        self.flagged.clear();
    }

    /// Writes what was found into the client's pipeline metadata, and begins anew.
    pub(crate) fn report(&mut self, direction: &str) {
        let Self { blocked, masked, flagged } = std::mem::take(self);
        if blocked.is_empty() && masked.is_empty() && flagged.is_empty() {
            return;
        }
        let summary = format!(
            "{direction}: {} blocked, {} masked, {} flagged",
            blocked.len(),
            masked.len(),
            flagged.len()
        );
        let mut stage = report::stage("guardrail", "content-filter").summary(&summary);
        stage = stage.data("direction", direction);
        for (name, labels) in [("blocked", blocked), ("masked", masked), ("flagged", flagged)] {
            if !labels.is_empty() {
                stage = stage.data(name, labels);
            }
        }
        stage.send();
    }

    /// The documented refusal of a request with `input` in it.
    pub(crate) fn refuse_request(&self, input: &str) -> Rejection {
        self.rejection("Request").metadata("flagged_input", elided(input))
    }

    /// The refusal that a reply is stopped with. What was found is not told: it was not to leave.
    pub(crate) fn refuse_reply(&self) -> Rejection {
        self.rejection("Response")
    }

    fn rejection(&self, what: &str) -> Rejection {
        let labels = self.blocked.join("], [");
        Rejection::new(403, format!("{what} blocked by content filter: [{labels}]"))
            .metadata("reasons", self.blocked.clone())
            .metadata("patterns", self.blocked.clone())
    }
}

fn note(labels: &mut Vec<String>, counter: &str, label: &str) {
    metrics::count(counter, 1, &[("label", label)]);
    if !labels.iter().any(|known| known == label) {
        labels.push(label.to_owned());
    }
}

/// At most 100 characters, the middle left out.
fn elided(text: &str) -> String {
    let count = text.chars().count();
    if count <= INPUT_CHARACTERS_MAX {
        return text.to_owned();
    }
    let half = INPUT_CHARACTERS_MAX / 2;
    let first = text.chars().take(half);
    let last = text.chars().skip(count - (INPUT_CHARACTERS_MAX - half - 1));
    first.chain(['…']).chain(last).collect()
}

const INPUT_CHARACTERS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::elided;

    #[test]
    fn a_long_input_loses_its_middle_and_keeps_to_a_hundred_characters() {
        assert_eq!(elided("short"), "short");
        assert_eq!(elided(&"é".repeat(100)), "é".repeat(100));
        let long = format!("{}{}", "a".repeat(80), "b".repeat(80));
        assert_eq!(elided(&long), format!("{}…{}", "a".repeat(50), "b".repeat(49)));
    }
}
