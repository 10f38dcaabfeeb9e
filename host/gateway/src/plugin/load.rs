//! From a file's bytes to a plugin that can run: checks, compilation, and its own description.
//! All of it is slow and none of it is on the path of a request.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jsonschema::Validator;
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, InstancePre};
use wit_component::ComponentEncoder;

use super::bindings::{about, audit_hook, request_hook, stream_hook};
use super::capability::{self, Environment};
use super::description::{self, Description, Limits};
use super::engine::{Sandbox, TABLE_ELEMENTS_MAX};
use super::instance::{State, allow};
use super::view::GenerationView;
use crate::clock;
use crate::config::Config;

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
    /// What it may use.
    pub(crate) limits: Limits,
    /// Where it came from.
    pub(crate) origin: Origin,
    /// Checks options against its schema.
    pub(super) validator: Validator,
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

/// Which hooks a plugin exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hooks {
    /// Before the model is asked.
    pub(crate) request: bool,
    /// Inside the reply.
    pub(crate) stream: bool,
    /// After the fact.
    pub(crate) audit: bool,
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
    /// How far it got: `size`, `wrap`, `compile`, `exports`, `imports`, `resources`, `link`,
    /// `describe`, `description`; or `find` when there is no such plugin.
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

/// Where a component's hooks are, looked up once.
pub(super) struct Entries {
    /// `request-hook`
    pub(super) request: Option<request_hook::GuestIndices>,
    /// `stream-hook`
    pub(super) stream: Option<stream_hook::GuestIndices>,
    /// `audit-hook`
    pub(super) audit: Option<audit_hook::GuestIndices>,
}

