//! Runs a plugin's cases. A case is one JSON file:
//!
//! `name`, `options` (an object), `request` (see `requests`), `decision` (`"pass"`, which is also
//! the default, `{"reject": 403}`, `{"answer": [deltas]}` or `{"replace": request}`), `deltas`
//! (what comes, see `deltas`), `expect` (what goes on), `stop` (the status of a stop, instead of
//! going on), `passes` (true: every verdict is `pass`, so that the original bytes go through).
//!
//! Each case is replayed delta by delta, as one batch, with texts cut at every character and with
//! neighbouring texts joined: a plugin must not depend on how a reply was cut.

use super::deltas;
use super::requests::RequestLine;
use super::{Facts, generation};
use crate::{Decision, Delta, Interest, Plugin, ReasoningDelta, Stream, TextDelta, Verdict};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// Runs every case. `folder` is `env!("CARGO_MANIFEST_DIR")`: a file in its `cases/` that `cases`
/// does not list is a failure too.
///
/// # Errors
/// What did not hold, case by case.
pub fn check<P: Plugin>(folder: &str, cases: &[(&str, &str)]) -> Result<(), Failures> {
    let mut failures = unlisted(folder, cases);
    for (path, text) in cases {
        if let Err(failure) = check_one::<P>(text) {
            failures.push(format!("{path}: {failure}"));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Failures(failures)) }
}

/// What did not hold. A test may return it: it prints one case per paragraph.
pub struct Failures(Vec<String>);

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed\n\n{}", self.0.len(), self.0.join("\n\n"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: Option<String>,
    #[serde(default)]
    options: Map<String, Value>,
    #[serde(default)]
    request: RequestLine,
    decision: Option<Value>,
    #[serde(default)]
    deltas: Vec<Value>,
    #[serde(default)]
    expect: Vec<Value>,
    stop: Option<u16>,
    #[serde(default)]
    passes: bool,
}

/// What a replay gave.
#[derive(Default)]
struct Outcome {
    deltas: Vec<Delta>,
    stop: Option<u16>,
    changed: bool,
}

fn unlisted(folder: &str, cases: &[(&str, &str)]) -> Vec<String> {
    let folder = std::path::Path::new(folder).join("cases");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return vec![format!("{} cannot be read", folder.display())];
    };
    let names = entries.flatten().map(|entry| format!("cases/{}", entry.file_name().display()));
    names
        .filter(|name| name.ends_with(".json") && !cases.iter().any(|(path, _)| path == name))
        .map(|name| format!("{name}: not listed in `cases!`"))
        .collect()
}

fn check_one<P: Plugin>(text: &str) -> Result<(), String> {
    let mut case: Case = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let read = |values: Vec<Value>| {
        values.into_iter().map(deltas::read).collect::<Result<Vec<Delta>, String>>()
    };
    let sent = read(std::mem::take(&mut case.deltas))?;
    let expected = read(std::mem::take(&mut case.expect))?;
    let merged = joined(&sent);
    let one = |deltas: &[Delta]| deltas.iter().map(|delta| vec![delta.clone()]).collect::<Vec<_>>();
    let replays = [
        ("delta by delta", one(&sent)),
        ("as one batch", vec![sent.clone()]),
        ("cut at every character", one(&cut(&sent))),
        ("joined", one(&merged)),
        ("joined, as one batch", vec![merged]),
    ];
    for (how, batches) in replays {
        let outcome = replay::<P>(&case, batches).map_err(|error| format!("{how}: {error}"))?;
        let name = case.name.as_deref().unwrap_or_default();
        if outcome.stop != case.stop {
            return Err(format!("{name} ({how}): stop is {:?}, not {:?}", outcome.stop, case.stop));
        }
        if case.passes && outcome.changed {
            return Err(format!("{name} ({how}): a verdict other than pass"));
        }
        let (got, wanted) = (by_choice(&outcome.deltas), by_choice(&expected));
        if case.stop.is_none() && got != wanted {
            return Err(format!("{name} ({how}):\n  got    {got:?}\n  wanted {wanted:?}"));
        }
    }
    Ok(())
}

