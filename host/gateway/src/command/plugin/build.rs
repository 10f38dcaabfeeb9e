//! `patchbay plugin build`: cargo with the target and the profile that plugins are made with.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use clap::Args;
use serde::Deserialize;

use super::super::announce;
use super::sandbox;
use crate::config::Config;

/// What to build.
#[derive(Debug, Args)]
pub(in crate::command) struct Build {
    /// The folder of its `Cargo.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// Builds a plugin and says what came out.
///
/// # Errors
/// When it does not build, or what came out is no plugin.
pub(super) fn run(config: &Config, build: &Build) -> Result<(), anyhow::Error> {
    let wasm = wasm(&build.dir)?;
    // Whether its cases hold is not asked here.
    let tested = sandbox::empty(config, sandbox::Cache::Unused)?.test(&sandbox::read(&wasm)?, &[]);
    let (plugin, _) = tested.with_context(|| wasm.display().to_string())?;
    announce::line(&format!(
        "{}\n{}, compiled to machine code in {:.0?}",
        wasm.display(),
        sandbox::size(plugin.bytes),
        plugin.compiled_in
    ));
    Ok(())
}

/// Builds a plugin. What cargo has to say goes to standard error.
///
/// # Errors
/// When cargo or the target is missing, or it does not build.
pub(super) fn wasm(dir: &Path) -> Result<PathBuf, anyhow::Error> {
    let place = || format!("{} has no Cargo.toml", dir.display());
    let manifest = dir.join("Cargo.toml").canonicalize().with_context(place)?;
    let dir = manifest.parent().unwrap_or(dir);
    add_target_if_missing(dir)?;
    let mut cargo = command("cargo", dir);
    cargo
        .args(["build", "--lib", "--target", TARGET, "--profile", "plugin"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit());
    let missing = "cargo does not run; install Rust from https://rustup.rs";
    let built = cargo.output().context(missing)?;
    anyhow::ensure!(built.status.success(), "{} does not build", dir.display());
    let printed = String::from_utf8_lossy(&built.stdout);
    let artefacts = printed.lines().filter_map(|line| serde_json::from_str::<Artefact>(line).ok());
    let own = artefacts.filter(|artefact| artefact.manifest_path == manifest);
    let wasm = own.flat_map(|artefact| artefact.filenames).find(|file| is_wasm(file));
    wasm.with_context(|| {
        format!("{}: no .wasm came out; [lib] needs crate-type = [\"cdylib\"]", manifest.display())
    })
}

/// One of cargo's messages: something that it made.
#[derive(Debug, Deserialize)]
struct Artefact {
    manifest_path: PathBuf,
    filenames: Vec<PathBuf>,
}

fn is_wasm(file: &Path) -> bool {
    file.extension() == Some(OsStr::new("wasm"))
}

/// The toolchain of that folder may lack the plugins' target; rustup can add it.
fn add_target_if_missing(dir: &Path) -> Result<(), anyhow::Error> {
    let printed = command("rustc", dir)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("rustc does not run; install Rust from https://rustup.rs")?;
    let folder = PathBuf::from(String::from_utf8_lossy(&printed.stdout).trim());
    if printed.status.success() && folder.is_dir() {
        return Ok(());
    }
    announce::line(&format!("Plugins are built for {TARGET}: rustup target add {TARGET}"));
    let added = command("rustup", dir).args(["target", "add", TARGET]).status();
    anyhow::ensure!(
        added.is_ok_and(|status| status.success()),
        "this toolchain lacks the target {TARGET}; add it with `rustup target add {TARGET}` \
         (without rustup: install your distribution's Rust standard library for that target)"
    );
    Ok(())
}

/// A tool of the toolchain that the folder uses. Flags meant for this machine's own programs would
/// be wrong for WebAssembly.
fn command(program: &str, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir);
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        command.env_remove(name);
    }
    command
}

const TARGET: &str = "wasm32-unknown-unknown";
