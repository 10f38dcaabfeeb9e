//! `patchbay plugin add`: a plugin into the folder that gateways watch. First it passes its cases;
//! then whoever installs it decides on what it may reach.
//!
//! Nothing becomes reachable unasked. Without a terminal and without `--yes`, a plugin is installed
//! without what is missing; a version that would reach more by a grant in force is refused.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::super::announce;
use super::{cases, inspect, installed, reach, sandbox};
use crate::config::Config;
use crate::plugin::{Folder, Plugin};

/// What to install.
#[derive(Debug, Args)]
pub(in crate::command) struct Add {
    /// A `.wasm` file, or the folder of a project, which is built.
    plugin: PathBuf,
    /// Grant what it wants, without asking.
    #[arg(long)]
    yes: bool,
}

/// Installs it.
///
/// # Errors
/// When the gateway would refuse it, a case fails, or it was not let in.
pub(super) fn run(config: &Config, add: &Add) -> Result<(), anyhow::Error> {
    let folder = Folder::of(&config.plugins).context(installed::NO_FOLDER)?;
    let file = inspect::file(&add.plugin)?;
    let known = sandbox::installed(config)?;
    let registry = known.snapshot();
    // Versions share what is granted: it is asked for before the new one is there.
    let reached: BTreeMap<_, _> =
        registry.list().map(|it| (it.description.id.clone(), it.granted())).collect();
    check_cases(config, &file)?;
    // As a gateway with all that is installed would: another's suffix is refused here.
    let plugin = sandbox::load_into(&known, &file)?;
    let about = &plugin.description;
    announce::line(&format!("{} {}: {}", about.id, about.version, about.summary));
    let before = registry.find(&about.id);
    if let Some(before) = before {
        announce::line(&inspect::against(before, &plugin));
    }
    let granted = decide(&plugin, reached.get(&about.id), add.yes)?;
    if !granted.is_empty() {
        // First, so that no request meets the version without them.
        folder.grant(&about.id, &granted)?;
        for unset in reach::unset_secrets(config, &about.id, &granted) {
            announce::line(&format!("It may use a secret that is not there yet: {unset}"));
        }
    }
    let is_new = !config.plugins.dir.is_dir();
    let file = folder.install(&about.id, &plugin.wasm)?;
    // The next command is often a request that names it.
    std::thread::sleep(NOTICE);
    let next = match is_new {
        // A gateway makes its folder when it starts: this one is not that of any.
        true => {
            "This folder was not there before: no gateway watches it yet. For one that runs, do \
                 this in the folder where it was started, or below"
        }
        false => "A gateway that watches the folder serves it from now on",
    };
    let (id, version) = (&about.id, &about.version);
    announce::line(&format!("Installed {id} {version} as {}. {next}.", file.display()));
    Ok(())
}

/// Runs its cases before anything of it is let in.
fn check_cases(config: &Config, file: &Path) -> Result<(), anyhow::Error> {
    let wasm = sandbox::read(file)?;
    let tested = sandbox::empty(config, sandbox::Cache::Used)?.test(&wasm, &[]);
    let (_, reports) = tested.with_context(|| file.display().to_string())?;
    let failed: Vec<_> = reports.iter().filter(|report| report.failure.is_some()).collect();
    failed.iter().for_each(|report| announce::line(&cases::line(report)));
    let (count, failed) = (reports.len(), failed.len());
    anyhow::ensure!(
        failed == 0,
        "{failed} of {count} cases failed; nothing was installed (`patchbay plugin test {}`)",
        file.display()
    );
    announce::line(&match count {
        0 => "It carries no cases: nothing shows that it works.".to_owned(),
        count => format!("{count} cases passed."),
    });
    Ok(())
}

/// What is granted to it from now on, beside what is. `reached` is what the version before it
/// reaches, if there is one.
fn decide(
    plugin: &Plugin,
    reached: Option<&Vec<String>>,
    is_sure: bool,
) -> Result<Vec<String>, anyhow::Error> {
    let about = &plugin.description;
    let (mut wider, missing) = (plugin.granted(), plugin.missing());
    for it in &wider {
        announce::line(&format!("It reaches, by a grant in force: {it}"));
    }
    // What was granted before there was a version was written down for the first.
    wider.retain(|it| reached.is_some_and(|reached| !reached.contains(it)));
    let grantable = reach::grantable(&missing);
    for want in &missing {
        announce::line(&format!("It wants, and was not granted: {want}"));
    }
    let is_asked = !wider.is_empty() || !grantable.is_empty();
    let is_granted = !is_asked || is_sure || ask(&about.id)?;
    anyhow::ensure!(
        is_granted || wider.is_empty(),
        "nothing was installed: {} {} would reach more than before ({}); --yes allows it",
        about.id,
        about.version,
        wider.join(", ")
    );
    let without = missing.into_iter().filter(|want| !is_granted || !grantable.contains(want));
    let without: Vec<_> = without.collect();
    if !without.is_empty() {
        let fix = reach::fix(&about.id, &without);
        announce::line(&format!("It goes without {}; to grant it: {fix}", without.join(", ")));
    }
    Ok(if is_granted { grantable } else { Vec::new() })
}

/// Asks whoever sits there; nobody says no.
fn ask(id: &str) -> Result<bool, anyhow::Error> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    announce::line(&format!("Let {id} reach that? [y/N]"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// A gateway that watches the folder looks twice whether a file is whole, and loads it: what it
/// compiles to is known already.
const NOTICE: Duration = Duration::from_millis(500);
