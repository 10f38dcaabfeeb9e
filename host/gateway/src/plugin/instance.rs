//! One plugin at work for one generation: a store of its own with its limits, and the calls into
//! it. A call that fails leaves the store unusable; the pipeline drops it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::{Resource, ResourceAny};

use super::bindings::types::{self, Decision, Interest, Outcome, Verdict};
use super::convert;
use super::cpu::{Polled, Timed};
use super::entries::{In, Lane, StreamGuest};
use super::fault::{self, Failed, Fault};
use super::host::{Generation, State, allow};
use super::load::Plugin;
use super::media::Held;
use super::view::GenerationView;
use crate::clock;

/// A plugin's instance.
pub(super) struct Instance {
    store: Store<State>,
    instance: wasmtime::component::Instance,
    plugin: Arc<Plugin>,
    stream: Option<StreamGuest>,
    polled: Option<Arc<Polled>>,
    /// A call has begun and not ended. If it stays so, the call was given up and the store is of
    /// no use any more.
    is_within: bool,
}

impl Instance {
    /// Takes an instance from the pool.
    pub(super) async fn new(
        plugin: &Arc<Plugin>,
        view: &Arc<GenerationView>,
        options: &Arc<str>,
    ) -> Result<Self, Failed> {
        let polled = (plugin.lane == Lane::Waiting).then(Arc::default);
        let state = State::new(
            Arc::clone(&plugin.environment),
            Arc::clone(&plugin.limits),
            Arc::clone(view),
            Arc::clone(options),
            polled.as_ref(),
        );
        let mut store = state.into_store(plugin.code.engine());
        allow(&mut store, plugin.limits.cpu_ms);
        let made = match &polled {
            None => plugin.code.instantiate(&mut store),
            Some(polled) => {
                within(plugin, view, polled, plugin.code.instantiate_async(&mut store)).await
            }
        };
        match made {
            Ok(instance) => Ok(Self {
                store,
                instance,
                plugin: Arc::clone(plugin),
                stream: None,
                polled,
                is_within: false,
            }),
            Err(error) => Err(explain(&error, &store, plugin)),
        }
    }

    /// Runs the request hook. `held` are the request's inline media, in order; they are lent.
    pub(super) async fn on_request(
        &mut self,
        request: &wire::Request,
        held: &mut Vec<Held>,
    ) -> Result<Decision, Failed> {
        self.store.data_mut().media = std::mem::take(held);
        self.enter();
        let decided =
            convert::lower_request(request, async |lowered| self.call_on_request(lowered).await);
        let decided = decided.await;
        *held = std::mem::take(&mut self.store.data_mut().media);
        self.settle(decided)?.map_err(refused)
    }

    async fn call_on_request(
        &mut self,
        request: types::RequestParam<'_>,
    ) -> wasmtime::Result<Result<Decision, types::PluginError>> {
        let (store, instance) = (&mut self.store, &self.instance);
        match (&self.plugin.entries.request, &self.polled) {
            (Some(In::Pure(entry)), _) => {
                entry.load(&mut *store, instance)?.call_on_request(store, generation(), request)
            }
            (Some(In::Waiting(entry)), Some(polled)) => {
                let guest = entry.load(&mut *store, instance)?;
                let view = Arc::clone(&store.data().view);
                let call = guest.call_on_request(store, generation(), request);
                within(&self.plugin, &view, polled, call).await
            }
            _ => Ok(Ok(Decision::Pass)),
        }
    }

    /// Asks which functions it offers. `asked` are the request's tools that enable it, as they came.
    pub(super) async fn offer(
        &mut self,
        asked: &[&str],
    ) -> Result<Vec<types::FunctionResult>, Failed> {
        self.enter();
        let offered = self.call_offer(asked).await;
        self.settle(offered)?.map_err(refused)
    }

    async fn call_offer(
        &mut self,
        asked: &[&str],
    ) -> wasmtime::Result<Result<Vec<types::FunctionResult>, types::PluginError>> {
        let (store, instance) = (&mut self.store, &self.instance);
        match (&self.plugin.entries.tools, &self.polled) {
            (Some(In::Pure(entry)), _) => {
                entry.load(&mut *store, instance)?.call_offer(store, generation(), asked)
            }
            (Some(In::Waiting(entry)), Some(polled)) => {
                let guest = entry.load(&mut *store, instance)?;
                let view = Arc::clone(&store.data().view);
                let call = guest.call_offer(store, generation(), asked);
                within(&self.plugin, &view, polled, call).await
            }
            _ => Ok(Ok(Vec::new())),
        }
    }

