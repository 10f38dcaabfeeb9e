//! What host functions see of the instance that calls them, and the generation as it is shown.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime::{ResourceLimiter, Store};

use super::bindings::{context, types};
use super::capabilities::log::Lines;
use super::capabilities::state::Space;
use super::capabilities::wasi::Wasi;
use super::capability::Environment;
use super::cases;
use super::cpu::{Allowance, Polled};
use super::grant::Grants;
use super::media::Held;
use super::view::GenerationView;
use crate::clock;
use crate::config::PluginLimits;

/// What the guest holds as `generation`. Everything it stands for is in the [`State`]: a store
/// belongs to one generation.
#[expect(unreachable_pub, reason = "the generated code re-exports it")]
pub struct Generation;

/// What host functions see of the instance that calls them.
pub(crate) struct State {
    /// The plugin's identity and its shared quotas.
    pub(super) plugin: Arc<Environment>,
    /// What it may use.
    pub(super) limits: Arc<PluginLimits>,
    /// What it may reach, as it was when the instance was made.
    pub(super) grants: Arc<Grants>,
    /// The generation.
    pub(super) view: Arc<GenerationView>,
    /// This plugin's options.
    pub(super) options: Arc<str>,
    /// The request's inline media, while the request hook runs.
    pub(super) media: Vec<Held>,
    /// Lines this instance may still log.
    pub(super) lines: Lines,
    /// Its key-value store: the plugin's, or one that ends with a shadow.
    pub(super) space: Arc<Space>,
    /// What it used of what lies outside.
    pub(super) used: Used,
    /// What a component for WASI finds; made at its first call.
    pub(super) wasi: Option<Box<Wasi>>,
    /// Its CPU time.
    pub(super) allowance: Allowance,
    /// Its memory.
    pub(super) limiter: Limiter,
}

/// What an instance used of what lies outside the sandbox.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// Requests by `http`.
    pub(super) http_calls: u64,
    /// Calls by `models`.
    pub(super) model_calls: u64,
    /// Their cost.
    pub(super) model_nanos: u64,
    /// Queries by `search`.
    pub(super) searches: u64,
    /// Entries by `report`.
    pub(super) stages: u64,
    /// What is for the client should the generation fail.
    pub(super) if_failed_bytes: usize,
    /// What was charged by `bill`, in nano-dollars.
    pub(super) charge_nanos: u64,
}

impl State {
    /// The state of a new instance. `polled` is there if the plugin may wait.
    pub(super) fn new(
        plugin: Arc<Environment>,
        limits: Arc<PluginLimits>,
        view: Arc<GenerationView>,
        options: Arc<str>,
        polled: Option<&Arc<Polled>>,
    ) -> Self {
        let lines = Lines::new(&limits);
        let limiter = Limiter {
            memory_bytes: as_usize(limits.memory_bytes),
            table_elements: as_usize(limits.table_elements),
            refused: false,
        };
        let space = match view.is_shadow {
            false => Arc::clone(&plugin.space),
            true => {
                let (all, one) = (limits.state_bytes, limits.state_value_bytes);
                Arc::new(Space::new(as_usize(all), as_usize(one)))
            }
        };
        Self {
            space,
            grants: plugin.grants.load_full(),
            plugin,
            limits,
            view,
            options,
            media: Vec::new(),
            lines,
            used: Used::default(),
            wasi: None,
            allowance: polled.map(Allowance::waiting).unwrap_or_default(),
            limiter,
        }
    }

    /// A store that holds its plugin to its limits.
    pub(super) fn into_store(self, engine: &wasmtime::Engine) -> Store<Self> {
        let limits = Arc::clone(&self.limits);
        let mut store = Store::new(engine, self);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().allowance.look()));
        store.set_hostcall_fuel(as_usize(limits.call_bytes));
        store.set_max_component_handles(as_usize(limits.handles));
        store
    }

    fn medium(&self, held: u32) -> Option<&Held> {
        self.media.get(usize::try_from(held).ok()?)
    }
}

/// Gives the next call its CPU time.
pub(super) fn allow(store: &mut Store<State>, cpu_ms: u64) {
    let ticks = store.data_mut().allowance.begin(Duration::from_millis(cpu_ms));
    store.set_epoch_deadline(ticks);
}

/// A limit as a size in memory.
pub(super) fn as_usize(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Denies memory beyond the limit, and remembers that it did.
pub(super) struct Limiter {
    memory_bytes: usize,
    table_elements: usize,
    /// Whether the running call was denied memory.
    pub(super) refused: bool,
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
        let fits = desired <= self.table_elements;
        self.refused |= !fits;
        Ok(fits)
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
        if self.view.outside.script().is_some() {
            return Ok(cases::REMAINING_MS);
        }
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

impl types::Host for State {}
