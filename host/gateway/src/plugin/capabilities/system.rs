//! `system`: time and randomness.

use std::time::Duration;

use super::super::bindings::system;
use super::super::cases;
use super::super::host::State;
use crate::clock;

impl system::Host for State {
    fn unix_ms(&mut self) -> wasmtime::Result<u64> {
        let script = self.view.outside.script();
        Ok(script.map_or_else(clock::unix_ms, |_| cases::UNIX_MS))
    }

    fn monotonic_ns(&mut self) -> wasmtime::Result<u64> {
        let script = self.view.outside.script();
        let uptime = script.map_or_else(clock::uptime, |_| Duration::ZERO);
        Ok(u64::try_from(uptime.as_nanos()).unwrap_or(u64::MAX))
    }

    fn random_bytes(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > RANDOM_BYTES_MAX {
            let why = format!("random-bytes gives at most {RANDOM_BYTES_MAX} bytes at a time");
            return Err(wasmtime::Error::msg(why));
        }
        let mut bytes = vec![0; length];
        if let Some(script) = self.view.outside.script() {
            script.random(&mut bytes);
            return Ok(bytes);
        }
        clock::random(&mut bytes).map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        Ok(bytes)
    }
}

/// Enough for seeds and names.
const RANDOM_BYTES_MAX: usize = 64 << 10;
