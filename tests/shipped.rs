//! The shipped plugins' own cases through the real binary: each case that needs nothing of the host
//! is played by an upstream and asked for on every surface that has all of it, streamed and not.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what is wrong by panicking, and what it has looked at"
)]

mod harness;
mod spoken;

mod shipped {
    mod case;
    mod codes;
    #[path = "../../host/gateway/src/plugin/cases/deltas.rs"]
    #[expect(dead_code, reason = "the host's own replay uses the rest")]
    mod deltas;
    mod exceptions;
    mod matrix;
    mod own;
    mod request;
    mod upstream;
}
