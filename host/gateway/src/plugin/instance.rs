//! One plugin at work for one generation: a store of its own with its limits, and the calls into
//! it. A call that fails leaves the store unusable; the pipeline drops it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::component::{Resource, ResourceAny};
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};

use super::bindings::{audit_hook, context, request_hook, stream_hook, types};
use super::capabilities::log::Lines;
use super::convert;
use super::engine::TABLE_ELEMENTS_MAX;
use super::fault::{Failed, Fault};
use super::load::Plugin;
use super::media::Held;
use super::view::GenerationView;
use crate::clock;

/// What the guest holds as `generation`. Everything it stands for is in the [`State`]: a store
/// belongs to one generation.
#[expect(unreachable_pub, reason = "the generated code re-exports it")]
pub struct Generation;

/// What host functions see of the instance that calls them.
pub(crate) struct State {
    /// The plugin's identity and its shared quotas.
    pub(super) plugin: Arc<super::capability::Environment>,
    /// The generation.
    pub(super) view: Arc<GenerationView>,
    /// This plugin's options.
    pub(super) options: Arc<str>,
    /// The request's inline media, while the request hook runs.
    pub(super) media: Vec<Held>,
    /// Lines this instance may still log.
    pub(super) lines: Lines,
    /// Its memory.
    limiter: Limiter,
    /// What the running call may use.
    cpu_limit: Duration,
    /// When its time seemed to be up first, and the thread's CPU time then.
    overtime: Option<(Instant, Duration)>,
}

impl State {
    /// The state of a new instance.
    pub(super) fn new(
        plugin: Arc<super::capability::Environment>,
        view: Arc<GenerationView>,
        options: Arc<str>,
        memory_bytes: usize,
    ) -> Self {
        let lines = Lines::new(&plugin);
        let limiter = Limiter { memory_bytes, refused: false };
        Self {
            plugin,
            view,
            options,
            media: Vec::new(),
            lines,
            limiter,
            cpu_limit: Duration::ZERO,
            overtime: None,
        }
    }

    /// A store that holds its plugin to its limits.
    pub(super) fn into_store(self, engine: &wasmtime::Engine) -> Store<Self> {
        let transfer = self.limiter.memory_bytes;
        let mut store = Store::new(engine, self);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(|mut store| Ok(look(store.data_mut())));
        store.set_hostcall_fuel(transfer);
        store.set_max_component_handles(HANDLES_MAX);
        store
    }
}

/// A plugin's instance.
pub(super) struct Instance {
    store: Store<State>,
    instance: wasmtime::component::Instance,
    plugin: Arc<Plugin>,
    stream: Option<stream_hook::Guest>,
}

impl Instance {
    /// Takes an instance from the pool.
    pub(super) fn new(
        plugin: &Arc<Plugin>,
        view: &Arc<GenerationView>,
        options: &Arc<str>,
    ) -> Result<Self, Failed> {
        let environment = Arc::clone(&plugin.environment);
        let (view, options) = (Arc::clone(view), Arc::clone(options));
        let state = State::new(environment, view, options, plugin.limits.memory_bytes);
        let mut store = state.into_store(plugin.code.engine());
        allow(&mut store, plugin.limits.cpu_ms);
        let instance = match plugin.code.instantiate(&mut store) {
            Ok(instance) => instance,
            Err(error) => return Err(explain(&error, &store, plugin)),
        };
        Ok(Self { store, instance, plugin: Arc::clone(plugin), stream: None })
    }

    /// Runs the request hook. `held` are the request's inline media, in order; they are lent.
    pub(super) fn on_request(
        &mut self,
        request: &wire::Request,
        held: &mut Vec<Held>,
    ) -> Result<request_hook::Decision, Failed> {
        let Some(indices) = &self.plugin.entries.request else {
            return Ok(request_hook::Decision::Pass);
        };
        self.store.data_mut().media = std::mem::take(held);
        allow(&mut self.store, self.plugin.limits.cpu_ms);
        let (store, instance) = (&mut self.store, &self.instance);
        let decided = convert::lower_request(request, |lowered| {
            let guest = indices.load(&mut *store, instance)?;
            guest.call_on_request(&mut *store, generation(), lowered)
        });
        *held = std::mem::take(&mut self.store.data_mut().media);
        self.settle(decided)?.map_err(refused)
    }

