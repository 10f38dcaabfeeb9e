//! Ways in which gateways are known to fail, each with a test of the real binary that names it.
//! What can be seen without a process has its test beside the code that must not fail.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "failures/abort.rs"]
mod abort;
#[path = "surface/answers.rs"]
#[expect(dead_code, reason = "the other tests use more of it")]
mod answers;
#[path = "failures/calls.rs"]
mod calls;
#[path = "failures/encoding.rs"]
mod encoding;
#[path = "failures/framing.rs"]
mod framing;
mod harness;
#[path = "failures/hop.rs"]
mod hop;
#[path = "failures/inside_200.rs"]
mod inside_200;
#[path = "failures/invoices.rs"]
mod invoices;
#[path = "failures/left_behind.rs"]
mod left_behind;
mod spoken;
#[path = "upstreams/told.rs"]
#[expect(dead_code, reason = "the other tests use more of it")]
mod told;
#[path = "failures/transcript.rs"]
mod transcript;
#[path = "failures/turns.rs"]
mod turns;
#[path = "conformance/upstream.rs"]
#[expect(dead_code, reason = "the conformance suite uses more of it")]
mod upstream;
#[path = "failures/usage_chunk.rs"]
mod usage_chunk;
