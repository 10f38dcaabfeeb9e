//! Upstream doubles that speak each dialect, recordings through the running gateway, and official clients.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "upstreams/clients.rs"]
mod clients;
#[path = "upstreams/conversation.rs"]
mod conversation;
#[path = "upstreams/everywhere.rs"]
mod everywhere;
mod harness;
#[path = "upstreams/passthrough.rs"]
mod passthrough;
#[path = "upstreams/recorded.rs"]
mod recorded;
#[path = "upstreams/recording.rs"]
mod recording;
#[path = "upstreams/same_reply.rs"]
mod same_reply;
#[path = "upstreams/sim.rs"]
mod sim;
mod spoken;
#[path = "upstreams/told.rs"]
mod told;