    /// Runs one of its tools.
    pub(super) async fn call(
        &mut self,
        call: types::ToolCallParam<'_>,
    ) -> Result<types::ToolOutput, Failed> {
        self.enter();
        let output = self.call_tool(call).await;
        self.settle(output)?.map_err(refused)
    }

    async fn call_tool(
        &mut self,
        call: types::ToolCallParam<'_>,
    ) -> wasmtime::Result<Result<types::ToolOutput, types::PluginError>> {
        let (store, instance) = (&mut self.store, &self.instance);
        match (&self.plugin.entries.tools, &self.polled) {
            (Some(In::Pure(entry)), _) => {
                entry.load(&mut *store, instance)?.call_call(store, generation(), call)
            }
            (Some(In::Waiting(entry)), Some(polled)) => {
                let guest = entry.load(&mut *store, instance)?;
                let view = Arc::clone(&store.data().view);
                let call = guest.call_call(store, generation(), call);
                within(&self.plugin, &view, polled, call).await
            }
            _ => Err(wasmtime::Error::msg("it has no tools")),
        }
    }

    /// Makes the transformer of a choice and asks what it wants.
    pub(super) async fn transformer(
        &mut self,
        choice: u16,
    ) -> Result<(ResourceAny, Interest), Failed> {
        self.enter();
        let made = self.make_transformer(choice).await;
        self.settle(made)
    }

    async fn make_transformer(&mut self, choice: u16) -> wasmtime::Result<(ResourceAny, Interest)> {
        if self.stream.is_none()
            && let Some(entry) = &self.plugin.entries.stream
        {
            self.stream = Some(entry.load(&mut self.store, &self.instance)?);
        }
        let store = &mut self.store;
        match (&self.stream, &self.polled) {
            (Some(In::Pure(guest)), _) => {
                let calls = guest.transformer();
                let made = calls.call_constructor(&mut *store, generation(), choice)?;
                Ok((made, calls.call_interest(store, made)?))
            }
            (Some(In::Waiting(guest)), Some(polled)) => {
                let view = Arc::clone(&store.data().view);
                let calls = guest.transformer();
                let made = async {
                    let made = calls.call_constructor(&mut *store, generation(), choice).await?;
                    Ok((made, calls.call_interest(store, made).await?))
                };
                within(&self.plugin, &view, polled, made).await
            }
            _ => Err(wasmtime::Error::msg("no stream hook")),
        }
    }

    /// Gives a batch to a transformer.
    pub(super) async fn push(
        &mut self,
        transformer: ResourceAny,
        batch: &[wire::Delta],
    ) -> Result<Verdict, Failed> {
        self.enter();
        let result = match batch {
            // The usual case needs no list on the heap.
            [delta] => self.call_push(transformer, &[convert::lower_delta(delta)]).await,
            _ => {
                let lowered: Vec<_> = batch.iter().map(convert::lower_delta).collect();
                self.call_push(transformer, &lowered).await
            }
        };
        self.settle(result)?.map_err(refused)
    }

