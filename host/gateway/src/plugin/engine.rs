//! The engine all plugins share: what WASM may do here, the pool of instances, and the clock that
//! ends calls which take too long.

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::Context;
use wasmtime::component::Linker;
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

use super::capability;
use super::description;
use super::host::{State, as_usize};
use crate::config::Config;

/// Where plugins run: nearly all in the general sandbox, and in one of their own those that may
/// use more memory, so that the places of the others stay small.
pub(super) struct Sandboxes {
    /// For most.
    pub(super) general: Sandbox,
    large: Option<Sandbox>,
}

impl Sandboxes {
    /// Reserves the pools and starts their clocks.
    ///
    /// # Errors
    /// When the system refuses, or a plugin's limits are none.
    pub(super) fn new(config: &Config) -> Result<Self, anyhow::Error> {
        let plugins = &config.plugins;
        let memory_bytes = plugins.limits.memory_bytes;
        let mut largest = memory_bytes;
        for id in config.plugin.keys() {
            let own = description::ceilings(id, config).map_err(anyhow::Error::msg)?;
            largest = largest.max(own.memory_bytes);
        }
        let large = (largest > memory_bytes)
            .then(|| Sandbox::new(plugins.large_instances_max, plugins.waiting_max, largest))
            .transpose()?;
        let general = Sandbox::new(plugins.instances_max, plugins.waiting_max, memory_bytes)?;
        Ok(Self { general, large })
    }

    /// The most memory that any plugin may use, in bytes.
    pub(super) fn memory_bytes_max(&self) -> u64 {
        self.large.as_ref().unwrap_or(&self.general).memory_bytes
    }

    /// The sandbox for a plugin that may use so many bytes of memory.
    pub(super) fn for_memory(&self, bytes: u64) -> &Sandbox {
        match &self.large {
            Some(large) if bytes > self.general.memory_bytes => large,
            _ => &self.general,
        }
    }
}

/// An engine with its pool, and everything that a plugin may import linked.
pub(super) struct Sandbox {
    /// Runs what was compiled.
    pub(super) engine: Engine,
    /// The capabilities.
    pub(super) linker: Linker<State>,
    /// The most that an instance may have.
    memory_bytes: u64,
}

impl Sandbox {
    /// Reserves a pool and starts its clock. Where the address space has no room for the pool,
    /// instances are made on demand: slower, and as safe.
    ///
    /// # Errors
    /// When the system refuses even that.
    fn new(instances_max: u32, waiting_max: u32, memory_bytes: u64) -> Result<Self, anyhow::Error> {
        let pool = pool(instances_max, waiting_max, memory_bytes);
        let engine = match Engine::new(&profile(Some(pool))) {
            Ok(engine) => engine,
            Err(error) => {
                tracing::warn!(
                    %error,
                    instances_max,
                    "no room for the pool of plugin instances; a smaller plugins.instances_max may fit"
                );
                let engine = Engine::new(&profile(None)).map_err(anyhow::Error::from);
                engine.context("the WASM engine does not start")?
            }
        };
        start_clock(&engine)?;
        let linker = capability::linker(&engine)?;
        Ok(Self { engine, linker, memory_bytes })
    }
}

/// An engine that compiles and runs nothing.
///
/// # Errors
/// When the system refuses.
pub(super) fn compiler() -> Result<Engine, anyhow::Error> {
    Engine::new(&profile(None)).map_err(anyhow::Error::from)
}

/// What WASM may do here. What is not needed is off: each feature is something to attack.
fn profile(pool: Option<PoolingAllocationConfig>) -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        .strategy(Strategy::Cranelift)
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_memory64(false)
        .wasm_backtrace_max_frames(NonZeroUsize::new(20))
        .max_wasm_stack(512 << 10)
        .async_stack_size(1 << 20)
        .memory_init_cow(true);
    if let Some(pool) = pool {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

/// One memory per plugin. A wrapped core module counts as three instances (itself and two small
/// ones that connect it), other languages' components as a few more.
fn pool(instances_max: u32, waiting_max: u32, memory_bytes: u64) -> PoolingAllocationConfig {
    let count = instances_max.max(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count)
        .total_core_instances(count.saturating_mul(4))
        .total_memories(count)
        .total_tables(count.saturating_mul(2))
        .max_component_instance_size(256 << 10)
        .max_core_instance_size(256 << 10)
        .max_core_instances_per_component(8)
        .max_memories_per_component(1)
        .total_stacks(count.min(waiting_max))
        .max_tables_per_component(TABLES_MAX)
        .max_memories_per_module(1)
        .max_tables_per_module(2)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(as_usize(memory_bytes))
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(TABLE_KEEP_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Advances the engine's epoch. A call may run until the epoch reaches its deadline, so a tick is
/// how exact CPU limits are. The thread ends with the engine.
fn start_clock(engine: &Engine) -> Result<(), anyhow::Error> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    let thread = std::thread::Builder::new().name("plugin-clock".to_owned());
    thread.spawn(tick).context("the clock of plugins does not start")?;
    Ok(())
}

/// The unit of CPU limits.
const TICK: Duration = Duration::from_millis(1);

/// What a freed place keeps mapped: the pages that nearly every call touches are cleared instead of
/// given back and faulted in again, which on several cores means interrupting each of them. A pool
/// that was full once keeps as much of this for each place as was written to.
const KEEP_RESIDENT_BYTES: usize = 128 << 10;

/// The same for a plugin's table of functions.
const TABLE_KEEP_RESIDENT_BYTES: usize = 16 << 10;

/// Tables of functions in a component.
pub(super) const TABLES_MAX: u32 = 4;

/// Entries in a plugin's table of functions.
pub(super) const TABLE_ELEMENTS_MAX: usize = 20_000;
