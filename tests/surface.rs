//! What clients see of the real binary: statuses, shapes, keys, money, limits, streams that fail
//! or stall.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod harness;

#[path = "surface/answers.rs"]
mod answers;
#[path = "surface/choices.rs"]
mod choices;
#[path = "surface/commands.rs"]
mod commands;
#[path = "surface/errands.rs"]
mod errands;
#[path = "surface/fallback.rs"]
mod fallback;
#[path = "surface/features.rs"]
mod features;
#[path = "surface/http2.rs"]
mod http2;
#[path = "surface/index_command.rs"]
mod index_command;
#[path = "surface/kept.rs"]
mod kept;
#[path = "surface/keys.rs"]
mod keys;
#[path = "surface/leaving.rs"]
mod leaving;
#[path = "surface/models.rs"]
mod models;
#[path = "surface/online.rs"]
mod online;
#[path = "surface/plugin_command.rs"]
mod plugin_command;
#[path = "surface/plugin_defaults.rs"]
mod plugin_defaults;
#[path = "surface/refusals.rs"]
mod refusals;
#[path = "surface/serving.rs"]
mod serving;
#[path = "surface/slow.rs"]
mod slow;
#[path = "surface/stopping.rs"]
mod stopping;
#[path = "surface/streams.rs"]
mod streams;
#[path = "surface/timeouts.rs"]
mod timeouts;
#[path = "surface/told.rs"]
mod told;
