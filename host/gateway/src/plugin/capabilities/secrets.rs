//! `secrets`: names only. The host puts the value into an outgoing request.

use super::super::bindings::secrets;
use super::super::host::State;

impl secrets::Host for State {
    fn exists(&mut self, name: String) -> wasmtime::Result<bool> {
        let exists = self.grants.secrets.contains_key(&name);
        if let Some(script) = self.view.outside.script().filter(|_| !exists) {
            script.note_no_secret(&name);
        }
        Ok(exists)
    }
}
