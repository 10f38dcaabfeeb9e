//! Conformance: every official client, and every surface in its own words, against every upstream
//! dialect. Both tests print a matrix in which every cell is `ok` or has its reason.
//!
//! Everything is found by folder: `upstreams/<dialect>/<feature>/` is what an upstream of that
//! dialect sends, `surfaces/<surface>/` what a client of that surface asks, `schemas/` what bodies
//! must look like, and `tests/clients/clients.json` which clients there are. What is not served yet
//! is a reason, and comes to life by itself once it is.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod harness;

#[path = "conformance/calls.rs"]
mod calls;
#[path = "conformance/clients.rs"]
mod clients;
#[path = "conformance/matrix.rs"]
mod matrix;
#[path = "conformance/schema.rs"]
mod schema;
#[path = "conformance/stage.rs"]
mod stage;
#[path = "conformance/surfaces.rs"]
mod surfaces;
#[path = "conformance/upstream.rs"]
mod upstream;
