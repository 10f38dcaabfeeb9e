//! A key-value store of the plugin's own, shared by all its instances, in the host's memory. It
//! never blocks. A value without `ttl_ms` stays until it is overwritten or the process ends.

pub use crate::bindings::base::patchbay::plugin::state::StateError;
use crate::host;

/// The value under `key`.
pub fn get(key: &str) -> Option<Vec<u8>> {
    host::state::get(key)
}

/// Sets the value.
///
/// # Errors
/// When the plugin's quota is used up, or key or value are too long.
pub fn set(key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<(), StateError> {
    host::state::set(key, value, ttl_ms)
}

/// Forgets the value, if there is one.
pub fn delete(key: &str) {
    host::state::delete(key);
}

/// Adds to a decimal number, which begins at 0, and returns the sum. The time to live is set when
/// the number is made.
///
/// # Errors
/// As [`set`], and `NotANumber` when something else stands there.
pub fn increment(key: &str, by: i64, ttl_ms: Option<u64>) -> Result<i64, StateError> {
    host::state::increment(key, by, ttl_ms)
}

/// Sets the value if it is `expected` (`None`: absent). Says whether it did.
///
/// # Errors
/// As [`set`].
pub fn compare_and_set(
    key: &str,
    expected: Option<&[u8]>,
    value: &[u8],
    ttl_ms: Option<u64>,
) -> Result<bool, StateError> {
    host::state::compare_and_set(key, expected, value, ttl_ms)
}
