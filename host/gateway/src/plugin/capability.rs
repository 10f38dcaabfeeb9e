//! The capabilities: what a plugin may import. To add one: a file in `wit/`, a file in
//! `capabilities/`, and a line in each of the two tables here.

use std::sync::Arc;

use arc_swap::ArcSwap;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use super::bindings::{
    bill, catalog, context, http, log, metrics, models, report, search, secrets, state, system,
    tokens, types,
};
use super::capabilities::metrics::Series;
use super::capabilities::state::Space;
use super::capabilities::wasi;
use super::entries::Lane;
use super::grant::Grants;
use super::host::{State, as_usize};
use crate::config::PluginLimits;

/// The interfaces that a plugin may import, and the lane that each leads to.
const LINKED: [(&str, Lane); 14] = [
    ("types", Lane::Pure),
    ("context", Lane::Pure),
    ("log", Lane::Pure),
    ("metrics", Lane::Pure),
    ("state", Lane::Pure),
    ("system", Lane::Pure),
    ("tokens", Lane::Pure),
    ("secrets", Lane::Pure),
    ("catalog", Lane::Pure),
    ("report", Lane::Pure),
    ("bill", Lane::Pure),
    ("http", Lane::Waiting),
    ("models", Lane::Waiting),
    ("search", Lane::Waiting),
];

/// The lane of an interface of ours; none when there is no such interface.
pub(super) fn lane(interface: &str) -> Option<Lane> {
    LINKED.iter().find(|(name, _)| *name == interface).map(|(_, lane)| *lane)
}

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
    tokens::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    secrets::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    catalog::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    report::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    bill::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    http::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    models::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    search::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    wasi::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// What all instances of one version of a plugin share. State and metrics are those of all its
/// versions.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The plugin.
    pub(super) id: String,
    /// Its key-value store.
    pub(super) space: Arc<Space>,
    /// Its metrics.
    pub(super) series: Arc<Series>,
    /// What this version may reach.
    pub(super) grants: ArcSwap<Grants>,
}

impl Environment {
    /// An empty one.
    pub(super) fn new(id: &str, limits: &PluginLimits) -> Arc<Self> {
        let (bytes_max, value_bytes_max) = (limits.state_bytes, limits.state_value_bytes);
        let space = Space::new(as_usize(bytes_max), as_usize(value_bytes_max));
        let (space, series) = (Arc::new(space), Arc::default());
        Arc::new(Self { id: id.to_owned(), space, series, grants: ArcSwap::default() })
    }

    /// That of another version of the plugin: what it may reach is its own.
    pub(super) fn of_version(&self) -> Arc<Self> {
        let (space, series) = (Arc::clone(&self.space), Arc::clone(&self.series));
        Arc::new(Self { id: self.id.clone(), space, series, grants: ArcSwap::default() })
    }
}