    /// Makes the transformer of a choice and asks what it wants.
    pub(super) fn transformer(
        &mut self,
        choice: u16,
    ) -> Result<(ResourceAny, stream_hook::Interest), Failed> {
        allow(&mut self.store, self.plugin.limits.cpu_ms);
        let made = self.make_transformer(choice);
        self.settle(made)
    }

    fn make_transformer(
        &mut self,
        choice: u16,
    ) -> Result<(ResourceAny, stream_hook::Interest), wasmtime::Error> {
        if self.stream.is_none()
            && let Some(indices) = &self.plugin.entries.stream
        {
            self.stream = Some(indices.load(&mut self.store, &self.instance)?);
        }
        let guest = self.stream.as_ref().ok_or_else(|| wasmtime::Error::msg("no stream hook"))?;
        let calls = guest.transformer();
        let made = calls.call_constructor(&mut self.store, generation(), choice)?;
        let interest = calls.call_interest(&mut self.store, made)?;
        Ok((made, interest))
    }

    /// Gives a batch to a transformer.
    pub(super) fn push(
        &mut self,
        transformer: ResourceAny,
        batch: &[wire::Delta],
    ) -> Result<stream_hook::Verdict, Failed> {
        let Some(guest) = &self.stream else { return Ok(stream_hook::Verdict::Pass) };
        allow(&mut self.store, self.plugin.limits.cpu_ms);
        let result = match batch {
            // The usual case needs no list on the heap.
            [delta] => {
                let lowered = [convert::lower_delta(delta)];
                guest.transformer().call_push(&mut self.store, transformer, &lowered)
            }
            _ => {
                let lowered: Vec<_> = batch.iter().map(convert::lower_delta).collect();
                guest.transformer().call_push(&mut self.store, transformer, &lowered)
            }
        };
        self.settle(result)?.map_err(refused)
    }

    /// Tells a transformer that its choice ended cleanly.
    pub(super) fn finish(
        &mut self,
        transformer: ResourceAny,
    ) -> Result<stream_hook::Verdict, Failed> {
        let Some(guest) = &self.stream else { return Ok(stream_hook::Verdict::Pass) };
        allow(&mut self.store, self.plugin.limits.cpu_ms);
        let result = guest.transformer().call_finish(&mut self.store, transformer);
        self.settle(result)?.map_err(refused)
    }

    /// Runs the audit hook.
    pub(super) fn on_complete(&mut self, outcome: audit_hook::Outcome<'_>) -> Result<(), Failed> {
        let Some(indices) = &self.plugin.entries.audit else { return Ok(()) };
        allow(&mut self.store, self.plugin.limits.cpu_ms);
        let loaded = indices.load(&mut self.store, &self.instance);
        let result =
            loaded.and_then(|guest| guest.call_on_complete(&mut self.store, generation(), outcome));
        self.settle(result)
    }

    /// Names what went wrong.
    fn settle<T>(&mut self, result: Result<T, wasmtime::Error>) -> Result<T, Failed> {
        let settled = result.map_err(|error| explain(&error, &self.store, &self.plugin));
        self.store.data_mut().limiter.refused = false;
        settled
    }
}

/// Gives the next call its CPU time. A thread's CPU clock costs more to read than a call, so the
/// epoch counts first; [`look`] reads the clock when that says the time is up.
pub(super) fn allow(store: &mut Store<State>, cpu_ms: u32) {
    let state = store.data_mut();
    state.cpu_limit = Duration::from_millis(u64::from(cpu_ms));
    state.overtime = None;
    let ticks = ticks(state.cpu_limit);
    store.set_epoch_deadline(ticks);
}

