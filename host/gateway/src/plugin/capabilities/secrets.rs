//! `secrets`: names only. The host puts the value into an outgoing request.

use super::super::bindings::secrets;
use super::super::host::State;

impl secrets::Host for State {
    fn exists(&mut self, name: String) -> wasmtime::Result<bool> {
        Ok(self.grants.secrets.contains_key(&name))
    }
}
