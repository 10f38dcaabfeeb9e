//! Where a component's hooks are, looked up once, and how they are called: at once, or by a call
//! that may wait.

use wasmtime::component::{Instance, InstancePre};
use wasmtime::{AsContextMut, Store};

use super::bindings::{audit_hook, request_hook, stream_hook, tool_hook, waiting};
use super::host::State;

/// How a plugin runs. It follows from what it imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// It calls nothing that waits, and has no stack of its own.
    Pure,
    /// It may wait for `http`, `models`, `search` or WASI.
    Waiting,
}

impl Lane {
    /// The name in the management API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pure => "pure",
            Self::Waiting => "waiting",
        }
    }
}

/// A thing of one lane or the other.
pub(super) enum In<P, W> {
    /// [`Lane::Pure`]
    Pure(P),
    /// [`Lane::Waiting`]
    Waiting(W),
}

pub(super) type RequestEntry = In<request_hook::GuestIndices, waiting::request_hook::GuestIndices>;
pub(super) type StreamEntry = In<stream_hook::GuestIndices, waiting::stream_hook::GuestIndices>;
pub(super) type ToolEntry = In<tool_hook::GuestIndices, waiting::tool_hook::GuestIndices>;
pub(super) type AuditEntry = In<audit_hook::GuestIndices, waiting::audit_hook::GuestIndices>;
pub(super) type StreamGuest = In<stream_hook::Guest, waiting::stream_hook::Guest>;

/// Where a component's hooks are.
pub(super) struct Entries {
    /// `request-hook`
    pub(super) request: Option<RequestEntry>,
    /// `stream-hook`
    pub(super) stream: Option<StreamEntry>,
    /// `tool-hook`
    pub(super) tools: Option<ToolEntry>,
    /// `audit-hook`
    pub(super) audit: Option<AuditEntry>,
}

impl Entries {
    /// Looks up the hooks that `exports` names.
    ///
    /// # Errors
    /// When an exported hook is not what this version's is.
    pub(super) fn find(
        code: &InstancePre<State>,
        lane: Lane,
        exports: impl Fn(&str) -> bool,
    ) -> wasmtime::Result<Self> {
        macro_rules! find {
            ($name:literal, $hook:ident) => {
                match (exports($name), lane) {
                    (false, _) => None,
                    (true, Lane::Pure) => Some(In::Pure($hook::GuestIndices::new(code)?)),
                    (true, Lane::Waiting) => {
                        Some(In::Waiting(waiting::$hook::GuestIndices::new(code)?))
                    }
                }
            };
        }
        Ok(Self {
            request: find!("request-hook", request_hook),
            stream: find!("stream-hook", stream_hook),
            tools: find!("tool-hook", tool_hook),
            audit: find!("audit-hook", audit_hook),
        })
    }

    /// Checks the hooks' types, so that a plugin built against others fails when it is loaded and
    /// not within a request.
    ///
    /// # Errors
    /// Names the function that differs.
    pub(super) fn check(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
    ) -> wasmtime::Result<()> {
        macro_rules! check {
            ($hook:ident) => {
                match &self.$hook {
                    Some(In::Pure(entry)) => {
                        entry.load(store.as_context_mut(), instance)?;
                    }
                    Some(In::Waiting(entry)) => {
                        entry.load(store.as_context_mut(), instance)?;
                    }
                    None => {}
                }
            };
        }
        check!(request);
        check!(stream);
        check!(tools);
        check!(audit);
        Ok(())
    }
}

impl StreamEntry {
    /// The stream hook of an instance.
    ///
    /// # Errors
    /// When it is not what this version's is.
    pub(super) fn load(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
    ) -> wasmtime::Result<StreamGuest> {
        Ok(match self {
            Self::Pure(entry) => In::Pure(entry.load(store, instance)?),
            Self::Waiting(entry) => In::Waiting(entry.load(store, instance)?),
        })
    }
}
