//! How a plugin fails, named, counted and told. What follows from it is the pipeline's affair.

use std::fmt;

use wasmtime::{FrameInfo, PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wire::{ErrorType, Failure, Json};

use super::bindings::types;
use super::convert;
use super::instance::WallClock;
use crate::error::Error;

/// The ways in which a plugin fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It used up its CPU time, or waited for too long.
    Timeout,
    /// It asked for more memory than it may have.
    Memory,
    /// It recursed too deeply.
    Stack,
    /// It crashed in another way: a panic, most often.
    Trap,
    /// It returned an error, or something that can't be used.
    Error,
    /// No instance was free.
    Busy,
    /// It failed too often, and is passed over.
    Disabled,
    /// It held back too much or for too long.
    Held,
    /// It gave back far more than it was given.
    Expansion,
    /// It made more handles, or handed over more bytes in one call, than it may.
    Limit,
}

impl Fault {
    /// The name in errors, logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::Trap => "trap",
            Self::Error => "error",
            Self::Busy => "busy",
            Self::Disabled => "disabled",
            Self::Held => "held",
            Self::Expansion => "expansion",
            Self::Limit => "limit",
        }
    }

    /// What an error of the runtime was. `memory_refused` says that the same call had been denied
    /// memory: a guest that can't allocate ends in an ordinary trap.
    pub(super) fn of(error: &wasmtime::Error, memory_refused: bool) -> Self {
        if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
            return Self::Busy;
        }
        if error.is::<WallClock>() {
            return Self::Timeout;
        }
        if limit_of(error).is_some() {
            return Self::Limit;
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => Self::Timeout,
            Some(Trap::StackOverflow) => Self::Stack,
            Some(Trap::MemoryOutOfBounds) if is_recursion(error) => Self::Stack,
            Some(Trap::AllocationTooLarge) => Self::Memory,
            _ if memory_refused => Self::Memory,
            _ => Self::Trap,
        }
    }
}

/// The setting of a limit that the runtime itself watches. It has no type for these errors, only
/// words.
pub(super) fn limit_of(error: &wasmtime::Error) -> Option<&'static str> {
    let words = error.root_cause().to_string();
    let known = RUNTIME_LIMITS.iter().find(|(known, _)| words.contains(known));
    known.map(|(_, setting)| *setting)
}

/// Compilers keep part of the stack in the guest's memory, below everything else. Recursion that
/// runs out of that part first ends as an access out of bounds, deep within the same function.
fn is_recursion(error: &wasmtime::Error) -> bool {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return false };
    let mut functions: Vec<_> = trace.frames().iter().map(FrameInfo::func_index).collect();
    functions.sort_unstable();
    functions.chunk_by(PartialEq::eq).any(|same| same.len() >= RECURSION_FRAMES)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One failure of one plugin.
#[derive(Debug)]
pub(crate) struct Failed {
    /// Which way.
    pub(crate) fault: Fault,
    /// What is known of the cause: a panic's message, a limit and its setting.
    pub(crate) detail: String,
}

impl Failed {
    /// A failure with its cause.
    pub(super) fn new(fault: Fault, detail: impl Into<String>) -> Self {
        Self { fault, detail: detail.into() }
    }

    /// Counts and logs it. Every failure passes here once, whatever follows from it.
    pub(super) fn note(&self, plugin: &str, generation: &str) {
        let (id, fault) = (plugin.to_owned(), self.fault.as_str());
        metrics::counter!("patchbay_plugin_faults_total", "plugin" => id, "fault" => fault)
            .increment(1);
        tracing::warn!(plugin, generation, fault, detail = %self.detail, "a plugin failed");
    }

    /// What a client is told when the failure closes the generation.
    pub(super) fn close(&self, plugin: &str) -> Error {
        let message = format!("Plugin `{plugin}` failed ({}): {}", self.fault, self.detail);
        let mut failure = Failure::new(ErrorType::ProviderOverloaded, message);
        failure.status = 503;
        if matches!(self.fault, Fault::Busy | Fault::Disabled) {
            failure.retry_after_ms = Some(BUSY_RETRY_MS);
        } else {
            failure.error_type = ErrorType::Server;
        }
        failure.metadata.push(("plugin".to_owned(), Json::of(&plugin)));
        failure.metadata.push(("fault".to_owned(), Json::of(&self.fault.as_str())));
        Error::plugin(failure)
    }
}

/// What a client is told when a plugin rejects. Statuses that belong to the gateway are refused:
/// a plugin can't pretend that we or the upstream failed.
pub(super) fn reject(id: &str, it: types::Rejection) -> Result<Error, Failed> {
    if !matches!(it.status, 400..=499 | 503) {
        let why = format!("it rejected with status {}; 400 to 499 and 503 are allowed", it.status);
        return Err(Failed::new(Fault::Error, why));
    }
    let error_type = match it.status {
        503 => ErrorType::ProviderOverloaded,
        status => ErrorType::of_status(status),
    };
    let mut failure = Failure::new(error_type, it.message);
    failure.status = it.status;
    failure.retry_after_ms = it.retry_after_ms.map(u64::from);
    failure.metadata = convert::lift_fields(it.metadata, "a rejection's metadata")?;
    failure.metadata.retain(|(name, _)| name != "plugin");
    failure.metadata.push(("plugin".to_owned(), Json::of(&id)));
    Ok(Error::plugin(failure))
}

/// What the runtime says when a limit that it watches is met, and the limit's name.
const RUNTIME_LIMITS: [(&str, &str); 2] =
    [("store handle limit exceeded", "handles"), ("fuel allocated for hostcalls", "call_bytes")];

/// Frames of one function, of the twenty that a backtrace shows, that make a recursion. Functions
/// that call each other in turn share them.
const RECURSION_FRAMES: usize = 6;

/// Instances live for one generation each, so a full pool has room again soon.
const BUSY_RETRY_MS: u64 = 1_000;