/// The name of a file's content.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What a plugin is loaded with.
pub(super) struct Loader<'a> {
    /// Compiles and links.
    pub(super) sandbox: &'a Sandbox,
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
        environment: &dyn Fn(&str) -> Arc<Environment>,
    ) -> Result<Plugin, LoadError> {
        let component = self.compile(bytes)?;
        self.check_imports(&component)?;
        self.check_resources(&component)?;
        let code = self.sandbox.linker.instantiate_pre(&component).map_err(|error| {
            let fix = "rebuild it with this version's SDK";
            LoadError::new("link", format!("{error:#}; {fix}"))
        })?;
        let (entries, hooks) = self.entries(&code)?;
        let described = self.describe(&code)?;
        let (description, validator, limits) = description::check(described, self.config)
            .map_err(|reason| LoadError::new("description", reason))?;
        let environment = environment(&description.id);
        let digest = digest(bytes);
        Ok(Plugin {
            description,
            digest,
            generation,
            hooks,
            limits,
            origin,
            validator,
            code,
            entries,
            environment,
        })
    }

    fn compile(&self, bytes: &[u8]) -> Result<Component, LoadError> {
        let bytes_max = self.config.plugins.wasm_bytes_max;
        if bytes.len() > bytes_max {
            let found = bytes.len();
            let reason = format!("{found} bytes; plugins.wasm_bytes_max allows {bytes_max}");
            return Err(LoadError::new("size", reason));
        }
        let wrapped = if wasmparser::Parser::is_core_wasm(bytes) {
            Some(wrap(bytes)?)
        } else if wasmparser::Parser::is_component(bytes) {
            None
        } else {
            return Err(LoadError::new("wrap", "this is not a .wasm file"));
        };
        Component::new(&self.sandbox.engine, wrapped.as_deref().unwrap_or(bytes))
            .map_err(|error| LoadError::new("compile", format!("{error:#}")))
    }

    fn check_imports(&self, component: &Component) -> Result<(), LoadError> {
        let is_linked = |name: &str| {
            let interface = name.strip_prefix(PACKAGE).and_then(|rest| rest.split_once('@'));
            interface.is_some_and(|(interface, version)| {
                capability::LINKED.contains(&interface) && version.starts_with(VERSION)
            })
        };
        let ty = component.component_type();
        let unknown = ty.imports(&self.sandbox.engine).find(|(name, _)| !is_linked(name));
        let Some((name, _)) = unknown else { return Ok(()) };
        let fix = if name.starts_with("wasi:") {
            "build for wasm32-unknown-unknown; time and randomness are in `system`"
        } else if name.starts_with(PACKAGE) {
            "this version of the gateway has no such interface"
        } else {
            "a plugin may import `patchbay:plugin` only"
        };
        Err(LoadError::new("imports", format!("it imports `{name}`: {fix}")))
    }

    fn check_resources(&self, component: &Component) -> Result<(), LoadError> {
        let Some(required) = component.resources_required() else {
            let reason = "it imports core modules or components; link them into one file";
            return Err(LoadError::new("resources", reason));
        };
        let memory_max = u64::try_from(self.config.plugins.memory_bytes_max).unwrap_or(u64::MAX);
        let tables_max = u64::try_from(TABLE_ELEMENTS_MAX).unwrap_or(u64::MAX);
        let checks = [
            ("memories", u64::from(required.num_memories), 1),
            ("tables", u64::from(required.num_tables), 4),
            (
                "bytes of memory to begin with",
                required.max_initial_memory_size.unwrap_or(0),
                memory_max,
            ),
            ("table entries", required.max_initial_table_size.unwrap_or(0), tables_max),
        ];
        match checks.iter().find(|(_, wanted, allowed)| wanted > allowed) {
            None => Ok(()),
            Some((what, wanted, allowed)) => {
                let reason = format!("it needs {wanted} {what}; {allowed} are allowed");
                Err(LoadError::new("resources", reason))
            }
        }
    }

    fn entries(&self, code: &InstancePre<State>) -> Result<(Entries, Hooks), LoadError> {
        let component = code.component();
        let name = |interface: &str| format!("{PACKAGE}{interface}@0.1.0");
        let exports =
            |interface: &str| component.get_export_index(None, name(interface).as_str()).is_some();
        if !exports("plugin") {
            let reason =
                format!("it does not export `{}`: use the SDK's `export!`", name("plugin"));
            return Err(LoadError::new("exports", reason));
        }
        let broken = |error: wasmtime::Error| LoadError::new("exports", format!("{error:#}"));
        let hooks = Hooks {
            request: exports("request-hook"),
            stream: exports("stream-hook"),
            audit: exports("audit-hook"),
        };
        if !hooks.request && !hooks.stream && !hooks.audit {
            let reason = "it exports no hook: name one in `export!` (request, stream, audit)";
            return Err(LoadError::new("exports", reason));
        }
        let request = || request_hook::GuestIndices::new(code).map_err(broken);
        let stream = || stream_hook::GuestIndices::new(code).map_err(broken);
        let audit = || audit_hook::GuestIndices::new(code).map_err(broken);
        let entries = Entries {
            request: hooks.request.then(request).transpose()?,
            stream: hooks.stream.then(stream).transpose()?,
            audit: hooks.audit.then(audit).transpose()?,
        };
        Ok((entries, hooks))
    }

    /// Runs `describe` in a store of its own. The hooks' types are checked here as well, so that a
    /// plugin built against other types fails now and not within a request.
    fn describe(&self, code: &InstancePre<State>) -> Result<about::Description, LoadError> {
        let limits = &self.config.plugins;
        let view = GenerationView {
            id: "describe".to_owned(),
            surface: "",
            model: String::new(),
            key: String::new(),
            headers: Vec::new(),
            deadline: clock::now() + Duration::from_millis(u64::from(DESCRIBE_MS)),
        };
        let environment = Environment::new("describe", limits);
        let memory = limits.memory_bytes_max;
        let state = State::new(environment, Arc::new(view), Arc::from("{}"), memory);
        let mut store = state.into_store(&self.sandbox.engine);
        allow(&mut store, DESCRIBE_MS);
        let failed = |error: wasmtime::Error| {
            LoadError::new("describe", format!("`describe` failed: {}", error.root_cause()))
        };
        let instance = code.instantiate(&mut store).map_err(failed)?;
        let (entries, _) = self.entries(code)?;
        let wrong = |error: wasmtime::Error| {
            let fix = "rebuild it with this version's SDK";
            LoadError::new("exports", format!("{error:#}; {fix}"))
        };
        if let Some(hook) = &entries.request {
            hook.load(&mut store, &instance).map_err(wrong)?;
        }
        if let Some(hook) = &entries.stream {
            hook.load(&mut store, &instance).map_err(wrong)?;
        }
        if let Some(hook) = &entries.audit {
            hook.load(&mut store, &instance).map_err(wrong)?;
        }
        let indices = about::GuestIndices::new(code).map_err(wrong)?;
        let guest = indices.load(&mut store, &instance).map_err(wrong)?;
        guest.call_describe(&mut store).map_err(failed)
    }
}

/// Makes a component of a core module that carries its types in a custom section.
fn wrap(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    let fix = "a plugin is a cdylib with the SDK's `export!`, built for wasm32-unknown-unknown";
    let refused = |reason: String| LoadError::new("wrap", format!("{reason}; {fix}"));
    // The encoder trusts its input: it panics on a file that was cut, so that is found out first,
    // and what it may still stumble over stays here.
    let valid = wasmparser::Validator::new().validate_all(module);
    valid.map_err(|error| refused(format!("this is no valid WASM module: {error}")))?;
    let encode = || {
        let encoder = ComponentEncoder::default().validate(true).module(module);
        encoder.and_then(|mut encoder| encoder.encode())
    };
    match std::panic::catch_unwind(encode) {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(error)) => Err(refused(format!("{error:#}"))),
        Err(_) => Err(refused("its description of types is broken".to_owned())),
    }
}

const PACKAGE: &str = "patchbay:plugin/";
/// Under 0.x a minor version breaks.
const VERSION: &str = "0.1.";
/// `describe` runs once and may meet a busy machine.
const DESCRIBE_MS: u32 = 2_000;
