//! Runs a plugin's cases. A case is one JSON file in the plugin's `cases/`, listed in
//! [`cases!`](crate::cases), which also puts it into the `.wasm`: [`check`] runs it natively, and
//! a host runs the same case when it loads the plugin. Nothing in a case reaches a network.
//!
//! # What goes in and what comes out
//!
//! | field | what | without it |
//! |---|---|---|
//! | `name` | one sentence: what holds | |
//! | `options` | the plugin's options, an object | `{}` |
//! | `request` | what the client asks, see below | a streamed "Hello" to `test/model` |
//! | `decision` | what the request hook decides | `"pass"` |
//! | `offers` | the names of the functions that the tools hook offers | none |
//! | `calls` | what the model calls of those, in order, see below | none |
//! | `deltas` | what the model replies, see below | none |
//! | `expect` | what goes on to the client | nothing |
//! | `stop` | the status that the reply is stopped with, instead of `expect` | it is not stopped |
//! | `stop_metadata` | fields that the stop's metadata has, among others | |
//! | `stages` | what is reported, all of it and in order, see below | anything |
//! | `charges` | what is charged: `{"search": 1}` | nothing |
//! | `passes` | true: every verdict is `pass`, so the original bytes go through | false |
//!
//! **`decision`** is `"pass"`, `{"reject": 403}` (with `"metadata": {…}`: fields that it has, among
//! others), `{"answer": [deltas]}` or `{"replace": request}`.
//!
//! **A request** has `model` (`test/model`), `stream` (true), `messages` (one user's "Hello"), and
//! only where they matter `max_tokens`, `temperature`, `top_p`, `n`, `stop` (a list), `user`,
//! `extra` (an object),
//! `reasoning` (`{"enabled": …, "effort": "low", "max_tokens": …, "exclude": …, "summary": …}`),
//! `tools` (`[{"name": …, "description": …, "parameters": {…}}]`) and `response_format`
//! (`{"type": "text"}`, `{"type": "json_object"}` or
//! `{"type": "json_schema", "name": …, "schema": {…}}`, the name being `reply` if it is left out).
//! A tool with a `type` is no function but stands as it is: `{"type": "openrouter:datetime"}`.
//!
//! **A message** has `role`, `name` and `extra` if they matter, and either `text` or `parts`, a list
//! of `{"text": "…"}`, `{"image_url": "https://…"}`, `{"file": {"url": "https://…"}}`,
//! `{"file": {"mime": "text/csv", "text": "a,b"}}` or with `"base64"` (which the host holds; with a
//! `"name"`, and `"kind": "image"` if it is none of the kind `file`),
//! `{"tool_call": {"id": "a", "name": "f", "arguments": "{}"}}` and
//! `{"tool_result": {"call_id": "a", "text": "…", "is_error": false}}`.
//!
//! **A delta** has one key that says what it is: `{"text": "Hi"}`, `{"reasoning": "Hm"}` (with
//! `"detail": {"kind": "text", …}`), `{"refusal": "No"}`, `{"role": "assistant"}`,
//! `{"tool_call": {"index": 0, "id": "a", "name": "f", "arguments": "{}"}}`, `{"annotation": …}`,
//! `{"image": …}`, `{"audio": …}`, `{"finish": "stop"}` (with `"native"`), `{"usage": {"prompt": 1}}`
//! or `{"other": {"kind": "openai-chat.x", "json": …}}`; and `choice`, which is 0 if it is left out.
//! An `other` without `choice` belongs to the whole reply.
//!
//! **A call** is `{"name": "f", "arguments": {…}, "expect": "what the model is told"}`; `arguments` may
//! be a text that is no JSON, `"is_error": true` says that it is told an error, and without `expect`
//! any text will do.
//!
//! **A stage** is `{"type": "plugin", "name": "web-search", "summary": …, "data": {…}}`, of which
//! `type` and `name` must be there; `data` has these fields, among others.
//!
//! # What the host answers
//!
//! | field | what |
//! |---|---|
//! | `http` | replies by method and URL. The first that fits a request is given out, once |
//! | `models` | what models reply, in the order in which they are asked |
//! | `embeddings` | vectors, `[[0.1, 0.2], …]`, one per input, in order |
//! | `search` | what queries find, in order |
//! | `catalog` | the models that there are, see below |
//! | `secrets` | the names of those that exist: `["EXA_KEY"]` |
//! | `state` | what is kept before: `{"key": "text"}` |
//! | `expect_state` | what is kept then: `{"key": "text", "gone": null}`, among others |
//!
//! **`http`**: `{"method": "GET", "url": "https://…", "status": 200, "headers": {…}}` with
//! `"body": "text"` or `"json": …`; `status` is 200 and the rest empty if left out. The URL is
//! compared whole, without what a secret adds. `{"method": …, "url": …, "error": "timeout"}` fails.
//! Errors are `denied`, `invalid`, `dns`, `connect`, `timeout`, `too-large`, `protocol` and
//! `limit`; a text may follow: `"connect: refused"`.
//!
//! **`models`**: `{"text": "…"}`, with `"model"` if that must be the one that is asked,
//! `"tool_calls": [{"id": "a", "name": "f", "arguments": "{}"}]` and `"cost_nanos"` (0). The reply is
//! one choice, by the provider `test`, without usage; it finishes with `tool_calls` if there are
//! any, else with `stop`. Or `{"error": "denied: no grant"}`; errors are `options`, `denied`,
//! `limit`, `upstream` and `internal`.
//!
//! **`catalog`**: `{"id": "acme/eye", "inputs": ["text", "image"], "context_length": 8192}`, of which `id`
//! must be there; or more fields of `catalog.model` by their names in WIT, with `_` for `-`. Without
//! `inputs` and `outputs` they are texts. A suffix of a name that is asked for stands for nothing.
//!
//! **`search`**: `{"index": "docs", "hits": [{"source": …, "text": …, "title": …, "headings": […],
//! "offset": 0, "score": 1.5}]}`, of which `source` and `text` must be there; or
//! `{"index": "docs", "error": "…"}` as for models. Never more hits than the plugin asked for.
//!
//! A call that nothing here answers fails the case, also when the plugin gets over it; so does an
//! answer that is left over, and a call that the plugin's description does not want. All that it
//! wants is granted. A secret that is not in `secrets` is denied, which fails nothing.
//!
//! The generation is `gen-test`, of the surface `openai-chat`, by the key `test-key`, with the
//! request's model, no headers, and 60,000 ms left. The clock stands still at
//! 1,700,000,000,000 ms. A text has a token for every four bytes begun. Random bytes are some
//! bytes: no case should depend on them.
//!
//! # How it is replayed
//!
//! Each case runs five times, and every time must give the same: delta by delta, as one batch, with
//! texts cut at every character, with neighbouring texts joined, and joined as one batch. A plugin
//! must not depend on how a reply was cut. Each time begins anew: with the plugin's value, the
//! state, and all answers. What differs only in how texts are cut, or how choices interleave, is
//! the same.
//!
//! The request hook is called first. Then the tools hook is asked what it offers, given those of the
//! request's tools that a trigger names, and `calls` are made. Charges have no price. The deltas come whatever it decided. Those outside the plugin's
//! interest, and those of the whole reply, go round it and keep their place. At the end every
//! choice is finished, unless the reply was stopped. The audit hook is not called. A hook that
//! returns an error fails the case.
//!
//! A field that is not written here is refused.

