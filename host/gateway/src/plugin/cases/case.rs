//! A case, read, and what a replay of it must give.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use wire::{Delta, Request};

use super::answers::{HttpLine, ModelLine, SearchLine};
use super::cuts::by_choice;
use super::decision::Decided;
use super::deltas;
use super::is_object;
use super::replay::Outcome;
use super::requests::RequestLine;
use super::script::Answers;
use super::tools::{ListedLine, StageLine, ToolLine, check_calls, check_told};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Line {
    name: String,
    options: Map<String, Value>,
    request: RequestLine,
    decision: Option<Value>,
    offers: Vec<String>,
    calls: Vec<ToolLine>,
    deltas: Vec<Value>,
    expect: Vec<Value>,
    stop: Option<u16>,
    stop_metadata: Map<String, Value>,
    stages: Option<Vec<StageLine>>,
    charges: BTreeMap<String, u32>,
    passes: bool,
    http: Vec<HttpLine>,
    models: Vec<ModelLine>,
    embeddings: Vec<Vec<f32>>,
    search: Vec<SearchLine>,
    catalog: Vec<ListedLine>,
    secrets: Vec<String>,
    state: BTreeMap<String, String>,
    expect_state: BTreeMap<String, Option<String>>,
}

/// A case.
pub(super) struct Case {
    pub(super) options: Value,
    pub(super) request: Request,
    pub(super) deltas: Vec<Delta>,
    pub(super) answers: Answers,
    pub(super) secrets: Vec<String>,
    pub(super) state: BTreeMap<String, String>,
    pub(super) expect_state: BTreeMap<String, Option<String>>,
    pub(super) calls: Vec<ToolLine>,
    decision: Decided,
    offers: Vec<String>,
    expect: Vec<Delta>,
    stop: Option<u16>,
    stop_metadata: Map<String, Value>,
    stages: Option<Vec<StageLine>>,
    charges: BTreeMap<String, u32>,
    passes: bool,
}

impl Case {
    /// Reads a case's text.
    ///
    /// # Errors
    /// Names what is not as it should be.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if !is_object(text) {
            return Err("a case is a JSON object".to_owned());
        }
        let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if !line.stop_metadata.is_empty() && line.stop.is_none() {
            return Err("`stop_metadata` without `stop`".to_owned());
        }
        if line.deltas.len() > DELTAS_MAX {
            let count = line.deltas.len();
            return Err(format!("{count} deltas; a case may have {DELTAS_MAX}"));
        }
        let models = line.models.into_iter().map(ModelLine::answer);
        let search = line.search.into_iter().map(SearchLine::answer);
        let answers = Answers {
            http: line.http.into_iter().map(HttpLine::answer).collect::<Result<_, _>>()?,
            models: models.collect::<Result<_, _>>()?,
            embeddings: line.embeddings.into(),
            search: search.collect::<Result<_, _>>()?,
            catalog: line.catalog.into_iter().map(ListedLine::listed).collect(),
        };
        Ok(Self {
            options: Value::Object(line.options),
            request: line.request.request()?,
            deltas: deltas::read_all(line.deltas)?,
            answers,
            secrets: line.secrets,
            state: line.state,
            expect_state: line.expect_state,
            decision: Decided::read(line.decision)?,
            offers: line.offers,
            calls: line.calls,
            expect: deltas::read_all(line.expect)?,
            stop: line.stop,
            stop_metadata: line.stop_metadata,
            stages: line.stages,
            charges: line.charges,
            passes: line.passes,
        })
    }

    /// # Errors
    /// Says what differs.
    pub(super) fn compare(&self, outcome: &Outcome) -> Result<(), String> {
        self.decision.check(&outcome.decision)?;
        if outcome.offered != self.offers {
            let (got, wanted) = (&outcome.offered, &self.offers);
            return Err(format!("the tools hook offers {got:?}, not {wanted:?}"));
        }
        check_calls(&self.calls, &outcome.outputs)?;
        check_told(&outcome.told, self.stages.as_deref(), &self.charges)?;
        let stop = outcome.stop.as_ref().map(|rejection| rejection.status);
        if stop != self.stop {
            return Err(format!("stop is {stop:?}, not {:?}", self.stop));
        }
        if let Some(rejection) = &outcome.stop {
            rejection.check(&self.stop_metadata)?;
        }
        if self.passes && outcome.is_changed {
            return Err("a verdict other than pass".to_owned());
        }
        let (got, wanted) = (by_choice(&outcome.deltas), by_choice(&self.expect));
        if self.stop.is_none() && got != wanted {
            return Err(format!("\n  got    {got:?}\n  wanted {wanted:?}"));
        }
        for (key, wanted) in &self.expect_state {
            let got = outcome.state.get(key).and_then(Option::as_deref);
            if got != wanted.as_ref().map(String::as_bytes) {
                let got = got.map(String::from_utf8_lossy);
                return Err(format!("state `{key}` is {got:?}, not {wanted:?}"));
            }
        }
        Ok(())
    }
}

/// Deltas that a case writes down. A batch of them is one piece of work that is not broken off
/// in between, so their number bounds how much the self-test can overrun its time.
const DELTAS_MAX: usize = 1_000;
