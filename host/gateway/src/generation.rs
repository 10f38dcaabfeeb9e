//! THE LIFE OF ONE GENERATION: everything between a client's request and its last byte. Read
//! [`generate`] and you know the product; each step is a module of its own.
//!
//! It runs as a task of its own, so that what must happen after the client has left (draining,
//! settling, recording) does not depend on the client's connection.

use std::sync::Arc;

use wire::{Chunk, Delta, Dialect, ErrorType, Failure, Head, Request, Unavailable};

use crate::app::App;
use crate::auth::Caller;
use crate::billing::Hold;
use crate::clock;
use crate::config::catalog::Endpoint;
use crate::error::{Error, Side};
use crate::plugin::{self, GenerationView, Pipeline, Requested, Selected, Signs, Wanted};
use crate::routing::{self, Plan, Step};
use crate::upstream::{Answer, Upstream};

mod calls;
mod client;
mod errand;
mod listed;
mod meter;
mod planned;
mod record;
mod rounds;
mod routed;
mod stop;
mod stream;
mod turn;
mod whole;

use calls::{Calls, Desk};
pub(crate) use client::{Begun, Client, Waiting, pair};
pub(crate) use errand::{Task, serve};
use record::Record;
use rounds::Rounds;
pub(crate) use turn::Turn;

/// What a client asked for, and how.
pub(crate) struct Ask {
    /// `gen-…`
    pub(crate) id: String,
    /// Who asks.
    pub(crate) caller: Arc<Caller>,
    /// The dialect of the surface.
    pub(crate) surface: &'static dyn Dialect,
    /// The canonical request.
    pub(crate) request: Request,
    /// The request's headers.
    pub(crate) headers: http::HeaderMap,
    /// What is kept of it, where the client asked for that.
    pub(crate) turn: Option<Turn>,
    /// Size of the body in bytes: what the worst case is estimated from.
    pub(crate) body_bytes: usize,
}

/// A reply that has begun, with what is needed to bring it to its end.
struct Reply {
    answer: Answer,
    /// Who serves it; none when a plugin answered.
    endpoint: Option<Arc<Endpoint>>,
    pipeline: Pipeline,
    hold: Hold,
    head: Head,
    /// Whether the client asked not to see what the model thought.
    hides_reasoning: bool,
    /// Where plugins run tools: what it takes to ask the model again.
    rounds: Option<Box<Rounds>>,
}

impl Reply {
    /// Takes out of what goes to the client what it asked not to see.
    fn hide(&self, chunks: &mut [Chunk]) {
        if !self.hides_reasoning {
            return;
        }
        for chunk in chunks {
            let before = chunk.deltas.len();
            chunk.deltas.retain(|delta| !matches!(delta, Delta::Reasoning { .. }));
            if chunk.deltas.len() < before {
                chunk.source = None;
            }
        }
    }
}

/// Runs a generation to its end and tells the client, the ledger and the record.
pub(crate) async fn run(app: App, mut ask: Ask, mut client: Client) {
    app.meters.running.increment(1);
    let mut record = Record::begin(&app, &ask);
    let request = std::mem::take(&mut ask.request);
    let result = generate(&app, &ask, request, &mut client, &mut record).await;
    app.meters.running.decrement(1);
    record.count(&app, result.as_ref().err());
    if let Err(mut error) = result {
        record.add_if_failed(&mut error);
        client.fail(error);
    }
}

/// The straight line. The caller is authenticated and within its rate. An error from here is the
/// client's whole reply; once a stream has begun, `stream::run` writes errors into it.
async fn generate(
    app: &App,
    ask: &Ask,
    mut request: Request,
    client: &mut Client,
    record: &mut Record,
) -> Result<(), Error> {
    let requested = routed::asked(&ask.headers, &request);
    let plugins = app.plugins.snapshot();
    let is_suffix = |suffix: &str| plugins.is_suffix(suffix);
    let is_model = |name: &str| plugins.is_model(name);
    let named = routing::name_or(&app.catalog, &request.model, is_suffix, is_model)?;
    let context = listed::context_of(app, &named.id);
    let (suffixes, model) = (named.suffixes.as_slice(), named.id.as_str());
    let signs = Signs { suffixes, model, context, request: &request };
    let triggered = plugins.triggered(&signs, &app.config);
    let wanted = Wanted::of(&ask.id, &request.controls.plugins, &triggered, &ask.caller.plugins);
    let selected = plugins.select(&wanted, &app.config)?;
    let mut pipeline = begin(app, ask, &request, selected, record);
    request.model = named.without_plugins();
    let (request, answered, rounds) = match prepare(app, &mut pipeline, request).await {
        Ok(prepared) => prepared,
        Err(error) => {
            record.keep_failure(app, &error);
            return Err(error);
        }
    };
    let plan = match &answered {
        Some(_) => Ok(Plan::default()),
        None => planned::plan(app, &plugins, &request, is_suffix),
    };
    // Hold first: a stream cannot be un-sent once its first byte has left.
    let held = plan.and_then(|plan| {
        // Plugins may have written more than the client did.
        let bytes = ask.body_bytes.max(plugin::size_of_request(&request));
        let worst = plan.cost_max(&request, bytes, &app.config.billing);
        let hold = app.billing.hold(&ask.id, &ask.caller.hash, worst, clock::unix_ms())?;
        Ok((plan, hold))
    });
    let (plan, hold) = match held {
        Ok(held) => held,
        Err(error) => {
            record.keep_failure(app, &error);
            return Err(error);
        }
    };
    let attempted = match answered {
        Some(answer) => Ok((answer, None)),
        None => {
            let attempted = attempt(app, &plan, &request, client, record).await;
            attempted.map(|(answer, step)| (answer, Some(step)))
        }
    };
    let (answer, endpoint) = match attempted {
        Ok(attempted) => attempted,
        Err(error) => {
            hold.void();
            record.keep_failure(app, &error);
            return Err(error);
        }
    };
    let mut head = record.head(endpoint.as_ref(), &request.model);
    head.custom_tools.clone_from(&request.custom_tools);
    head.metadata = requested.map(|requested| record.routed(&requested, &plan));
    head.memory = ask.turn.as_ref().map(Turn::memory);
    let is_stream = request.stream;
    let hides_reasoning = request.reasoning.as_ref().is_some_and(|reasoning| reasoning.exclude);
    if let Some(step) = &endpoint {
        record.meter.keep(&step.model, request);
    }
    let endpoint = endpoint.map(|step| step.endpoint);
    let reply = Reply { answer, endpoint, pipeline, hold, head, hides_reasoning, rounds };
    match is_stream {
        true => stream::run(app, ask, reply, client, record).await,
        false => whole::run(app, ask, reply, client, record).await,
    }
}

