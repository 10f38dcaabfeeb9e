//! Plugins in the real binary: hostile ones, hot swap under load, and the ledger after `kill -9`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "upstreams/conversation.rs"]
#[expect(dead_code, reason = "others use the rest")]
mod conversation;
mod harness;
#[path = "spoken.rs"]
mod spoken;

mod sandbox {
    mod bypass;
    mod caller;
    mod crash;
    mod entities;
    mod harm;
    mod hostile;
    mod options;
    mod outside;
    mod swap;
    mod tools;
    mod trial;
    mod triggers;
    mod upstream;
    mod wasi;
    mod wasm;
}
