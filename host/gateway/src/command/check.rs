//! `patchbay check`: reads everything that a start would read, changes nothing.

use super::announce;
use super::plugin::sandbox;
use crate::config::Config;
use crate::config::catalog::Catalog;

/// Checks the configuration, and the plugins by it.
///
/// # Errors
/// What a start would fail of; and what it only warns of, as it may be put right while it runs:
/// tables of plugins that are not there, grants and secrets that nothing comes of, files of the
/// plugin folder that are refused.
pub(super) fn run(config: &Config) -> Result<(), anyhow::Error> {
    let catalog = Catalog::build(config, |name| std::env::var(name).ok())?;
    announce::line(&announce::models(&catalog));
    let registry = sandbox::installed(config)?.snapshot();
    let refused = registry.refused().into_iter();
    let refused = refused.map(|it| format!("{}: {}", it.file.display(), it.error));
    let idle = registry.list().flat_map(|plugin| plugin.idle());
    let idle = idle.map(|it| format!("nothing comes of {it}"));
    let strangers = registry.strangers(config).into_iter();
    let wrong: Vec<String> = strangers.chain(idle).chain(refused).collect();
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    announce::line("The configuration is good.");
    Ok(())
}
