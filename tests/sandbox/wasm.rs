//! The plugins under test, as bytes: those that the gateway's build left, and variants of them.

use sha2::{Digest, Sha256};

/// `examples/plugin-template`.
pub(super) fn template() -> Vec<u8> {
    std::fs::read(env!("PATCHBAY_TEMPLATE_WASM")).unwrap()
}

/// `plugins/reasoning`, as it is shipped.
pub(super) fn reasoning() -> Vec<u8> {
    let beside = std::path::Path::new(env!("PATCHBAY_TEMPLATE_WASM"));
    std::fs::read(beside.with_file_name("plugin-reasoning.wasm")).unwrap()
}

/// `tests/plugins/hostile`: `hostile`, a transform.
pub(super) fn hostile() -> Vec<u8> {
    std::fs::read(env!("PATCHBAY_HOSTILE_WASM")).unwrap()
}

/// The same as `hostile-guard`, a guard.
pub(super) fn hostile_guard() -> Vec<u8> {
    const KIND: &[u8] = b"hostile kind: transform";
    const GUARD: &[u8] = b"hostile kind: guard    ";
    let mut bytes = hostile();
    let found: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(KIND)).collect();
    assert_eq!(found.len(), 1, "the kind stands in the file once");
    bytes[found[0]..found[0] + KIND.len()].copy_from_slice(GUARD);
    bytes
}

/// Another version of a plugin: it does the same, and its bytes are not the same.
pub(super) fn version(bytes: &[u8], number: u8) -> Vec<u8> {
    let name = b"version";
    let mut bytes = bytes.to_vec();
    // A custom section: its id, its length, its name's length, its name, its content.
    bytes.extend([0, 9, 7]);
    bytes.extend(name);
    bytes.push(number);
    bytes
}

/// What the gateway calls a file's digest.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
