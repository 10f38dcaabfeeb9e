//! What the operator types: `patchbay [serve]`, `patchbay check`, `patchbay key …`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;

mod announce;
mod check;
mod key;
mod serve;

/// A self-hosted LLM gateway that speaks OpenRouter's API and runs sandboxed plugins.
#[derive(Debug, Parser)]
#[command(name = "patchbay", version)]
struct Arguments {
    /// The configuration (TOML); without it, the defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (what happens without a command, too).
    Serve,
    /// Read the configuration and say what would be served.
    Check,
    /// Make, list and change keys.
    #[command(subcommand)]
    Key(key::Key),
}

/// Runs the program with the process's arguments.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = Config::read(arguments.config.as_deref()).and_then(|config| {
        match arguments.command.unwrap_or(Command::Serve) {
            Command::Serve => serve::run(config),
            Command::Check => check::run(&config),
            Command::Key(command) => key::run(&config, &command),
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            announce::error(&error);
            ExitCode::FAILURE
        }
    }
}
