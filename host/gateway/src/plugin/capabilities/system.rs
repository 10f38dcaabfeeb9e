//! `system`: time and randomness.

use super::super::bindings::system;
use super::super::host::State;
use crate::clock;

impl system::Host for State {
    fn unix_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(clock::unix_ms())
    }

    fn monotonic_ns(&mut self) -> wasmtime::Result<u64> {
        Ok(u64::try_from(clock::uptime().as_nanos()).unwrap_or(u64::MAX))
    }

    fn random_bytes(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > RANDOM_BYTES_MAX {
            let why = format!("random-bytes gives at most {RANDOM_BYTES_MAX} bytes at a time");
            return Err(wasmtime::Error::msg(why));
        }
        let mut bytes = vec![0; length];
        clock::random(&mut bytes).map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        Ok(bytes)
    }
}

/// Enough for seeds and names.
const RANDOM_BYTES_MAX: usize = 64 << 10;
