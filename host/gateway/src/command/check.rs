//! `patchbay check`: reads everything that a start would read, changes nothing.

use super::announce;
use crate::config::Config;
use crate::config::catalog::Catalog;

/// Checks the configuration.
///
/// # Errors
/// What a start would fail of.
pub(super) fn run(config: &Config) -> Result<(), anyhow::Error> {
    let catalog = Catalog::build(config, |name| std::env::var(name).ok())?;
    announce::line(&announce::models(&catalog));
    announce::line("The configuration is good.");
    Ok(())
}
