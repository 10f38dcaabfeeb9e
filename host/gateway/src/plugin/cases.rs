//! The self-test: a plugin's own cases, run in the runtime that serves requests, with answers from
//! the case in the place of the world. The notation is the SDK's, and documented there
//! (`patchbay_sdk::testing::cases`); what a case expects must hold in both.
//!
//! A plugin carries its cases in the custom section `patchbay:cases`, one JSON object after the
//! other. A plugin without any has nothing to prove.

mod answers;
mod case;
mod cuts;
mod decision;
mod deltas;
mod replay;
mod requests;
mod script;
#[cfg(test)]
mod tests;
mod tools;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;
use wasmparser::{Parser, Payload};

use self::case::Case;
use self::replay::{Broken, Outcome};
pub(super) use self::script::{REMAINING_MS, Script, UNIX_MS, count_tokens};
use super::load::{self, LoadError, Origin, Plugin};
use crate::clock;
use crate::config;

/// How one case went.
#[derive(Debug, Clone)]
pub(crate) struct CaseReport {
    /// The case's name.
    pub(crate) name: String,
    /// How often it was replayed.
    pub(crate) replays: usize,
    /// What did not hold first: the replay, and the difference.
    pub(crate) failure: Option<String>,
}

/// Runs the cases that a plugin carries, before it is installed. The shipped ones passed theirs when
/// the program was built, and are not to slow its start down.
///
/// # Errors
/// Names the first case that fails, the replay and the difference.
pub(super) fn check(plugin: &Arc<Plugin>, config: &config::Plugins) -> Result<(), LoadError> {
    let is_shipped = plugin.origin == Origin::Shipped;
    let cases = if is_shipped { Vec::new() } else { embedded(&plugin.wasm)? };
    if cases.is_empty() {
        return Ok(());
    }
    let began = clock::now();
    let reports = run(plugin, &cases, config);
    let failed: Vec<_> =
        reports.iter().filter_map(|it| Some((&it.name, it.failure.as_ref()?))).collect();
    let Some((name, failure)) = failed.first() else {
        let (id, cases) = (&plugin.description.id, reports.len());
        let took_ms = clock::millis(clock::now().duration_since(began));
        tracing::debug!(id, cases, took_ms, "a plugin's own cases hold");
        return Ok(());
    };
    let others = match failed.len() {
        1 => String::new(),
        count => format!(" ({} more fail)", count - 1),
    };
    Err(LoadError::new("self-test", format!("case `{name}` fails {failure}{others}")))
}

/// The cases that a file carries: name and text.
///
/// # Errors
/// When the section is no list of JSON objects, or too long.
pub(crate) fn embedded(wasm: &[u8]) -> Result<Vec<(String, String)>, LoadError> {
    let refused = |reason: String| LoadError::new("self-test", reason);
    let mut section = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| refused(format!("no valid .wasm: {error}")))?;
        let Payload::CustomSection(custom) = payload else { continue };
        if custom.name() != SECTION {
            continue;
        }
        let bytes = section.len().saturating_add(custom.data().len());
        if bytes > SECTION_BYTES_MAX {
            let reason = format!("`{SECTION}` has {bytes} bytes; {SECTION_BYTES_MAX} are allowed");
            return Err(refused(reason));
        }
        section.extend_from_slice(custom.data());
        // Texts of two sections stay two.
        section.push(b'\n');
    }
    let mut cases = Vec::new();
    for text in serde_json::Deserializer::from_slice(&section).into_iter::<&RawValue>() {
        let number = cases.len().saturating_add(1);
        if number > CASES_MAX {
            return Err(refused(format!("`{SECTION}` has more than {CASES_MAX} cases")));
        }
        let broken = |error: serde_json::Error| {
            refused(format!("`{SECTION}`, case {number}: this is no JSON object: {error}"))
        };
        let text = text.map_err(broken)?.get();
        if !is_object(text) {
            return Err(refused(format!("`{SECTION}`, case {number}: this is no JSON object")));
        }
        let Named { name } = serde_json::from_str(text).map_err(broken)?;
        cases.push((name.unwrap_or_else(|| format!("case {number}")), text.to_owned()));
    }
    Ok(cases)
}

