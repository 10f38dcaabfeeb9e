//! Loading plugins for a command: the gateway's own sandbox, with room for the few instances that
//! a command needs, so that it starts at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use crate::config::Config;
use crate::plugin::{Compiler, Origin, Plugin, Plugins};

/// Whether compiled plugins are taken from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cache {
    /// Yes.
    Used,
    /// No, to see how long compiling takes.
    Unused,
}

/// A sandbox with nothing in it.
///
/// # Errors
/// When the system refuses.
pub(super) fn empty(config: &Config, cache: Cache) -> Result<Plugins, anyhow::Error> {
    Plugins::empty(&small(config, cache), compiler()?)
}

/// A sandbox with what a gateway would load: the shipped plugins and those of the folder.
///
/// # Errors
/// When the system refuses, or the folder can't be read.
pub(in crate::command) fn installed(config: &Config) -> Result<Plugins, anyhow::Error> {
    let mut config = small(config, Cache::Used);
    // A command that only looks makes no folder.
    if !config.plugins.dir.is_dir() {
        config.plugins.dir = PathBuf::new();
    }
    Plugins::start(&config, compiler()?)
}

/// Loads a file.
///
/// # Errors
/// When a gateway would refuse it.
pub(super) fn load(
    config: &Config,
    file: &Path,
    cache: Cache,
) -> Result<Arc<Plugin>, anyhow::Error> {
    load_into(&empty(config, cache)?, file)
}

/// Loads a file beside what is loaded.
///
/// # Errors
/// When a gateway would refuse it.
pub(super) fn load_into(plugins: &Plugins, file: &Path) -> Result<Arc<Plugin>, anyhow::Error> {
    let plugin = plugins.install(&read(file)?, Origin::Dir(file.to_owned()));
    plugin.with_context(|| file.display().to_string())
}

/// Reads a file.
///
/// # Errors
/// Names it.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, anyhow::Error> {
    std::fs::read(file).with_context(|| file.display().to_string())
}

/// The hooks that a plugin has.
pub(super) fn hooks(plugin: &Plugin) -> Vec<String> {
    plugin.hooks.names().into_iter().map(str::to_owned).collect()
}

/// `shipped`, or the file.
pub(super) fn origin(plugin: &Plugin) -> String {
    match &plugin.origin {
        Origin::Dir(file) => file.display().to_string(),
        other => other.as_str().to_owned(),
    }
}

/// `93 KB`
pub(super) fn size(bytes: usize) -> String {
    format!("{} KB", bytes.div_ceil(1_000))
}

fn small(config: &Config, cache: Cache) -> Config {
    let mut config = config.clone();
    config.plugins.instances_max = INSTANCES_MAX;
    config.plugins.large_instances_max = INSTANCES_MAX;
    if cache == Cache::Unused {
        config.plugins.cache_dir = Some(PathBuf::new());
    }
    config
}

fn compiler() -> Result<Compiler, anyhow::Error> {
    let program = std::env::current_exe().context("this program can't be found")?;
    Ok(Compiler::Process(program))
}

/// One command runs one plugin at a time; a few more are being cleared.
const INSTANCES_MAX: u32 = 16;
