//! One replay of a case: a pipeline of the one plugin, as a request has it, with a script in the
//! place of the world.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wire::{Chunk, Delta, Failure, Source};

use super::super::breaker::Breaker;
use super::super::capability::Environment;
use super::super::entries::Entries;
use super::super::fault::Fault;
use super::super::grant::Grants;
use super::super::load::Plugin;
use super::super::outside::Outside;
use super::super::pipeline::{Pipeline, Requested};
use super::super::select::Selected;
use super::super::view::GenerationView;
use super::SURFACE;
use super::case::Case;
use super::decision::{Decision, Rejection};
use super::deltas::plain_delta;
use super::requests::plain_request;
use super::script::{REMAINING_MS, Script, Told};
use super::tools::Output;
use crate::clock;
use crate::config::{self, OnError, PluginSecret, PluginTable, Secret};
use crate::error::Error;

/// What a replay gave.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) decision: Decision,
    /// The functions that the tools hook offers.
    pub(super) offered: Vec<String>,
    /// What the case's calls gave.
    pub(super) outputs: Vec<Output>,
    /// What was reported and charged.
    pub(super) told: Told,
    pub(super) deltas: Vec<Delta>,
    pub(super) stop: Option<Rejection>,
    /// Whether anything but `pass` came back, so that the upstream's bytes are gone.
    pub(super) is_changed: bool,
    /// What is kept then under the keys that the case names.
    pub(super) state: BTreeMap<String, Option<Vec<u8>>>,
}

/// Why a replay has no outcome.
pub(super) enum Broken {
    /// The plugin failed, or called what it should not have.
    Failed(String),
    /// No instance was free.
    Busy,
    /// The self-test took too long.
    TimeUp,
}

/// Replays a case once, beginning anew.
pub(super) async fn run(
    plugin: &Plugin,
    case: &Case,
    batches: Vec<Vec<Delta>>,
    end: Instant,
) -> Result<Outcome, Broken> {
    let environment = environment(plugin, case).map_err(Broken::Failed)?;
    let script = Arc::new(Script::new(&plugin.description.capabilities, &case.answers));
    let double = double(plugin, &environment).map_err(Broken::Failed)?;
    let selected = Selected {
        plugin: Arc::new(double),
        options: Arc::from(case.options.to_string()),
        is_disabled: false,
        shadow: None,
    };
    let pipeline = Pipeline::new(vec![selected], view(case, &script));
    let played = play(pipeline, case, batches, end).await;
    let unmet = match &played {
        Err(Broken::Busy | Broken::TimeUp) => Vec::new(),
        _ => script.unmet(),
    };
    let mut outcome = match played {
        Err(Broken::Failed(why)) => {
            return Err(Broken::Failed([&[why], &unmet[..]].concat().join("\n  ")));
        }
        played => played?,
    };
    if !unmet.is_empty() {
        return Err(Broken::Failed(unmet.join("\n  ")));
    }
    let keys = case.expect_state.keys();
    outcome.told = script.told();
    outcome.state = keys.map(|key| (key.clone(), environment.space.read(key, 0))).collect();
    Ok(outcome)
}

async fn play(
    mut pipeline: Pipeline,
    case: &Case,
    batches: Vec<Vec<Delta>>,
    end: Instant,
) -> Result<Outcome, Broken> {
    let mut request = case.request.clone();
    // Nothing reads these bytes. They are there as long as nobody changes the request.
    request.source = source();
    let mut asked = None;
    let fits = pipeline.check_tools(&request);
    fits.map_err(|error| Broken::Failed(error.failure.message))?;
    let decision = match within(end, pipeline.on_request(request)).await? {
        Ok(Requested::Go(request)) => {
            asked = Some(request.clone());
            match request.source {
                Some(_) => Decision::Pass,
                None => Decision::Replace(Box::new(plain_request(request))),
            }
        }
        Ok(Requested::Answer(deltas, _)) => {
            Decision::Answer(deltas.into_iter().map(plain_delta).collect())
        }
        Err(error) => Decision::Reject(rejection(error)?),
    };
    let mut outputs = Vec::new();
    if let Some(mut request) = asked {
        let failed = |error: Error| Broken::Failed(error.failure.message);
        within(end, pipeline.offer(&mut request)).await?.map_err(failed)?;
        for (number, line) in (1..).zip(&case.calls) {
            let called = within(end, pipeline.call(&line.call(number))).await?;
            outputs.push(Output::of(called.map_err(failed)?));
        }
    }
    let mut outcome = Outcome {
        decision,
        offered: pipeline.offered().map(str::to_owned).collect(),
        outputs,
        told: Told::default(),
        deltas: Vec::new(),
        stop: None,
        is_changed: false,
        state: BTreeMap::new(),
    };
    let mut out = Vec::new();
    let chunks = batches.len();
    for deltas in batches {
        let chunk = Chunk { deltas, source: source() };
        if let Err(error) = within(end, pipeline.push(chunk, &mut out)).await? {
            outcome.stop = Some(rejection(error)?);
            break;
        }
    }
    let untouched = out.iter().filter(|chunk| chunk.source.is_some()).count();
    let before = out.len();
    if outcome.stop.is_none()
        && let Err(error) = within(end, pipeline.finish(&mut out)).await?
    {
        outcome.stop = Some(rejection(error)?);
    }
    outcome.is_changed = untouched < chunks || out.len() > before;
    let deltas = out.into_iter().flat_map(|chunk| chunk.deltas);
    outcome.deltas = deltas.map(plain_delta).collect();
    Ok(outcome)
}