use super::doubles::{Doubles, HttpDouble, ModelDouble, SearchDouble, check_wish};
use super::host::{SCENE, Scene};
use super::replay::{Decided, Outcome};
use super::requests::RequestLine;
use super::script::{HttpLine, ListedLine, ModelLine, SearchLine};
use super::tools::{CallLine, StageLine};
use super::{cuts, deltas, replay};
use crate::catalog::Model;
use crate::{Delta, Description, Plugin};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
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

/// Runs one case, given as its text.
///
/// # Errors
/// What did not hold first.
pub fn check_one<P: Plugin>(text: &str) -> Result<(), String> {
    let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let case = Case::read(line, P::describe())?;
    for (how, batches) in cuts::ways(&case.deltas) {
        case.stage();
        let outcome = replay::run::<P>(&case, batches);
        let mut faults = super::unmet();
        faults.extend(outcome.and_then(|outcome| case.compare(&outcome)).err());
        if !faults.is_empty() {
            return Err(format!("{} ({how}): {}", case.name, faults.join("\n  ")));
        }
    }
    Ok(())
}

/// What did not hold. A test may return it: it prints one case per paragraph.
pub struct Failures(Vec<String>);

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed\n\n{}", self.0.len(), self.0.join("\n\n"))
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Line {
    name: String,
    options: Map<String, Value>,
    request: RequestLine,
    decision: Option<Value>,
    offers: Vec<String>,
    calls: Vec<CallLine>,
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

/// A case, read.
pub(super) struct Case {
    name: String,
    pub(super) options: String,
    pub(super) request: RequestLine,
    pub(super) decision: Decided,
    pub(super) offers: Vec<String>,
    pub(super) calls: Vec<CallLine>,
    /// What enables the plugin.
    pub(super) triggers: Vec<String>,
    deltas: Vec<Delta>,
    expect: Vec<Delta>,
    stop: Option<u16>,
    stop_metadata: Map<String, Value>,
    stages: Option<Vec<StageLine>>,
    charges: BTreeMap<String, u32>,
    passes: bool,
    http: Vec<HttpDouble>,
    models: Vec<ModelDouble>,
    embeddings: Vec<Vec<f32>>,
    search: Vec<SearchDouble>,
    catalog: Vec<Model>,
    secrets: Vec<String>,
    state: BTreeMap<String, String>,
    expect_state: BTreeMap<String, Option<String>>,
    /// The capabilities that the plugin wants.
    wanted: Vec<String>,
}

impl Case {
    fn read(line: Line, about: Description) -> Result<Self, String> {
        if !line.stop_metadata.is_empty() && line.stop.is_none() {
            return Err("`stop_metadata` without `stop`".into());
        }
        about.capabilities.iter().try_for_each(|wish| check_wish(wish))?;
        Ok(Self {
            name: line.name,
            options: Value::Object(line.options).to_string(),
            request: line.request,
            decision: Decided::read(line.decision)?,
            offers: line.offers,
            calls: line.calls,
            triggers: about.triggers,
            deltas: deltas::read_all(line.deltas)?,
            expect: deltas::read_all(line.expect)?,
            stop: line.stop,
            stop_metadata: line.stop_metadata,
            stages: line.stages,
            charges: line.charges,
            passes: line.passes,
            http: line.http.into_iter().map(HttpLine::double).collect::<Result<_, _>>()?,
            models: line.models.into_iter().map(ModelLine::double).collect::<Result<_, _>>()?,
            embeddings: line.embeddings,
            search: line.search.into_iter().map(SearchLine::double).collect::<Result<_, _>>()?,
            catalog: line.catalog.into_iter().map(ListedLine::model).collect(),
            secrets: line.secrets,
            state: line.state,
            expect_state: line.expect_state,
            wanted: about.capabilities,
        })
    }

    /// Begins anew on this thread, with all that the host answers.
    fn stage(&self) {
        let doubles = Doubles {
            http: self.http.clone(),
            models: self.models.iter().cloned().collect(),
            embeddings: self.embeddings.iter().cloned().collect(),
            search: self.search.iter().cloned().collect(),
            catalog: self.catalog.clone(),
            secrets: self.secrets.clone(),
            wanted: Some(self.wanted.clone()),
            ..Doubles::default()
        };
        let mut scene = Scene::default();
        scene.doubles = doubles;
        for (key, value) in &self.state {
            scene.put(key, value.as_bytes(), None);
        }
        SCENE.set(scene);
    }

    fn compare(&self, outcome: &Outcome) -> Result<(), String> {
        let stop = outcome.stop.as_ref().map(|rejection| rejection.status);
        if stop != self.stop {
            return Err(format!("stop is {stop:?}, not {:?}", self.stop));
        }
        if let Some(rejection) = &outcome.stop {
            replay::check_metadata(rejection, &self.stop_metadata)?;
        }
        if self.passes && outcome.changed {
            return Err("a verdict other than pass".into());
        }
        let (got, wanted) = (cuts::by_choice(&outcome.deltas), cuts::by_choice(&self.expect));
        if self.stop.is_none() && got != wanted {
            return Err(format!("\n  got    {got:?}\n  wanted {wanted:?}"));
        }
        self.compare_told()?;
        for (key, wanted) in &self.expect_state {
            let got = crate::state::get(key);
            if got.as_deref() != wanted.as_ref().map(String::as_bytes) {
                let got = got.map(|value| String::from_utf8_lossy(&value).into_owned());
                return Err(format!("state `{key}` is {got:?}, not {wanted:?}"));
            }
        }
        Ok(())
    }

    /// What was reported and charged.
    fn compare_told(&self) -> Result<(), String> {
        let mut charges = BTreeMap::new();
        for (unit, count) in super::charged() {
            *charges.entry(unit).or_insert(0) += count;
        }
        if charges != self.charges {
            return Err(format!("charged is {charges:?}, not {:?}", self.charges));
        }
        let (Some(wanted), got) = (&self.stages, super::stages()) else { return Ok(()) };
        if wanted.len() != got.len() || wanted.iter().zip(&got).any(|(line, it)| !line.fits(it)) {
            return Err(format!("reported is {got:?}, not {wanted:?}"));
        }
        Ok(())
    }
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
