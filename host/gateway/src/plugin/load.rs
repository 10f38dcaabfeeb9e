//! From a file's bytes to a plugin that can run: checks, compilation, and its own description.
//! All of it is slow and none of it is on the path of a request.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use wasmtime::Store;
use wasmtime::component::{Component, InstancePre};

use super::bindings::types::Description as Described;
use super::bindings::{about, waiting};
use super::breaker::Breaker;
use super::capability::{self, Environment};
use super::compile::Workshop;
use super::cpu::{Polled, Timed};
use super::description::{self, Description};
use super::engine::{self, Sandbox, Sandboxes, TABLE_ELEMENTS_MAX, TABLES_MAX};
use super::entries::{Entries, Lane};
use super::host::{State, allow};
use super::schemas::Schemas;
use super::view::GenerationView;
use crate::clock;
use crate::config::{Config, OnError, PluginLimits};

/// A plugin that is ready to run. Immutable: a new version is a new one.
pub(crate) struct Plugin {
    /// What it says of itself.
    pub(crate) description: Description,
    /// SHA-256 of the file, in hexadecimal.
    pub(crate) digest: String,
    /// Counts what was installed since the start; later is greater.
    pub(crate) generation: u64,
    /// The hooks it exports.
    pub(crate) hooks: Hooks,
    /// How it runs.
    pub(crate) lane: Lane,
    /// What it may use.
    pub(crate) limits: Arc<PluginLimits>,
    /// What its failure means.
    pub(crate) on_error: OnError,
    /// Whether it fails too often.
    pub(crate) breaker: Breaker,
    /// Where it came from.
    pub(crate) origin: Origin,
    /// Bytes of the file.
    pub(crate) bytes: usize,
    /// The file: what is put back when an operator returns to this version.
    pub(crate) wasm: Arc<[u8]>,
    /// How long it took to compile, or to find compiled.
    pub(crate) compiled_in: Duration,
    /// What it takes.
    pub(super) schemas: Arc<Schemas>,
    /// Compiled and linked.
    pub(super) code: InstancePre<State>,
    /// Where its hooks are.
    pub(super) entries: Entries,
    /// What its instances share.
    pub(super) environment: Arc<Environment>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Description { id, version, .. } = &self.description;
        write!(f, "Plugin({id} {version}, generation {})", self.generation)
    }
}

impl Plugin {
    /// What it may reach: wanted and granted.
    pub(crate) fn granted(&self) -> Vec<String> {
        self.environment.grants.load().granted.clone()
    }

    /// What it wants and was not granted.
    pub(crate) fn missing(&self) -> Vec<String> {
        self.environment.grants.load().missing.clone()
    }

    /// What the operator's table grants or sets and nothing comes of, each with the reason.
    pub(crate) fn idle(&self) -> Vec<String> {
        self.environment.grants.load().idle.clone()
    }
}

impl Plugin {
    /// Says in the log that it is there, and what it will miss.
    pub(super) fn announce(&self) {
        let about = &self.description;
        let id = about.id.as_str();
        for missing in self.missing() {
            let fix = format!("plugin.{id}.grant, or grants.toml in plugins.dir");
            tracing::warn!(id, missing, fix, "a plugin wants what it was not granted");
        }
        for idle in self.idle() {
            tracing::warn!(id, "nothing comes of {idle}");
        }
        let (version, kind) = (about.version.as_str(), about.kind.as_str());
        let (origin, digest) = (self.origin.as_str(), self.digest.as_str());
        tracing::info!(id, version, kind, origin, digest, "plugin installed");
    }
}

/// Which hooks a plugin exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hooks {
    /// Before the model is asked.
    pub(crate) request: bool,
    /// Inside the reply.
    pub(crate) stream: bool,
    /// Tools of its own.
    pub(crate) tools: bool,
    /// After the fact.
    pub(crate) audit: bool,
}

impl Hooks {
    /// Their names, in the order in which they run.
    pub(crate) fn names(self) -> Vec<&'static str> {
        let all = [
            ("request", self.request),
            ("tools", self.tools),
            ("stream", self.stream),
            ("audit", self.audit),
        ];
        all.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect()
    }
}