/// Ends a call of the pipeline that waits for longer than the self-test may take. One that does
/// not wait is ended by its own limit.
async fn within<T>(
    end: Instant,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<Result<T, Error>, Broken> {
    if clock::now() >= end {
        return Err(Broken::TimeUp);
    }
    tokio::time::timeout_at(end.into(), call).await.map_err(|_| Broken::TimeUp)
}

/// The plugin's no, or its failure: a plugin that is closed on errors ends the generation with
/// either, and only a failure's metadata ends on the fault.
fn rejection(error: Error) -> Result<Rejection, Broken> {
    let Failure { status, metadata, message, .. } = error.failure;
    match metadata.last() {
        Some((name, fault)) if name == "fault" => {
            let is_busy = fault.read::<String>().is_ok_and(|name| name == Fault::Busy.as_str());
            Err(if is_busy { Broken::Busy } else { Broken::Failed(message) })
        }
        Some((name, _)) if name == "plugin" => Ok(Rejection { status, metadata }),
        _ => Err(Broken::Failed(message)),
    }
}

/// The plugin, in an environment of its own: what it keeps and how it fails is not the served
/// one's. Its failures end the replay, whatever they mean for a request.
fn double(plugin: &Plugin, environment: &Arc<Environment>) -> Result<Plugin, String> {
    let (lane, hooks) = (plugin.lane, plugin.hooks);
    let exports = |name: &str| match name {
        "request-hook" => hooks.request,
        "stream-hook" => hooks.stream,
        "tool-hook" => hooks.tools,
        "audit-hook" => hooks.audit,
        _ => false,
    };
    let entries = Entries::find(&plugin.code, lane, exports).map_err(|it| format!("{it:#}"))?;
    Ok(Plugin {
        description: plugin.description.clone(),
        digest: plugin.digest.clone(),
        generation: plugin.generation,
        hooks,
        lane,
        limits: Arc::clone(&plugin.limits),
        on_error: OnError::Closed,
        breaker: Breaker::new(config::Breaker::default()),
        origin: plugin.origin.clone(),
        bytes: plugin.bytes,
        wasm: Arc::clone(&plugin.wasm),
        compiled_in: plugin.compiled_in,
        schemas: Arc::clone(&plugin.schemas),
        code: plugin.code.clone(),
        entries,
        environment: Arc::clone(environment),
    })
}

/// What the plugin finds: the case's state, and grants for all that it wants.
fn environment(plugin: &Plugin, case: &Case) -> Result<Arc<Environment>, String> {
    let about = &plugin.description;
    let environment = Environment::new(&about.id, &plugin.limits);
    for (key, value) in &case.state {
        if !environment.space.put(key, value.as_bytes()) {
            return Err(format!("state `{key}` does not fit (state_bytes, state_value_bytes)"));
        }
    }
    let secret = |name: &String| {
        let secret = PluginSecret { value: Secret::new("secret"), hosts: Vec::new() };
        (name.clone(), secret)
    };
    let secrets = case.secrets.iter().map(secret).collect();
    let table = PluginTable { secrets, ..PluginTable::default() };
    let wanted = &about.capabilities;
    let grants = Grants::new(&about.id, wanted, wanted, Some(&table))?;
    environment.grants.store(Arc::new(grants));
    Ok(environment)
}

fn view(case: &Case, script: &Arc<Script>) -> GenerationView {
    GenerationView {
        id: "gen-test".to_owned(),
        surface: SURFACE,
        model: case.request.model.clone(),
        key: "test-key".to_owned(),
        headers: Vec::new(),
        deadline: clock::now() + Duration::from_millis(u64::from(REMAINING_MS)),
        outside: Outside::Script(Arc::clone(script)),
        is_shadow: false,
    }
}

fn source() -> Option<Source> {
    Some(Source { dialect: SURFACE, bytes: "{}".into() })
}