/// Runs cases, which are names and texts. What is not done within `self_test_ms` fails.
pub(crate) fn run(
    plugin: &Arc<Plugin>,
    cases: &[(String, String)],
    config: &config::Plugins,
) -> Vec<CaseReport> {
    let limit = Duration::from_millis(config.self_test_ms);
    let reports = load::on_a_thread(|| async {
        // What a plugin counts and logs in its test is nobody's news.
        let _metrics = metrics::set_default_local_recorder(&metrics::NoopRecorder);
        let silence = tracing::Dispatch::none();
        let _log = tracing::dispatcher::set_default(&silence);
        let end = clock::now().checked_add(limit);
        let test = Test { plugin, limit, end: end.unwrap_or_else(clock::now) };
        let mut reports = Vec::with_capacity(cases.len());
        for (name, text) in cases {
            reports.push(test.run(name, text).await);
        }
        Ok(reports)
    });
    reports.unwrap_or_else(|error| {
        let failed = |(name, _): &(String, String)| CaseReport {
            name: name.clone(),
            replays: 0,
            failure: Some(error.reason.clone()),
        };
        cases.iter().map(failed).collect()
    })
}

/// A self-test that is running.
struct Test<'a> {
    plugin: &'a Plugin,
    limit: Duration,
    end: Instant,
}

impl Test<'_> {
    async fn run(&self, name: &str, text: &str) -> CaseReport {
        let mut replays = 0;
        let failure = self.replay_all(text, &mut replays).await.err();
        CaseReport { name: name.to_owned(), replays, failure: failure.map(shorten) }
    }

    async fn replay_all(&self, text: &str, replays: &mut usize) -> Result<(), String> {
        let wrong = |why: String| format!("before it runs: {why}");
        let case = Case::read(text).map_err(wrong)?;
        let Plugin { description, schemas, .. } = self.plugin;
        schemas.check_options(&description.id, &case.options).map_err(wrong)?;
        for (how, batches) in cuts::ways(&case.deltas) {
            let failed = |why: String| format!("({how}): {why}");
            let is_first = *replays == 0;
            let again = is_first.then(|| batches.clone());
            let outcome = self.replay(&case, batches).await.map_err(failed)?;
            *replays += 1;
            if let Some(batches) = again {
                let second = self.replay(&case, batches).await.map_err(failed)?;
                *replays += 1;
                if outcome != second {
                    let why = "nondeterministic: the same replay gave two results";
                    let both = format!("{why}\n  first  {outcome:?}\n  second {second:?}");
                    return Err(failed(both));
                }
            }
            case.compare(&outcome).map_err(failed)?;
        }
        Ok(())
    }

    /// One replay. While the instances are all in use by requests, it waits for one.
    async fn replay(&self, case: &Case, batches: Vec<Vec<wire::Delta>>) -> Result<Outcome, String> {
        loop {
            match replay::run(self.plugin, case, batches.clone(), self.end).await {
                Ok(outcome) => return Ok(outcome),
                Err(Broken::Failed(why)) => return Err(why),
                Err(Broken::Busy) => tokio::time::sleep(BUSY_PAUSE).await,
                Err(Broken::TimeUp) => {
                    let limit = self.limit.as_millis();
                    let setting = "plugins.self_test_ms";
                    return Err(format!("the self-test took longer than {limit} ms ({setting})"));
                }
            }
        }
    }
}

/// Whether JSON is an object: `serde` takes a list for one too.
fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// What every case may begin with.
#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

/// Cuts at a character's edge.
fn shorten(mut text: String) -> String {
    if text.len() > FAILURE_BYTES_MAX {
        text.truncate(text.floor_char_boundary(FAILURE_BYTES_MAX));
        text.push('…');
    }
    text
}

/// Where a `.wasm` keeps its cases.
const SECTION: &str = "patchbay:cases";

/// The dialect of a case's request and reply.
const SURFACE: &str = "openai-chat";

/// Cases are written by hand: the shipped plugins' are a kilobyte each.
const SECTION_BYTES_MAX: usize = 1 << 20;
const CASES_MAX: usize = 500;

/// A difference shows two replies; more than this nobody reads in a log or an error.
const FAILURE_BYTES_MAX: usize = 2_000;

/// Instances live for one generation each, so a full pool has room again soon.
const BUSY_PAUSE: Duration = Duration::from_millis(20);
