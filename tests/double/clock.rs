//! The one clock of the double, and of the load program, which includes this file.

#![expect(clippy::disallowed_methods, reason = "this is where the double reads time")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds that two processes on one machine read alike. This is the wall clock, since the
/// standard library shows no other one that processes share: a clock set by hand during a
/// measurement spoils that measurement.
pub(crate) fn stamp_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
