//! From a `.wasm` to machine code, off the path of requests. Compiling a stranger's file is work
//! whose time and memory the file decides, so a process of its own does it, which is ended when it
//! takes too much. What came of it is kept in a folder that only this user may read: machine code
//! is trusted, and only ever taken from there.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;
use wit_component::ComponentEncoder;

use super::engine;
use super::load::LoadError;
use crate::clock;
use crate::config;

/// Who compiles.
#[derive(Debug, Clone)]
pub(crate) enum Compiler {
    /// A process: this program, called with [`COMMAND`].
    Process(PathBuf),
    /// This process, for tests and benchmarks, which are no such program.
    Here,
}

/// What the program is called with to compile one plugin, from its input to its output. The
/// argument is how much memory it may take.
pub(crate) const COMMAND: &str = "compile-plugin";

/// Compiles plugins, each file once.
pub(super) struct Workshop {
    compiler: Compiler,
    limit: Duration,
    compile_bytes_max: u64,
    wasm_bytes_max: usize,
    /// Tells versions of the engine and its settings apart.
    engine_name: String,
    cache: Option<PathBuf>,
}

/// Machine code of a component.
pub(super) struct Artefact(Vec<u8>);

impl Workshop {
    /// Finds the cache's folder.
    ///
    /// # Errors
    /// When the engine does not start.
    pub(super) fn new(config: &config::Plugins, compiler: Compiler) -> Result<Self, anyhow::Error> {
        let engine = engine::compiler()?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let cache = match &config.cache_dir {
            Some(dir) if dir.as_os_str().is_empty() => None,
            Some(dir) => Some(dir.clone()),
            None => usual_cache(),
        };
        let cache = cache.and_then(|dir| match private(&dir) {
            Ok(()) => Some(dir),
            Err(error) => {
                tracing::warn!(dir = %dir.display(), error, "compiled plugins are not kept");
                None
            }
        });
        Ok(Self {
            compiler,
            limit: Duration::from_millis(config.compile_ms),
            compile_bytes_max: config.compile_bytes_max,
            wasm_bytes_max: config.wasm_bytes_max,
            engine_name: format!("{:016x}", hasher.finish()),
            cache,
        })
    }

    /// Machine code of a file, made now or found from an earlier time.
    ///
    /// # Errors
    /// Names the step that refused it and the setting.
    pub(super) fn compile(&self, wasm: &[u8], digest: &str) -> Result<Artefact, LoadError> {
        if wasm.len() > self.wasm_bytes_max {
            return Err(too_large(wasm.len(), self.wasm_bytes_max));
        }
        let kept = self.cache.as_ref();
        let kept = kept.map(|dir| dir.join(format!("{digest}-{}", self.engine_name)));
        if let Some(artefact) = kept.as_deref().and_then(read_kept) {
            return Ok(artefact);
        }
        let artefact = match &self.compiler {
            Compiler::Here => compile(wasm)?,
            Compiler::Process(program) => self.in_a_process(program, wasm)?,
        };
        if let Some(path) = kept
            && let Err(error) = keep(&path, &artefact)
        {
            tracing::warn!(path = %path.display(), %error, "a compiled plugin was not kept");
        }
        Ok(Artefact(artefact))
    }

    fn in_a_process(&self, program: &Path, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
        let broken = |error: std::io::Error| {
            let program = program.display();
            LoadError::new("compile", format!("{program} {COMMAND} does not run: {error}"))
        };
        let mut child = Command::new(program)
            .args([COMMAND, &self.compile_bytes_max.to_string()])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(broken)?;
        let (input, output, errors) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        thread::scope(|scope| {
            // A child that ends early closes its input; its own words say why.
            scope.spawn(move || input.map(|mut input| input.write_all(wasm)));
            let output = scope.spawn(move || read_all(output));
            let errors = scope.spawn(move || read_all(errors));
            let ended = wait(&mut child, self.limit).map_err(broken)?;
            let read = |reader: thread::ScopedJoinHandle<'_, Vec<u8>>| reader.join().ok();
            let (output, errors) = (read(output), read(errors).unwrap_or_default());
            match (ended, output) {
                (Some(true), Some(output)) if is_code(&output) => Ok(output),
                (None, _) => {
                    let limit = self.limit.as_millis();
                    let reason = format!("it takes longer than {limit} ms (plugins.compile_ms)");
                    Err(LoadError::new("compile", reason))
                }
                _ => Err(self.told(&String::from_utf8_lossy(&errors))),
            }
        })
    }

    /// What a child said before it failed: the step and the reason, or nothing that it planned.
    fn told(&self, words: &str) -> LoadError {
        let told = words.split_once('\n').and_then(|(step, reason)| {
            let step = STEPS.into_iter().find(|known| *known == step)?;
            Some(LoadError::new(step, reason.trim_end()))
        });
        told.unwrap_or_else(|| {
            let bytes = self.compile_bytes_max;
            let reason = format!(
                "the compiler ended early, most likely for want of memory: it may take {bytes} \
                 bytes (plugins.compile_bytes_max)"
            );
            LoadError::new("compile", reason)
        })
    }
}

