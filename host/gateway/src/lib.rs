//! The program `patchbay`, as a library so that its binary stays thin and benchmarks reach it.
//!
//! `generation.rs` is the place to begin: the life of one generation in one function.

pub mod command;
pub mod config;

mod api;
mod app;
mod auth;
mod billing;
mod clock;
mod error;
mod generation;
mod limit;
mod plugin;
mod routing;
mod sim;
mod store;
mod telemetry;
mod tokens;
mod upstream;

#[doc(hidden)]
pub use plugin::bench;
