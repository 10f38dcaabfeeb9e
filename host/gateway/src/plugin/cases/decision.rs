//! What a case says that the request hook decides.

use serde::Deserialize;
use serde_json::{Map, Value};
use wire::{Delta, FinishReason, Json, Request, Role};

use super::cuts::by_choice;
use super::deltas;
use super::requests::RequestLine;

/// What the request hook decided.
#[derive(Debug, PartialEq)]
pub(super) enum Decision {
    /// Nothing.
    Pass,
    /// No reply at all.
    Reject(Rejection),
    /// The reply, with what the host adds to it.
    Answer(Vec<Delta>),
    /// Another request.
    Replace(Box<Request>),
}

/// A plugin's no.
#[derive(Debug, PartialEq)]
pub(super) struct Rejection {
    /// What the client sees.
    pub(super) status: u16,
    /// Its fields, and those of the host.
    pub(super) metadata: Vec<(String, Json)>,
}

/// What it must have decided.
pub(super) enum Decided {
    Pass,
    Reject(u16, Map<String, Value>),
    Answer(Vec<Delta>),
    Replace(Box<Request>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionLine {
    reject: Option<u16>,
    metadata: Option<Map<String, Value>>,
    answer: Option<Vec<Value>>,
    replace: Option<RequestLine>,
}

impl Decided {
    /// # Errors
    /// Says what is no decision.
    pub(super) fn read(value: Option<Value>) -> Result<Self, String> {
        let Some(value) = value.filter(|value| value != "pass") else { return Ok(Self::Pass) };
        let line: DecisionLine =
            serde_json::from_value(value).map_err(|error| format!("decision: {error}"))?;
        match line {
            DecisionLine { reject: Some(status), metadata, answer: None, replace: None } => {
                Ok(Self::Reject(status, metadata.unwrap_or_default()))
            }
            DecisionLine { reject: None, metadata: None, answer: Some(lines), replace: None } => {
                Ok(Self::Answer(deltas::read_all(lines)?))
            }
            DecisionLine { reject: None, metadata: None, answer: None, replace: Some(request) } => {
                Ok(Self::Replace(Box::new(request.request()?)))
            }
            _ => {
                let say = "decision: not exactly one of `reject`, `answer` and `replace`";
                Err(say.to_owned())
            }
        }
    }

    /// # Errors
    /// Says what was decided instead.
    pub(super) fn check(&self, decision: &Decision) -> Result<(), String> {
        let wanted = match (self, decision) {
            (Self::Pass, Decision::Pass) => return Ok(()),
            (Self::Reject(status, metadata), Decision::Reject(it)) if *status == it.status => {
                return it.check(metadata);
            }
            (Self::Answer(wanted), Decision::Answer(it)) if is_answer(wanted, it) => {
                return Ok(());
            }
            (Self::Replace(wanted), Decision::Replace(it)) if wanted == it => return Ok(()),
            (Self::Pass, _) => "pass".to_owned(),
            (Self::Reject(status, _), _) => format!("to reject with {status}"),
            (Self::Answer(wanted), _) => format!("to answer {wanted:?}"),
            (Self::Replace(wanted), _) => format!("to replace it by {wanted:?}"),
        };
        Err(format!("the decision is {decision:?}, not {wanted}"))
    }
}

/// Whether an answer is the wanted one. The host gives each choice a role and a finish if the
/// plugin did not, so the case need not write them.
fn is_answer(wanted: &[Delta], got: &[Delta]) -> bool {
    let (mut wanted, got) = (by_choice(wanted), by_choice(got));
    for choice in got.keys().copied().flatten() {
        let own = wanted.entry(Some(choice)).or_default();
        if !own.iter().any(|delta| matches!(delta, Delta::Role { .. })) {
            own.insert(0, Delta::Role { choice, role: Role::Assistant });
        }
        if !own.iter().any(|delta| matches!(delta, Delta::Finish { .. })) {
            own.push(Delta::Finish { choice, reason: FinishReason::Stop, native: None });
        }
    }
    wanted == got
}

impl Rejection {
    /// Checks that the metadata has these fields, among others.
    ///
    /// # Errors
    /// Names the field that differs.
    pub(super) fn check(&self, wanted: &Map<String, Value>) -> Result<(), String> {
        for (name, wanted) in wanted {
            let field = self.metadata.iter().find(|(own, _)| own == name);
            let got = field.and_then(|(_, json)| json.read::<Value>().ok());
            if got.as_ref() != Some(wanted) {
                return Err(format!("metadata `{name}` is {got:?}, not {wanted}"));
            }
        }
        Ok(())
    }
}
