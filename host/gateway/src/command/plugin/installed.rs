//! `patchbay plugin list` and `rollback`: what a gateway that started here would load, and the way
//! back to the version before.

use anyhow::Context;
use clap::Args;

use super::super::announce;
use super::sandbox;
use crate::config::Config;
use crate::plugin::{Folder, Plugin};

/// Which plugin goes back.
#[derive(Debug, Args)]
pub(in crate::command) struct Rollback {
    /// Its id.
    id: String,
}

/// A line for each plugin, and one for each file that was refused.
///
/// # Errors
/// When the folder can't be read.
pub(super) fn list(config: &Config) -> Result<(), anyhow::Error> {
    let plugins = sandbox::installed(config)?;
    let registry = plugins.snapshot();
    let folder = Folder::of(&config.plugins);
    for plugin in registry.list() {
        let id = &plugin.description.id;
        let kept = folder.as_ref().map_or(0, |folder| folder.kept(id).len());
        announce::line(&row(plugin, kept));
    }
    for refused in registry.refused() {
        announce::line(&format!("{}: {}", refused.file.display(), refused.error));
    }
    Ok(())
}

fn row(plugin: &Plugin, kept: usize) -> String {
    let about = &plugin.description;
    let mut row = format!(
        "{:<20} {:<9} {:<9} {:<8} {:<16} kept {kept}",
        about.id,
        about.version,
        about.kind.as_str(),
        plugin.lane.as_str(),
        sandbox::hooks(plugin).join(" "),
    );
    row.push_str(&format!("  {}", sandbox::origin(plugin)));
    for (what, list) in [("granted", plugin.granted()), ("missing", plugin.missing())] {
        if !list.is_empty() {
            row.push_str(&format!("  {what} {}", list.join(", ")));
        }
    }
    row
}

/// Makes the version before the current one current.
///
/// # Errors
/// When there is none.
pub(super) fn roll_back(config: &Config, rollback: &Rollback) -> Result<(), anyhow::Error> {
    let Rollback { id } = rollback;
    let folder = Folder::of(&config.plugins).context(NO_FOLDER)?;
    folder.roll_back(id)?;
    let installed = sandbox::installed(config)?;
    let registry = installed.snapshot();
    let now = registry.find(id).with_context(|| format!("{id} is gone"))?;
    announce::line(&format!(
        "{id} {} is the current version again ({})",
        now.description.version,
        sandbox::origin(now)
    ));
    Ok(())
}

/// Nothing can be installed where nothing is watched.
pub(super) const NO_FOLDER: &str = "plugins.dir is empty: there is no plugin folder";
