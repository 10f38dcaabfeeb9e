//! Plugins: the registry of what is loaded, and the pipeline that takes one generation through
//! those it selected. Everything about WASM is below here; nothing above knows of it.
//!
//! bytes -> `load` -> `registry` -> `select` -> `pipeline` (one `instance` per plugin, lazily)

#[doc(hidden)]
pub mod bench;
mod bindings;
mod capabilities {
    pub(super) mod log;
    pub(super) mod metrics;
    pub(super) mod state;
    pub(super) mod system;
}
mod capability;
mod convert;
mod description;
mod engine;
mod fault;
mod instance;
mod load;
mod media;
mod pipeline;
mod registry;
mod select;
mod stage;
mod view;
mod watch;

#[cfg(test)]
mod tests;

pub(crate) use load::{LoadError, Plugin};
pub(crate) use pipeline::{Outcome, Pipeline, Requested};
pub(crate) use registry::{Plugins, Registry};
pub(crate) use view::GenerationView;
