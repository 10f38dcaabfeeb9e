//! What the operator types: `patchbay [serve]`, `patchbay check`, `patchbay key …`,
//! `patchbay plugin …`, `patchbay index …`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::plugin::{COMPILE_COMMAND, compile_input};

mod announce;
mod check;
mod index;
mod key;
mod plugin;
mod resources;
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
    /// Compile one plugin, from standard input to standard output; what a gateway calls itself for.
    #[command(name = COMPILE_COMMAND, hide = true)]
    CompilePlugin {
        /// The memory it may take.
        bytes_max: u64,
    },
    /// Make, list and change keys.
    #[command(subcommand)]
    Key(key::Key),
    /// Make, build, test, inspect, install and list plugins.
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Fill, ask, list and remove the indexes that plugins search.
    #[command(subcommand)]
    Index(index::Index),
}

/// Runs the program with the process's arguments.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let command = arguments.command.unwrap_or(Command::Serve);
    // What another process reads is written there, without a word of ours before it.
    if let Command::CompilePlugin { bytes_max } = command {
        return compile_input(bytes_max);
    }
    let config = Config::read(arguments.config.as_deref());
    let result = config.and_then(|config| match command {
        Command::Serve | Command::CompilePlugin { .. } => serve::run(config),
        Command::Check => check::run(&config),
        Command::Key(command) => key::run(&config, &command),
        Command::Plugin(command) => plugin::run(&config, &command),
        Command::Index(command) => index::run(&config, &command),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            announce::error(&error);
            ExitCode::FAILURE
        }
    }
}