/// Where a plugin came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Built into the program.
    Shipped,
    /// A file in the watched folder.
    Dir(PathBuf),
    /// The management API.
    Upload,
}

impl Origin {
    /// The name in the management API.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Dir(_) => "dir",
            Self::Upload => "upload",
        }
    }
}

/// Why a file was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadError {
    /// How far it got: `read`, `size`, `wrap`, `compile`, `exports`, `imports`, `resources`, `link`,
    /// `describe`, `description`, `options` (the operator's do not fit it), `grant`, `self-test` (a
    /// case of its own fails); `write` and `grants` when the folder is at fault; or `find` when there
    /// is no such plugin.
    pub(crate) step: &'static str,
    /// What is wrong, and what to do.
    pub(crate) reason: String,
}

impl LoadError {
    /// A refusal at a step.
    pub(super) fn new(step: &'static str, reason: impl Into<String>) -> Self {
        Self { step, reason: reason.into() }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused at `{}`: {}", self.step, self.reason)
    }
}

impl std::error::Error for LoadError {}

/// The name of a file's content.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What a plugin is loaded with.
pub(super) struct Loader<'a> {
    /// Compiles.
    pub(super) workshop: &'a Workshop,
    /// Where it runs.
    pub(super) sandboxes: &'a Sandboxes,
    /// Ceilings and the operator's word on each plugin.
    pub(super) config: &'a Config,
}

