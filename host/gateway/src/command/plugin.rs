//! `patchbay plugin …`: what an author types (`new`, `build`, `test`), and what an operator does
//! with the file that comes out (`inspect`, `add`, `list`, `rollback`). None of it needs a gateway
//! that runs; one that does sees its folder change.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;

use crate::config::Config;

mod add;
mod build;
mod cases;
mod difference;
mod inspect;
mod installed;
mod project;
mod reach;
pub(super) mod sandbox;

/// What to do with plugins.
#[derive(Debug, Subcommand)]
pub(super) enum Plugin {
    /// Make a project for a plugin, with all that it needs to build.
    New(project::New),
    /// Build a plugin from the folder of its project.
    Build(build::Build),
    /// Run a plugin's cases in the sandbox, with replies cut in every way.
    Test(cases::Test),
    /// Show what a plugin is, what it wants and what it would get.
    Inspect(inspect::Inspect),
    /// Put a plugin into the plugin folder, after its cases and your word on what it may reach.
    Add(add::Add),
    /// List the plugins, as a gateway would load them.
    List,
    /// Go back to the version of a plugin before the current one.
    Rollback(installed::Rollback),
}

/// Runs one of them.
///
/// # Errors
/// What went wrong, with the fix.
pub(super) fn run(config: &Config, command: &Plugin) -> Result<(), anyhow::Error> {
    let config = &located(config)?;
    match command {
        Plugin::New(new) => project::run(new),
        Plugin::Build(build) => build::run(config, build),
        Plugin::Test(test) => cases::run(config, test),
        Plugin::Inspect(inspect) => inspect::run(config, inspect),
        Plugin::Add(add) => add::run(config, add),
        Plugin::List => installed::list(config),
        Plugin::Rollback(rollback) => installed::roll_back(config, rollback),
    }
}

/// The configuration with the plugin folder found. A gateway makes it where it is started; an
/// author mostly stands in a project below. So a relative `plugins.dir` is the nearest one here or
/// above.
fn located(config: &Config) -> Result<Config, anyhow::Error> {
    let mut config = config.clone();
    let dir = &config.plugins.dir;
    if !dir.as_os_str().is_empty() {
        let here = std::env::current_dir().context("the working directory can't be read")?;
        config.plugins.dir = nearest(&here, dir);
    }
    Ok(config)
}

fn nearest(here: &Path, dir: &Path) -> PathBuf {
    let mut found = here.ancestors().map(|above| above.join(dir));
    found.find(|dir| dir.is_dir()).unwrap_or_else(|| here.join(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_plugin_folder_above_is_the_one() {
        let root = tempfile::tempdir().unwrap();
        let project = root.path().join("a/shout");
        std::fs::create_dir_all(&project).unwrap();
        let name = Path::new("own.plugins.d");
        assert_eq!(nearest(&project, name), project.join(name));
        std::fs::create_dir(root.path().join(name)).unwrap();
        assert_eq!(nearest(&project, name), root.path().join(name));
        std::fs::create_dir(root.path().join("a").join(name)).unwrap();
        assert_eq!(nearest(&project, name), root.path().join("a").join(name));
        assert_eq!(nearest(&project, root.path()), root.path());
    }
}
