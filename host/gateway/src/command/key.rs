//! `patchbay key …`: keys made, listed and changed in the store itself, so that an operator who
//! lost every key gets in again. A running gateway sees the change within five seconds.

use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};
use ledger::{Money, Reset};

use super::announce;
use crate::auth::{Auth, NewKey};
use crate::config::Config;
use crate::store::{self, KeyRecord, StoreError};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Make a key and print it, once.
    Create(Create),
    /// List the keys: hash, label, name, state.
    List,
    /// Refuse a key from now on.
    Disable(Which),
    /// Accept a disabled key again.
    Enable(Which),
    /// Remove a key; what it spent stays on the books.
    Delete(Which),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What people call it.
    name: String,
    /// It manages keys, credit and plugins, and asks for no generations.
    #[arg(long)]
    management: bool,
    /// The most it may spend, in USD.
    #[arg(long, value_name = "USD")]
    limit: Option<Money>,
    /// When that count restarts: daily, weekly or monthly.
    #[arg(long, requires = "limit")]
    reset: Option<Reset>,
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// The key's hash, or as much of its start as no other key shares.
    hash: String,
}

/// Runs one of them.
///
/// # Errors
/// When the store can't be opened, or no key or several fit.
pub(super) fn run(config: &Config, command: &Key) -> Result<(), anyhow::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = store::open(&config.store).context("the store could not be opened")?;
        let auth = Auth::load(Arc::clone(&store)).await?;
        match command {
            Key::Create(create) => print_new(&auth, create).await?,
            Key::List => auth.list().iter().for_each(|key| announce::line(&row(key))),
            Key::Disable(which) => set(&auth, which, true).await?,
            Key::Enable(which) => set(&auth, which, false).await?,
            Key::Delete(which) => auth.remove(&find(&auth, which)?.hash).await?,
        }
        store.close().await?;
        Ok(())
    })
}

async fn print_new(auth: &Auth, create: &Create) -> Result<(), anyhow::Error> {
    let new = NewKey {
        name: create.name.clone(),
        is_management: create.management,
        limit: create.limit,
        limit_reset: create.reset,
        ..NewKey::default()
    };
    let (key, _) = auth.make(new).await?;
    announce::line(&key);
    Ok(())
}

async fn set(auth: &Auth, which: &Which, is_disabled: bool) -> Result<(), anyhow::Error> {
    let hash = find(auth, which)?.hash.clone();
    let changed: Result<_, StoreError> =
        auth.change(&hash, |key| key.is_disabled = is_disabled).await;
    announce::line(&row(&*changed?));
    Ok(())
}

fn find(auth: &Auth, which: &Which) -> Result<Arc<KeyRecord>, anyhow::Error> {
    let keys = auth.list();
    let mut fitting = keys.into_iter().filter(|key| key.hash.starts_with(&which.hash));
    match (fitting.next(), fitting.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => {
            anyhow::bail!("no key's hash begins with {}; see `patchbay key list`", which.hash)
        }
        _ => anyhow::bail!("several keys' hashes begin with {}; write more of it", which.hash),
    }
}

fn row(key: &KeyRecord) -> String {
    let kind = if key.is_management { "management" } else { "inference" };
    let state = if key.is_disabled { "disabled" } else { "enabled" };
    format!("{}  {}  {kind}  {state}  {}", key.hash, key.label, key.name)
}
