//! One replay of a case, and what the request hook must have decided.

use super::cases::Case;
use super::cuts::by_choice;
use super::requests::{self, Held, RequestLine};
use super::{Facts, deltas, generation, tools};
use crate::{Decision, Delta, Interest, Plugin, Rejection, Stream, Verdict};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What a replay gave.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) deltas: Vec<Delta>,
    pub(super) stop: Option<Rejection>,
    pub(super) changed: bool,
}

/// Plays the host: one plugin, a stream per choice, and only deltas of interest go in. What has no
/// choice goes round the plugin.
pub(super) fn run<P: Plugin>(case: &Case, batches: Vec<Vec<Delta>>) -> Result<Outcome, String> {
    let (request, media) = case.request.clone().request()?;
    let held = media.clone();
    let (model, options) = (request.model.clone(), case.options.clone());
    let generation = generation(Facts { model, options, media, ..Facts::default() });
    let mut plugin = P::new(&generation).map_err(|error| error.to_string())?;
    let original = request.clone();
    let decision = plugin.on_request(&generation, request).map_err(|error| error.to_string())?;
    case.decision.check(&decision, &held)?;
    match &decision {
        Decision::Pass => tools::play(&mut plugin, &generation, &original, case)?,
        Decision::Replace(replaced) => tools::play(&mut plugin, &generation, replaced, case)?,
        Decision::Answer(_) | Decision::Reject(_) => {}
    }
    let mut streams: BTreeMap<u16, (Box<dyn Stream>, Interest)> = BTreeMap::new();
    let mut outcome = Outcome::default();
    for batch in batches {
        for (choice, run) in runs(batch) {
            let Some(choice) = choice else {
                outcome.deltas.extend(run);
                continue;
            };
            let (stream, interest) = match streams.entry(choice) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let stream = plugin.stream(&generation, choice);
                    let stream = stream.map_err(|error| error.to_string())?;
                    let interest = stream.interest();
                    entry.insert((stream, interest))
                }
            };
            push(stream.as_mut(), *interest, run, &mut outcome)?;
            if outcome.stop.is_some() {
                return Ok(outcome);
            }
        }
    }
    for (stream, _) in streams.values_mut() {
        let verdict = stream.finish().map_err(|error| error.to_string())?;
        settle(verdict, Vec::new(), &mut outcome);
    }
    Ok(outcome)
}

/// One choice's deltas of a batch. What is not wanted keeps its place among what is.
fn push(
    stream: &mut dyn Stream,
    interest: Interest,
    deltas: Vec<Delta>,
    outcome: &mut Outcome,
) -> Result<(), String> {
    let mut wanted = Vec::new();
    let mut flush = |wanted: &mut Vec<Delta>, outcome: &mut Outcome| {
        let run = std::mem::take(wanted);
        if !run.is_empty() && outcome.stop.is_none() {
            let verdict = stream.push(run.clone()).map_err(|error| error.to_string())?;
            settle(verdict, run, outcome);
        }
        Ok::<(), String>(())
    };
    for delta in deltas {
        if interest.contains(delta.interest()) {
            wanted.push(delta);
        } else {
            flush(&mut wanted, outcome)?;
            outcome.deltas.push(delta);
        }
    }
    flush(&mut wanted, outcome)
}

fn settle(verdict: Verdict, run: Vec<Delta>, outcome: &mut Outcome) {
    outcome.changed |= !matches!(verdict, Verdict::Pass);
    match verdict {
        Verdict::Pass => outcome.deltas.extend(run),
        Verdict::Hold => {}
        Verdict::Emit(deltas) => outcome.deltas.extend(deltas),
        Verdict::Stop(rejection) => outcome.stop = Some(rejection),
    }
}

/// Neighbours of one choice.
fn runs(batch: Vec<Delta>) -> Vec<(Option<u16>, Vec<Delta>)> {
    let mut runs: Vec<(Option<u16>, Vec<Delta>)> = Vec::new();
    for delta in batch {
        match runs.last_mut() {
            Some((choice, run)) if *choice == delta.choice() => run.push(delta),
            _ => runs.push((delta.choice(), vec![delta])),
        }
    }
    runs
}

/// What a case says about the decision.
pub(super) enum Decided {
    Pass,
    Reject(u16, Map<String, Value>),
    Answer(Vec<Delta>),
    Replace(Box<RequestLine>),
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
                Ok(Self::Replace(Box::new(request)))
            }
            _ => Err("decision: not exactly one of `reject`, `answer` and `replace`".into()),
        }
    }

    fn check(&self, decision: &Decision, held: &[Held]) -> Result<(), String> {
        let wanted = match (self, decision) {
            (Self::Pass, Decision::Pass) => return Ok(()),
            (Self::Reject(status, metadata), Decision::Reject(it)) if *status == it.status => {
                return check_metadata(it, metadata);
            }
            (Self::Answer(wanted), Decision::Answer(it)) if by_choice(wanted) == by_choice(it) => {
                return Ok(());
            }
            (Self::Replace(line), Decision::Replace(request)) => {
                let (wanted, own) = RequestLine::clone(line).request()?;
                let wanted = requests::resolved(wanted, &own);
                if requests::resolved(request.clone(), held) == wanted {
                    return Ok(());
                }
                format!("to replace it by {wanted:?}")
            }
            (Self::Pass, _) => "pass".into(),
            (Self::Reject(status, _), _) => format!("to reject with {status}"),
            (Self::Answer(wanted), _) => format!("to answer {wanted:?}"),
            (Self::Replace(_), _) => "to replace the request".into(),
        };
        Err(format!("the decision is {decision:?}, not {wanted}"))
    }
}

/// Whether a rejection's metadata has these fields, among others.
pub(super) fn check_metadata(
    rejection: &Rejection,
    wanted: &Map<String, Value>,
) -> Result<(), String> {
    for (name, wanted) in wanted {
        let field = rejection.metadata.iter().find(|field| field.name == *name);
        let got = field.and_then(|field| serde_json::from_str::<Value>(&field.value).ok());
        if got.as_ref() != Some(wanted) {
            return Err(format!("metadata `{name}` is {got:?}, not {wanted}"));
        }
    }
    Ok(())
}