impl Loader<'_> {
    /// Checks, compiles and asks for the description. `environment` gives what is shared by all
    /// versions of the plugin with that id.
    ///
    /// # Errors
    /// Names the step and the fix.
    pub(super) fn load(
        &self,
        bytes: &[u8],
        origin: Origin,
        generation: u64,
        environment: &dyn Fn(&str, &PluginLimits) -> Arc<Environment>,
    ) -> Result<Plugin, LoadError> {
        let digest = digest(bytes);
        let began = clock::now();
        let artefact = self.workshop.compile(bytes, &digest)?;
        let compiled_in = clock::now().duration_since(began);
        // Looked at outside every pool: one would refuse what does not fit, in words of its own,
        // before the check below could, and before another pool was asked.
        let bare =
            engine::compiler().map_err(|error| LoadError::new("compile", error.to_string()))?;
        let component = artefact.component(&bare)?;
        let lane = check_imports(&component, &bare)?;
        let memory = check_resources(&component, self.sandboxes.memory_bytes_max())?;
        let first = self.sandboxes.for_memory(memory);
        let code = link(first, &artefact.component(&first.engine)?)?;
        let (entries, hooks) = entries(&code, lane)?;
        let described = on_a_thread(|| self.describe(&code, lane))?;
        let (description, schemas, limits) =
            description::check(described, self.config, origin == Origin::Shipped)
                .map_err(|reason| LoadError::new("description", reason))?;
        check_memory(memory, &description.id, &limits)?;
        // What it may use is known now; if that is more than the others, it moves.
        let own = self.sandboxes.for_memory(limits.memory_bytes.max(memory));
        let (code, entries) = match std::ptr::eq(own, first) {
            true => (code, entries),
            false => {
                let code = link(own, &artefact.component(&own.engine)?)?;
                let (entries, _) = self::entries(&code, lane)?;
                (code, entries)
            }
        };
        let table = self.config.plugin.get(&description.id);
        if let Some(table) = table {
            let fits = schemas.check_table(&description.id, &table.options);
            fits.map_err(|reason| LoadError::new("options", reason))?;
        }
        let on_error = table.and_then(|table| table.on_error);
        Ok(Plugin {
            on_error: on_error.unwrap_or(description.kind.on_error()),
            environment: environment(&description.id, &limits),
            breaker: Breaker::new(self.config.plugins.breaker),
            limits: Arc::new(limits),
            bytes: bytes.len(),
            wasm: bytes.into(),
            description,
            digest,
            generation,
            hooks,
            lane,
            origin,
            compiled_in,
            schemas: Arc::new(schemas),
            code,
            entries,
        })
    }

    /// Runs `describe` in a store of its own. The hooks' types are checked here as well, so that a
    /// plugin built against other types fails now and not within a request.
    async fn describe(
        &self,
        code: &InstancePre<State>,
        lane: Lane,
    ) -> Result<Described, LoadError> {
        let limits = &self.config.plugins.limits;
        let limits =
            PluginLimits { memory_bytes: self.sandboxes.memory_bytes_max(), ..limits.clone() };
        let view = GenerationView::of_load(Duration::from_millis(DESCRIBE_MS));
        let environment = Environment::new("describe", &limits);
        let polled = (lane == Lane::Waiting).then(Arc::<Polled>::default);
        let options = Arc::from("{}");
        let state =
            State::new(environment, Arc::new(limits), Arc::new(view), options, polled.as_ref());
        let mut store = state.into_store(code.engine());
        allow(&mut store, DESCRIBE_MS);
        let failed = |error: &wasmtime::Error, store: &Store<State>| {
            // A panic's message arrives through the log, just before the trap.
            let told = store.data().lines.last_error();
            let told = told.unwrap_or_else(|| error.root_cause().to_string());
            LoadError::new("describe", format!("`describe` failed: {told}"))
        };
        let wrong = |error: wasmtime::Error| {
            let fix = "rebuild it with this version's SDK";
            LoadError::new("exports", format!("{error:#}; {fix}"))
        };
        let instance = match &polled {
            None => code.instantiate(&mut store),
            Some(polled) => Timed::new(polled, code.instantiate_async(&mut store)).await,
        };
        let instance = instance.map_err(|error| failed(&error, &store))?;
        let (entries, _) = entries(code, lane)?;
        entries.check(&mut store, &instance).map_err(wrong)?;
        let Some(polled) = &polled else {
            let indices = about::GuestIndices::new(code).map_err(wrong)?;
            let guest = indices.load(&mut store, &instance).map_err(wrong)?;
            let described = guest.call_describe(&mut store);
            return described.map_err(|error| failed(&error, &store));
        };
        let indices = waiting::about::GuestIndices::new(code).map_err(wrong)?;
        let guest = indices.load(&mut store, &instance).map_err(wrong)?;
        let limit = Duration::from_millis(DESCRIBE_MS);
        let call = Timed::new(polled, guest.call_describe(&mut store));
        let described = tokio::time::timeout(limit, call).await;
        match described {
            Ok(described) => described.map_err(|error| failed(&error, &store)),
            Err(_) => {
                let reason = format!("`describe` took longer than {DESCRIBE_MS} ms");
                Err(LoadError::new("describe", reason))
            }
        }
    }
}

fn link(sandbox: &Sandbox, component: &Component) -> Result<InstancePre<State>, LoadError> {
    sandbox.linker.instantiate_pre(component).map_err(|error| {
        let fix = "rebuild it with this version's SDK";
        LoadError::new("link", format!("{error:#}; {fix}"))
    })
}

/// Refuses what nobody offers, and says which lane the imports lead to.
fn check_imports(component: &Component, engine: &wasmtime::Engine) -> Result<Lane, LoadError> {
    let mut lane = Lane::Pure;
    for (name, _) in component.component_type().imports(engine) {
        let interface = name.strip_prefix(PACKAGE).and_then(|rest| rest.split_once('@'));
        let own = interface.filter(|(_, version)| version.starts_with(VERSION));
        let known = match own.and_then(|(interface, _)| capability::lane(interface)) {
            None if WASI.iter().any(|package| name.starts_with(package)) => Some(Lane::Waiting),
            known => known,
        };
        lane = match known {
            Some(Lane::Waiting) => Lane::Waiting,
            Some(Lane::Pure) => lane,
            None => return Err(unknown_import(name)),
        };
    }
    Ok(lane)
}

