//! `patchbay plugin test`: the cases of a plugin through the runtime that serves requests.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use memchr::memmem;

use super::super::announce;
use super::{build, sandbox};
use crate::clock;
use crate::config::Config;
use crate::plugin::CaseReport;

/// What to test.
#[derive(Debug, Args)]
pub(in crate::command) struct Test {
    /// The folder of its `Cargo.toml`, which is built, or a `.wasm` file.
    #[arg(default_value = ".")]
    plugin: PathBuf,
    /// A folder of further cases, for a plugin that was not built with `cases!`.
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
}

/// Runs the cases and says what held.
///
/// # Errors
/// When a case failed, or there is none.
pub(super) fn run(config: &Config, test: &Test) -> Result<(), anyhow::Error> {
    let own = test.plugin.join("cases");
    let (file, project) = match test.plugin.is_dir() {
        true => (build::wasm(&test.plugin)?, Some(own.as_path())),
        false => (test.plugin.clone(), None),
    };
    let wasm = sandbox::read(&file)?;
    let unlisted = match project {
        Some(folder) if folder.is_dir() => unlisted(&wasm, read(folder)?),
        _ => Vec::new(),
    };
    let more = test.cases.as_deref().map(read).transpose()?.unwrap_or_default();
    announce::line(&format!("Running the cases of {}", file.display()));
    let began = clock::now();
    let plugins = sandbox::empty(config, sandbox::Cache::Used)?;
    let tested = plugins.test(&wasm, &more);
    let (plugin, reports) = tested.with_context(|| file.display().to_string())?;
    reports.iter().for_each(|report| announce::line(&line(report)));
    for path in &unlisted {
        announce::line(&format!("FAILED  {path}: not listed in `cases!`"));
    }
    let count = reports.len().saturating_add(unlisted.len());
    let failed = reports.iter().filter(|report| report.failure.is_some()).count();
    let failed = failed.saturating_add(unlisted.len());
    let about = &plugin.description;
    let time = clock::now().duration_since(began);
    let totals = format!("{} {}: {count} cases, {failed} failed", about.id, about.version);
    anyhow::ensure!(
        count > 0,
        "{} has no cases: list them in `cases!`, or name their folder by --cases",
        about.id
    );
    anyhow::ensure!(failed == 0, totals);
    announce::line(&format!("{totals}, in {time:.0?}"));
    Ok(())
}

/// A case and how it went.
pub(super) fn line(report: &CaseReport) -> String {
    match &report.failure {
        None => format!("ok      {} ({} replays)", report.name, report.replays),
        Some(failure) => {
            let failure = failure.trim_end().replace('\n', "\n        ");
            format!("FAILED  {}\n        {failure}", report.name)
        }
    }
}

/// The cases of a folder: path and text.
fn read(folder: &Path) -> Result<Vec<(String, String)>, anyhow::Error> {
    let place = || folder.display().to_string();
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(place)? {
        let path = entry.with_context(place)?.path();
        if path.extension().is_some_and(|kind| kind == "json") {
            let text = std::fs::read_to_string(&path);
            let text = text.with_context(|| path.display().to_string())?;
            cases.push((path.display().to_string(), text));
        }
    }
    cases.sort();
    Ok(cases)
}

/// The cases that a build did not take up: `cases!` puts their text into the file as it is.
fn unlisted(wasm: &[u8], cases: Vec<(String, String)>) -> Vec<String> {
    let missing =
        cases.into_iter().filter(|(_, text)| memmem::find(wasm, text.as_bytes()).is_none());
    missing.map(|(path, _)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_the_build_does_not_carry_is_found() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("a.json", "{\"name\": 1}"), ("b.json", "{}"), ("c.md", "none")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let missing = unlisted(b"\0asm {\"name\": 1}", read(folder.path()).unwrap());
        assert_eq!(missing, [folder.path().join("b.json").display().to_string()]);
    }

    #[test]
    fn a_failure_stands_below_its_case() {
        let failure = Some("got    a\nwanted b\n".to_owned());
        let report = CaseReport { name: "it holds".to_owned(), replays: 5, failure };
        assert_eq!(line(&report), "FAILED  it holds\n        got    a\n        wanted b");
    }
}
