//! Time and randomness, without WASI.

use crate::host;

/// Milliseconds since 1970.
pub fn unix_ms() -> u64 {
    host::system::unix_ms()
}

/// Nanoseconds of a clock that never goes back.
pub fn monotonic_ns() -> u64 {
    host::system::monotonic_ns()
}

/// Bytes that nobody can guess. The host bounds `length`.
pub fn random_bytes(length: u32) -> Vec<u8> {
    host::system::random_bytes(length)
}
