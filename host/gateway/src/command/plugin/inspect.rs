//! `patchbay plugin inspect`: what a plugin is, what it wants, and what it would get here.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::super::announce;
use super::{build, difference, reach, sandbox};
use crate::config::{Config, OnError};
use crate::plugin::{Plugin, Plugins, embedded_cases};

/// What to look at.
#[derive(Debug, Args)]
pub(in crate::command) struct Inspect {
    /// A `.wasm` file, the folder of a project (which is built), or else the id of a plugin that
    /// is installed.
    plugin: String,
}

/// Says it.
///
/// # Errors
/// When a gateway would refuse it, or there is none.
pub(super) fn run(config: &Config, inspect: &Inspect) -> Result<(), anyhow::Error> {
    let path = Path::new(&inspect.plugin);
    let known = sandbox::installed(config)?;
    if !path.exists() {
        let plugin = find(&known, &inspect.plugin)?;
        announce::line(&text(&plugin, None)?);
        return Ok(());
    }
    let file = file(path)?;
    // Compiled anew for the time that it takes, and loaded beside what is installed for the rest.
    let compiled_in = sandbox::load(config, &file, sandbox::Cache::Unused)?.compiled_in;
    let before = known.snapshot();
    let plugin = sandbox::load_into(&known, &file)?;
    announce::line(&text(&plugin, Some(compiled_in))?);
    if let Some(before) = before.find(&plugin.description.id) {
        announce::line(&against(before, &plugin));
    }
    Ok(())
}

/// The `.wasm` that a path stands for; a project is built.
///
/// # Errors
/// When it does not build.
pub(super) fn file(path: &Path) -> Result<PathBuf, anyhow::Error> {
    if path.is_dir() { build::wasm(path) } else { Ok(path.to_owned()) }
}

/// How a plugin differs from the installed one.
pub(super) fn against(before: &Plugin, after: &Plugin) -> String {
    let about = &before.description;
    let mut text =
        format!("\nAgainst {} {} ({}):", about.id, about.version, sandbox::origin(before));
    let changes = match before.digest == after.digest {
        true => vec!["the same file".to_owned()],
        false => difference::between(before, after),
    };
    for change in changes {
        let _ = write!(text, "\n  {change}");
    }
    text
}

fn find(installed: &Plugins, id: &str) -> Result<Arc<Plugin>, anyhow::Error> {
    let known = installed.snapshot();
    let found = known.find(id).map(Arc::clone);
    found.with_context(|| {
        let all: Vec<_> = known.list().map(|plugin| plugin.description.id.clone()).collect();
        format!("{id} is no file and no plugin; there are {}", all.join(", "))
    })
}

/// All there is to say, as lines.
fn text(plugin: &Plugin, compiled_in: Option<Duration>) -> Result<String, anyhow::Error> {
    let about = &plugin.description;
    let mut text = format!("{} {}: {}", about.id, about.version, about.summary);
    let mut line = |what: &str, value: &str| {
        let value = value.replace('\n', "\n               ");
        let _ = write!(text, "\n  {what:<13}{value}");
    };
    line("kind", about.kind.as_str());
    line("hooks", &list(&sandbox::hooks(plugin)));
    line("lane", plugin.lane.as_str());
    let on_error = match plugin.on_error {
        OnError::Open => "open: the generation goes on without it",
        OnError::Closed => "closed: the generation ends",
    };
    line("on error", on_error);
    line("triggers", &list(&about.triggers_shown()));
    line("from", &sandbox::origin(plugin));
    line("size", &sandbox::size(plugin.bytes));
    line("SHA-256", &plugin.digest);
    if let Some(time) = compiled_in {
        line("compiled in", &format!("{time:.0?}"));
    }
    line("cases", &embedded_cases(&plugin.wasm)?.len().to_string());
    line("wants", &list(&about.capabilities));
    line("granted", &list(&plugin.granted()));
    let missing = plugin.missing();
    line("missing", &list(&missing));
    if !missing.is_empty() {
        line("", &reach::fix(&about.id, &missing));
    }
    let limits = difference::limits(&plugin.limits);
    let limits: Vec<_> = limits.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    line("limits", &limits.join("\n"));
    line("options", &pretty(about.options.as_str()));
    Ok(text)
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn pretty(json: &str) -> String {
    let parsed = serde_json::from_str::<serde_json::Value>(json);
    let pretty = parsed.and_then(|value| serde_json::to_string_pretty(&value));
    pretty.unwrap_or_else(|_| json.to_owned())
}
