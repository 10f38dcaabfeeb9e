//! Plugins: the registry of what is loaded, and the pipeline that takes one generation through
//! those it selected. Everything about WASM is below here; nothing above knows of it.
//!
//! bytes -> `compile` -> `load` -> `registry` -> `select` -> `pipeline` (one `instance` per plugin,
//! lazily); what a plugin calls: `capabilities` -> `grant` -> `outside`

#[doc(hidden)]
pub mod bench;
mod bindings;
mod breaker;
mod capabilities {
    pub(super) mod bill;
    pub(super) mod catalog;
    pub(super) mod http;
    pub(super) mod log;
    pub(super) mod metrics;
    pub(super) mod models;
    pub(super) mod report;
    pub(super) mod search;
    pub(super) mod secrets;
    pub(super) mod state;
    pub(super) mod system;
    pub(super) mod tokens;
    pub(super) mod wasi;
}
mod capability;
mod cases;
mod compile;
mod convert;
mod cpu;
mod description;
mod egress;
mod engine;
mod entries;
mod fault;
mod folder;
mod grant;
mod host;
mod instance;
mod interest;
mod load;
mod media;
mod misfit;
mod outside;
mod pipeline;
mod reading;
mod registry;
mod schemas;
mod select;
mod shadow;
mod shelf;
mod stage;
mod tools;
mod trigger;
mod view;
mod watch;

#[cfg(test)]
mod tests;

pub(crate) use cases::{CaseReport, embedded as embedded_cases};
pub(crate) use compile::{COMMAND as COMPILE_COMMAND, Compiler, compile_input};
pub(crate) use convert::size_of_request;
pub(crate) use folder::Folder;
pub(crate) use load::{LoadError, Origin, Plugin};
pub(crate) use outside::{Answered, Asked, Call, Listed, Services, Stage as Told};
pub(crate) use pipeline::{Outcome, Pipeline, Requested};
pub(crate) use reading::File;
pub(crate) use registry::{Plugins, Registry, Role, indexes};
pub(crate) use select::{Selected, Wanted};
pub(crate) use tools::not_run;
pub(crate) use trigger::{Signs, kind_of};
pub(crate) use view::GenerationView;
