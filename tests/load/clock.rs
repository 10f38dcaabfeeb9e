//! The load program's clocks: its own for durations, and the one it shares with the double.

#![expect(clippy::disallowed_methods, reason = "this is where the load program reads time")]

use std::time::Instant;

#[path = "../double/clock.rs"]
mod shared;

pub(crate) use shared::stamp_ns;

/// A clock that never goes back, for durations within this process.
pub(crate) fn now() -> Instant {
    Instant::now()
}
