//! Names of secrets. The host puts a value into an outgoing request ([`http`](crate::http)); the
//! plugin never holds it. Wanted as `secrets=EXA_KEY`.

pub use crate::bindings::base::patchbay::plugin::secrets::{Binding, Placement};
use crate::host;

/// Whether the operator set and granted this secret.
pub fn exists(name: &str) -> bool {
    host::secrets::exists(name)
}
