//! The capabilities: what a plugin may import. To add one: a file in `wit/`, a file in
//! `capabilities/`, and a line in each of the two tables here.

use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use super::bindings::{context, log, metrics, state, system, types};
use super::capabilities::metrics::Series;
use super::capabilities::state::Space;
use super::instance::State;
use crate::config;

/// Interfaces that every plugin may import.
pub(super) const LINKED: [&str; 6] = ["types", "context", "log", "metrics", "state", "system"];

/// Links them.
///
/// # Errors
/// When two define the same name.
pub(super) fn linker(engine: &Engine) -> Result<Linker<State>, anyhow::Error> {
    let mut linker = Linker::new(engine);
    types::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    context::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    log::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    metrics::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    state::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    system::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// What all instances of a plugin share, of all its versions.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The plugin.
    pub(super) id: String,
    /// Its key-value store.
    pub(super) space: Space,
    /// Its metrics.
    pub(super) series: Series,
    /// Lines an instance may log.
    pub(super) log_lines_max: u32,
    /// Bytes of a line.
    pub(super) log_line_bytes_max: usize,
}

impl Environment {
    /// An empty one.
    pub(super) fn new(id: &str, limits: &config::Plugins) -> Arc<Self> {
        Arc::new(Self {
            id: id.to_owned(),
            space: Space::new(limits.state_bytes_max, limits.state_value_bytes_max),
            series: Series::default(),
            log_lines_max: limits.log_lines_max,
            log_line_bytes_max: limits.log_line_bytes_max,
        })
    }
}