    async fn call_push(
        &mut self,
        transformer: ResourceAny,
        batch: &[types::DeltaParam<'_>],
    ) -> wasmtime::Result<Result<Verdict, types::PluginError>> {
        let store = &mut self.store;
        match (&self.stream, &self.polled) {
            (Some(In::Pure(guest)), _) => guest.transformer().call_push(store, transformer, batch),
            (Some(In::Waiting(guest)), Some(polled)) => {
                let view = Arc::clone(&store.data().view);
                let calls = guest.transformer();
                let call = calls.call_push(store, transformer, batch);
                within(&self.plugin, &view, polled, call).await
            }
            _ => Ok(Ok(Verdict::Pass)),
        }
    }

    /// Tells a transformer that its choice ended cleanly.
    pub(super) async fn finish(&mut self, transformer: ResourceAny) -> Result<Verdict, Failed> {
        self.enter();
        let store = &mut self.store;
        let result = match (&self.stream, &self.polled) {
            (Some(In::Pure(guest)), _) => guest.transformer().call_finish(store, transformer),
            (Some(In::Waiting(guest)), Some(polled)) => {
                let view = Arc::clone(&store.data().view);
                let calls = guest.transformer();
                within(&self.plugin, &view, polled, calls.call_finish(store, transformer)).await
            }
            _ => Ok(Ok(Verdict::Pass)),
        };
        self.settle(result)?.map_err(refused)
    }

    /// Runs the audit hook.
    pub(super) async fn on_complete(&mut self, outcome: Outcome<'_>) -> Result<(), Failed> {
        self.enter();
        let result = self.call_on_complete(outcome).await;
        self.settle(result)
    }

    async fn call_on_complete(&mut self, outcome: Outcome<'_>) -> wasmtime::Result<()> {
        let (store, instance) = (&mut self.store, &self.instance);
        match (&self.plugin.entries.audit, &self.polled) {
            (Some(In::Pure(entry)), _) => {
                entry.load(&mut *store, instance)?.call_on_complete(store, generation(), outcome)
            }
            (Some(In::Waiting(entry)), Some(polled)) => {
                let guest = entry.load(&mut *store, instance)?;
                let view = Arc::clone(&store.data().view);
                let call = guest.call_on_complete(store, generation(), outcome);
                within(&self.plugin, &view, polled, call).await
            }
            _ => Ok(()),
        }
    }

    /// Whether a call was given up, as its generation was cut off.
    pub(super) fn is_cut(&self) -> bool {
        self.is_within
    }

    /// Begins a call.
    fn enter(&mut self) {
        self.is_within = true;
        allow(&mut self.store, self.plugin.limits.cpu_ms);
    }

    /// Ends a call, and names what went wrong.
    fn settle<T>(&mut self, result: Result<T, wasmtime::Error>) -> Result<T, Failed> {
        let settled = result.map_err(|error| explain(&error, &self.store, &self.plugin));
        self.store.data_mut().limiter.refused = false;
        self.is_within = false;
        settled
    }
}

/// Bounds a call that may wait, by its own limit and by what the generation has left.
async fn within<T>(
    plugin: &Plugin,
    view: &GenerationView,
    polled: &Arc<Polled>,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> wasmtime::Result<T> {
    let left = view.deadline.saturating_duration_since(clock::now());
    let limit = left.min(Duration::from_millis(plugin.limits.wall_ms));
    let timed = Timed::new(polled, call);
    tokio::time::timeout(limit, timed).await.unwrap_or_else(|_| Err(WallClock.into()))
}

/// A call waited for too long.
#[derive(Debug, Clone, Copy)]
pub(super) struct WallClock;

impl fmt::Display for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the call waited for too long")
    }
}

impl std::error::Error for WallClock {}

fn generation() -> Resource<Generation> {
    Resource::new_borrow(0)
}

fn explain(error: &wasmtime::Error, store: &Store<State>, plugin: &Plugin) -> Failed {
    let state = store.data();
    let fault = Fault::of(error, state.limiter.refused);
    let limits = &plugin.limits;
    let detail = match fault {
        Fault::Timeout if error.is::<WallClock>() => {
            format!("more than {} ms in all (wall_ms)", limits.wall_ms)
        }
        Fault::Timeout => format!("more than {} ms of CPU (cpu_ms)", limits.cpu_ms),
        Fault::Memory => format!("more than {} bytes (memory_bytes)", limits.memory_bytes),
        Fault::Stack => "the call stack is exhausted".to_owned(),
        Fault::Limit => {
            let name = fault::limit_of(error).unwrap_or_default();
            let most = if name == "handles" { limits.handles } else { limits.call_bytes };
            let what = if name == "handles" { "handles" } else { "bytes in one call" };
            format!("more than {most} {what} ({name})")
        }
        Fault::Busy if plugin.lane == Lane::Waiting => {
            "all instances are in use (plugins.instances_max, plugins.waiting_max)".to_owned()
        }
        Fault::Busy => "all instances are in use (plugins.instances_max)".to_owned(),
        // A panic's message arrives through the log, just before the trap.
        _ => {
            let printed = || state.wasi.as_ref().and_then(|wasi| wasi.last_error());
            let told = state.lines.last_error().or_else(printed);
            told.unwrap_or_else(|| error.root_cause().to_string())
        }
    };
    Failed::new(fault, detail)
}

fn refused(error: types::PluginError) -> Failed {
    let (kind, text) = match error {
        types::PluginError::Options(text) => ("options", text),
        types::PluginError::Denied(text) => ("denied", text),
        types::PluginError::Limit(text) => ("limit", text),
        types::PluginError::Upstream(text) => ("upstream", text),
        types::PluginError::Internal(text) => ("internal", text),
    };
    Failed::new(Fault::Error, format!("{kind}: {text}"))
}
