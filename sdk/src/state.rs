//! A key-value store of the plugin's own, shared by all its instances, in the host's memory. It
//! never blocks. A value without `ttl_ms` stays until it is overwritten or the process ends.

pub use crate::bindings::base::patchbay::plugin::state::StateError;
use crate::{Error, host};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The value under `key`.
pub fn get(key: &str) -> Option<Vec<u8>> {
    host::state::get(key)
}

/// The value under `key`, if it is text.
pub fn get_text(key: &str) -> Option<String> {
    get(key).and_then(|value| String::from_utf8(value).ok())
}

/// The value under `key`, read as JSON.
///
/// # Errors
/// `Error::Internal` when it does not fit `T`; another version of the plugin may have written it.
pub fn get_json<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Error> {
    let Some(value) = get(key) else { return Ok(None) };
    serde_json::from_slice(&value)
        .map(Some)
        .map_err(|error| Error::Internal(format!("state `{key}`: {error}")))
}

/// Sets the value, written as JSON.
///
/// # Errors
/// As [`set`], and `Error::Internal` when it is no JSON.
pub fn set_json(key: &str, value: &impl Serialize, ttl_ms: Option<u64>) -> Result<(), Error> {
    let value = serde_json::to_vec(value)
        .map_err(|error| Error::Internal(format!("state `{key}`: {error}")))?;
    Ok(set(key, &value, ttl_ms)?)
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

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Quota => Self::Limit("the plugin's state is full".into()),
            StateError::TooLarge => Self::Limit("the state's key or value is too long".into()),
            StateError::NotANumber => Self::Internal("the state's value is no number".into()),
        }
    }
}