impl Artefact {
    /// The component, ready for an engine.
    ///
    /// # Errors
    /// When it was made for another engine.
    #[expect(unsafe_code, reason = "machine code can't be checked; see the safety comment")]
    pub(super) fn component(&self, engine: &Engine) -> Result<Component, LoadError> {
        // SAFETY: the bytes were made by this program's compiler, in this process, in one that it
        // started, or earlier and kept in a folder that this user alone may write to, with a
        // checksum that was compared.
        let component = unsafe { Component::deserialize(engine, &self.0) };
        component.map_err(|error| LoadError::new("compile", format!("{error:#}")))
    }
}

/// Compiles standard input to standard output, within `bytes_max` of memory. What a child process
/// does; it says on standard error, in two lines, which step refused the file and why.
pub(crate) fn compile_input(bytes_max: u64) -> ExitCode {
    match try_compile_input(bytes_max) {
        Ok(()) => ExitCode::SUCCESS,
        Err(told) => {
            // Nobody else is there to tell.
            let _ = std::io::stderr().write_all(told.as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn try_compile_input(bytes_max: u64) -> Result<(), String> {
    let told = |error: LoadError| format!("{}\n{}", error.step, error.reason);
    let broken = |error: std::io::Error| format!("compile\n{error}");
    let limit = Rlimit { current: Some(bytes_max), maximum: Some(bytes_max) };
    rustix::process::setrlimit(Resource::Data, limit)
        .map_err(|error| format!("compile\nmemory can't be limited: {error}"))?;
    let mut wasm = Vec::new();
    std::io::stdin().read_to_end(&mut wasm).map_err(broken)?;
    let artefact = compile(&wasm).map_err(told)?;
    std::io::stdout().write_all(&artefact).map_err(broken)
}

/// Wraps a core module, checks, compiles.
fn compile(wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
    let wrapped = if wasmparser::Parser::is_core_wasm(wasm) {
        Some(wrap(wasm)?)
    } else if wasmparser::Parser::is_component(wasm) {
        None
    } else {
        return Err(LoadError::new("wrap", "this is not a .wasm file"));
    };
    let failed = |reason: String| LoadError::new("compile", reason);
    let engine = engine::compiler().map_err(|error| failed(format!("{error:#}")))?;
    let artefact = engine.precompile_component(wrapped.as_deref().unwrap_or(wasm));
    artefact.map_err(|error| failed(format!("{error:#}")))
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

/// A file that is larger than any plugin may be.
pub(super) fn too_large(bytes: usize, bytes_max: usize) -> LoadError {
    let reason = format!("{bytes} bytes; plugins.wasm_bytes_max allows {bytes_max}");
    LoadError::new("size", reason)
}

/// Whether the child ended well; none when it was ended for its time.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<bool>> {
    let end = clock::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if clock::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn read_all(source: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What can't be read is missing, and that is noticed.
    let _ = source.map(|mut source| source.read_to_end(&mut bytes));
    bytes
}

/// The folder that programs of this system keep such things in.
fn usual_cache() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let own = of("XDG_CACHE_HOME").map(PathBuf::from);
    let base = own.or_else(|| of("HOME").map(|home| Path::new(&home).join(".cache")));
    Some(base?.join("patchbay"))
}

/// Makes the folder if it is missing, and makes sure that nobody else can put code there.
fn private(dir: &Path) -> Result<(), String> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| error.to_string())?;
    let metadata = std::fs::metadata(dir).map_err(|error| error.to_string())?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err("the folder belongs to another user (plugins.cache_dir)".to_owned());
    }
    if metadata.mode() & 0o022 != 0 {
        return Err("others may write to the folder: chmod 700 it, or name another one \
                    (plugins.cache_dir)"
            .to_owned());
    }
    Ok(())
}

/// A kept file: a checksum, then the code. One that is not whole is not there.
fn read_kept(path: &Path) -> Option<Artefact> {
    let bytes = std::fs::read(path).ok()?;
    let (checksum, code) = bytes.split_at_checked(CHECKSUM_BYTES)?;
    (*Sha256::digest(code) == *checksum && is_code(code)).then(|| Artefact(code.to_vec()))
}

/// Whether this is a component's machine code at all, and not some other output of a child.
fn is_code(bytes: &[u8]) -> bool {
    matches!(Engine::detect_precompiled(bytes), Some(wasmtime::Precompiled::Component))
}

/// Written under another name first, so that nobody finds half of it.
fn keep(path: &Path, code: &[u8]) -> std::io::Result<()> {
    let unfinished = path.with_extension(std::process::id().to_string());
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(&Sha256::digest(code))?;
    file.write_all(code)?;
    std::fs::rename(&unfinished, path)
}

/// The steps that a child may fail at.
const STEPS: [&str; 2] = ["wrap", "compile"];

/// SHA-256.
const CHECKSUM_BYTES: usize = 32;