/// The plugins' part before the model is asked: the request that they make of it or their answer,
/// and where they run tools, what it takes to ask again.
async fn prepare(
    app: &App,
    pipeline: &mut Pipeline,
    request: Request,
) -> Result<(Request, Option<Answer>, Option<Box<Rounds>>), Error> {
    pipeline.check_tools(&request)?;
    match pipeline.on_request(request).await? {
        Requested::Go(mut request) => {
            pipeline.offer(&mut request).await?;
            let rounds = Rounds::of(app, pipeline, &request)?;
            Ok((request, None, rounds))
        }
        Requested::Answer(deltas, request) => {
            Ok((request, Some(Answer::of(Chunk::of(deltas))), None))
        }
    }
}

/// Tries one endpoint after another until one answers. When the client leaves, the attempt is
/// dropped at once where that stops the provider's bill; otherwise it is seen through.
async fn attempt<E: Errand>(
    app: &App,
    plan: &Plan,
    errand: &E,
    client: &Client,
    record: &mut Record,
) -> Result<(E::Answer, Step), Error> {
    let mut last = None;
    let mut cut = app.cut();
    for step in &plan.steps {
        let sending = errand.send(&app.upstream, &step.endpoint);
        let result = tokio::select! {
            biased;
            result = sending => result,
            () = client.gone(), if step.endpoint.provider.cancel || E::IS_ALL_OR_NOTHING => return Err(cancelled(record)),
            _ = cut.wait_for(|cut| *cut) => return Err(cut_off()),
        };
        match result {
            Ok(answer) => return Ok((answer, step.clone())),
            Err(error) if error.is_retryable() && !client.is_gone() => {
                record.note_attempt(step, &error);
                app.meters.fallbacks.increment(1);
                last = Some(error);
            }
            Err(error) => {
                record.note_attempt(step, &error);
                last = Some(error);
                break;
            }
        }
    }
    let error = last.unwrap_or_else(|| {
        let message = "No endpoints found that can serve the request.";
        Error::client(ErrorType::NotFound, message).unavailable(Unavailable::NoEndpoints)
    });
    Err(record.with_earlier_attempts(plan.exhausted(error)))
}

/// What an endpoint can be asked.
pub(crate) trait Errand: Sync {
    /// Whether a client that leaves before the answer pays nothing, whatever the provider does.
    const IS_ALL_OR_NOTHING: bool = false;

    /// What it answers.
    type Answer: Send;

    /// One attempt.
    fn send(
        &self,
        upstream: &Upstream,
        endpoint: &Endpoint,
    ) -> impl Future<Output = Result<Self::Answer, Error>> + Send;
}

impl Errand for Request {
    type Answer = Answer;

    async fn send(&self, upstream: &Upstream, endpoint: &Endpoint) -> Result<Answer, Error> {
        upstream.send(endpoint, self).await
    }
}

/// The client left before the reply began; nobody will read this.
fn cancelled(record: &mut Record) -> Error {
    record.cancelled = true;
    let mut failure = Failure::new(ErrorType::Timeout, "The client closed the connection.");
    failure.status = 499;
    Error { failure, side: Side::Client, source: None }
}

/// The generation's time is over.
fn too_late(app: &App) -> Error {
    let total_ms = app.config.upstream.total_ms;
    let message = format!("The generation took longer than {total_ms} ms (upstream.total_ms)");
    Error::client(ErrorType::Timeout, message)
}

/// The gateway stops, and the time to end well is over.
fn cut_off() -> Error {
    let message = "The gateway stopped before the reply ended (server.drain_ms)";
    let failure = Failure::new(ErrorType::ProviderOverloaded, message);
    Error { failure, side: Side::Us, source: None }
}

/// The plugins of a generation, and what they may see and call.
fn begin(
    app: &App,
    ask: &Ask,
    request: &Request,
    selected: Vec<Selected>,
    record: &mut Record,
) -> Pipeline {
    if selected.is_empty() {
        return Pipeline::none();
    }
    let calls = Calls::new(app, ask);
    record.use_plugins(&selected, &calls);
    let outside = app.plugins.outside(Arc::new(Desk(calls)));
    let view = GenerationView {
        is_shadow: false,
        outside,
        id: ask.id.clone(),
        surface: ask.surface.name(),
        model: request.model.clone(),
        key: ask.caller.hash.clone(),
        headers: ask.headers.iter().filter_map(header).collect(),
        deadline: record.deadline,
    };
    Pipeline::new(selected, view)
}

/// A header as text; what is not text is nothing that a plugin could read.
fn header((name, value): (&http::HeaderName, &http::HeaderValue)) -> Option<(String, String)> {
    Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
}