/// Plays the host: one plugin, a stream per choice, and only deltas of interest go in. What has no
/// choice goes round the plugin.
fn replay<P: Plugin>(case: &Case, batches: Vec<Vec<Delta>>) -> Result<Outcome, String> {
    let options = Value::Object(case.options.clone()).to_string();
    let generation = generation(Facts { options, ..Facts::default() });
    let mut plugin = P::new(&generation).map_err(|error| error.to_string())?;
    let request = case.request.clone().request()?;
    let decision = plugin.on_request(&generation, request).map_err(|error| error.to_string())?;
    check_decision(&decision, case.decision.as_ref())?;
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
        Verdict::Stop(rejection) => outcome.stop = Some(rejection.status),
    }
}

fn check_decision(decision: &Decision, expected: Option<&Value>) -> Result<(), String> {
    let fits = match (decision, expected) {
        (Decision::Pass, None) => true,
        (Decision::Pass, Some(value)) => value == "pass",
        (_, None) => false,
        (Decision::Reject(rejection), Some(value)) => {
            value.get("reject").and_then(Value::as_u64) == Some(rejection.status.into())
        }
        (Decision::Answer(deltas), Some(value)) => {
            let lines = value.get("answer").and_then(Value::as_array).cloned().unwrap_or_default();
            let wanted = lines.into_iter().map(deltas::read).collect::<Result<Vec<_>, _>>()?;
            by_choice(deltas) == by_choice(&wanted)
        }
        (Decision::Replace(request), Some(value)) => {
            let line = value.get("replace").cloned().unwrap_or_default();
            let line: RequestLine =
                serde_json::from_value(line).map_err(|error| error.to_string())?;
            *request == line.request()?
        }
    };
    let wanted = expected.map_or_else(|| "pass".into(), Value::to_string);
    if fits { Ok(()) } else { Err(format!("the decision is {decision:?}, not {wanted}")) }
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

fn cut(deltas: &[Delta]) -> Vec<Delta> {
    let pieces = |delta: &Delta| match delta {
        Delta::Text(TextDelta { choice, text }) if text.chars().count() > 1 => {
            text.chars().map(|character| Delta::text(*choice, character)).collect()
        }
        other => vec![other.clone()],
    };
    deltas.iter().flat_map(pieces).collect()
}

/// Neighbouring texts, and neighbouring thoughts of one block, made one. Empty ones vanish.
fn joined(deltas: &[Delta]) -> Vec<Delta> {
    let mut out: Vec<Delta> = Vec::new();
    for delta in deltas {
        match (out.last_mut(), delta) {
            (_, Delta::Text(TextDelta { text, .. })) if text.is_empty() => {}
            (_, Delta::Reasoning(ReasoningDelta { text, detail: None, .. })) if text.is_empty() => {
            }
            (Some(Delta::Text(last)), Delta::Text(next)) if last.choice == next.choice => {
                last.text.push_str(&next.text);
            }
            (Some(Delta::Reasoning(last)), Delta::Reasoning(next))
                if last.choice == next.choice && last.detail == next.detail =>
            {
                last.text.push_str(&next.text);
            }
            _ => out.push(delta.clone()),
        }
    }
    out
}

/// What one choice's reader sees. How choices interleave, and how texts are cut, does not count.
fn by_choice(deltas: &[Delta]) -> BTreeMap<Option<u16>, Vec<Delta>> {
    let mut choices: BTreeMap<Option<u16>, Vec<Delta>> = BTreeMap::new();
    for delta in deltas {
        choices.entry(delta.choice()).or_default().push(delta.clone());
    }
    choices.into_iter().map(|(choice, deltas)| (choice, joined(&deltas))).collect()
}