fn unknown_import(name: &str) -> LoadError {
    let fix = if name.starts_with("wasi:http") {
        "requests go through `patchbay:plugin/http`, where the operator grants hosts"
    } else if name.starts_with("wasi:") {
        "of WASI a plugin finds cli, clocks, filesystem, io, random and sockets, all empty"
    } else if name.starts_with(PACKAGE) {
        "this version of the gateway has no such interface"
    } else {
        "a plugin may import `patchbay:plugin` and WASI only"
    };
    LoadError::new("imports", format!("it imports `{name}`: {fix}"))
}

/// Refuses what no pool could hold. Returns the memory that it begins with, in bytes.
fn check_resources(component: &Component, memory_max: u64) -> Result<u64, LoadError> {
    let Some(required) = component.resources_required() else {
        let reason = "it imports core modules or components; link them into one file";
        return Err(LoadError::new("resources", reason));
    };
    let memory = required.max_initial_memory_size.unwrap_or(0).saturating_mul(PAGE_BYTES);
    let elements_max = u64::try_from(TABLE_ELEMENTS_MAX).unwrap_or(u64::MAX);
    let checks = [
        ("memories", u64::from(required.num_memories), 1),
        ("tables", u64::from(required.num_tables), u64::from(TABLES_MAX)),
        ("bytes of memory to begin with (memory_bytes)", memory, memory_max),
        ("table entries", required.max_initial_table_size.unwrap_or(0), elements_max),
    ];
    match checks.iter().find(|(_, wanted, allowed)| wanted > allowed) {
        None => Ok(memory),
        Some((what, wanted, allowed)) => {
            let reason = format!("it needs {wanted} {what}; {allowed} are allowed");
            Err(LoadError::new("resources", reason))
        }
    }
}

/// Refuses what could not even begin by its own limits. `memory` is what it begins with, in bytes.
fn check_memory(memory: u64, id: &str, limits: &PluginLimits) -> Result<(), LoadError> {
    let allowed = limits.memory_bytes;
    if memory <= allowed {
        return Ok(());
    }
    let reason = format!(
        "it begins with {memory} bytes of memory; its limit, memory_bytes in [plugin.{id}.limits] \
         or [plugins.limits], is {allowed}"
    );
    Err(LoadError::new("resources", reason))
}

fn entries(code: &InstancePre<State>, lane: Lane) -> Result<(Entries, Hooks), LoadError> {
    let component = code.component();
    let name = |interface: &str| format!("{PACKAGE}{interface}@0.1.0");
    let exports =
        |interface: &str| component.get_export_index(None, name(interface).as_str()).is_some();
    if !exports("plugin") {
        let reason = format!("it does not export `{}`: use the SDK's `export!`", name("plugin"));
        return Err(LoadError::new("exports", reason));
    }
    let hooks = Hooks {
        request: exports("request-hook"),
        stream: exports("stream-hook"),
        tools: exports("tool-hook"),
        audit: exports("audit-hook"),
    };
    if hooks.names().is_empty() {
        let reason = "it exports no hook: name one in `export!` (request, stream, tools, audit)";
        return Err(LoadError::new("exports", reason));
    }
    let entries = Entries::find(code, lane, exports)
        .map_err(|error| LoadError::new("exports", format!("{error:#}")))?;
    Ok((entries, hooks))
}

/// Runs what may wait on a thread with a runtime of its own: loading happens on threads that have
/// none, and on some that must not block one.
pub(super) fn on_a_thread<T: Send, F: Future<Output = Result<T, LoadError>>>(
    work: impl FnOnce() -> F + Send,
) -> Result<T, LoadError> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| LoadError::new("describe", error.to_string()))?;
        runtime.block_on(work())
    };
    let died = |_| LoadError::new("describe", "the thread that loads it died");
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|it| Err(died(it)))
}

/// The unit of a memory's size.
const PAGE_BYTES: u64 = 64 << 10;
const PACKAGE: &str = "patchbay:plugin/";
/// Under 0.x a minor version breaks.
const VERSION: &str = "0.1.";
/// What is linked of WASI. `wasi:http` is not: it would go round the egress gate.
const WASI: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];
/// `describe` runs once and may meet a busy machine.
const DESCRIBE_MS: u64 = 2_000;
