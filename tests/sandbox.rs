//! Plugins in the real binary: hostile ones, hot swap under load, and the ledger after `kill -9`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod harness;
#[path = "spoken.rs"]
mod spoken;

mod sandbox {
    mod bypass;
    mod crash;
    mod harm;
    mod hostile;
    mod options;
    mod outside;
    mod swap;
    mod trial;
    mod upstream;
    mod wasi;
    mod wasm;
}