/// What happens when the epoch says that the time is up. If the thread runs, the plugin used what
/// went by; if the machine is too busy to run it, the plugin has what it did not get.
fn look(state: &mut State) -> UpdateDeadline {
    let (now, cpu) = (clock::now(), clock::thread_cpu());
    let Some((since, cpu_since)) = state.overtime else {
        state.overtime = Some((now, cpu));
        return UpdateDeadline::Continue(1);
    };
    let used = cpu.saturating_sub(cpu_since);
    let runs = used.saturating_mul(2) >= now.duration_since(since);
    match runs || used >= state.cpu_limit {
        true => UpdateDeadline::Interrupt,
        false => UpdateDeadline::Continue(1),
    }
}

/// The epochs in which that much time surely has not passed: a tick takes a little more than its
/// millisecond, and the last two are for looking.
fn ticks(limit: Duration) -> u64 {
    let milliseconds = clock::millis(limit);
    milliseconds.saturating_sub(milliseconds / 8).saturating_sub(1).max(1)
}

fn generation() -> Resource<Generation> {
    Resource::new_borrow(0)
}

fn explain(error: &wasmtime::Error, store: &Store<State>, plugin: &Plugin) -> Failed {
    let state = store.data();
    let fault = Fault::of(error, state.limiter.refused);
    let limits = &plugin.limits;
    let detail = match fault {
        Fault::Timeout => format!("more than {} ms of CPU (cpu_ms)", limits.cpu_ms),
        Fault::Memory => format!("more than {} bytes (memory_bytes_max)", limits.memory_bytes),
        Fault::Stack => "the call stack is exhausted".to_owned(),
        Fault::Busy => "all instances are in use (plugins.instances_max)".to_owned(),
        // A panic's message arrives through the log, just before the trap.
        _ => state.lines.last_error().unwrap_or_else(|| error.root_cause().to_string()),
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

/// Denies memory beyond the limit, and remembers that it did.
struct Limiter {
    memory_bytes: usize,
    refused: bool,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = desired <= self.memory_bytes;
        self.refused |= !fits;
        Ok(fits)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}

impl context::Host for State {}

impl context::HostGeneration for State {
    fn id(&mut self, _: Resource<Generation>) -> wasmtime::Result<String> {
        Ok(self.view.id.clone())
    }

    fn surface(&mut self, _: Resource<Generation>) -> wasmtime::Result<String> {
        Ok(self.view.surface.to_owned())
    }

    fn model(&mut self, _: Resource<Generation>) -> wasmtime::Result<String> {
        Ok(self.view.model.clone())
    }

    fn key(&mut self, _: Resource<Generation>) -> wasmtime::Result<String> {
        Ok(self.view.key.clone())
    }

    fn header(
        &mut self,
        _: Resource<Generation>,
        name: String,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.view.header(&name).map(ToOwned::to_owned))
    }

    fn options(&mut self, _: Resource<Generation>) -> wasmtime::Result<String> {
        Ok(self.options.to_string())
    }

    fn remaining_ms(&mut self, _: Resource<Generation>) -> wasmtime::Result<u32> {
        let left = self.view.deadline.saturating_duration_since(clock::now());
        Ok(u32::try_from(clock::millis(left)).unwrap_or(u32::MAX))
    }

    fn media_size(&mut self, _: Resource<Generation>, held: u32) -> wasmtime::Result<Option<u64>> {
        Ok(self.medium(held).map(Held::size))
    }

    fn media_mime(
        &mut self,
        _: Resource<Generation>,
        held: u32,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.medium(held).map(|held| held.mime.clone()))
    }

    fn media_read(
        &mut self,
        _: Resource<Generation>,
        held: u32,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Vec<u8>> {
        Ok(self.medium(held).map(|held| held.read(offset, length)).unwrap_or_default())
    }

    fn drop(&mut self, _: Resource<Generation>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl State {
    fn medium(&self, held: u32) -> Option<&Held> {
        self.media.get(usize::try_from(held).ok()?)
    }
}

impl types::Host for State {}

/// Handles a guest may hold at once; it needs one generation and a transformer per choice.
const HANDLES_MAX: usize = 1_000;
