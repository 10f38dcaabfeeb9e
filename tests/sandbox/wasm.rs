//! The plugins under test, as bytes: those that the gateway's build left, and variants of them.

use sha2::{Digest, Sha256};

/// `examples/plugin-template`.
pub(super) fn template() -> Vec<u8> {
    std::fs::read(env!("PATCHBAY_TEMPLATE_WASM")).unwrap()
}

/// `plugins/reasoning`, as it is shipped.
pub(super) fn reasoning() -> Vec<u8> {
    let beside = std::path::Path::new(env!("PATCHBAY_TEMPLATE_WASM"));
    std::fs::read(beside.with_file_name("shipped-reasoning.wasm")).unwrap()
}

/// `tests/plugins/caller`: `caller`, which calls what lies outside.
pub(super) fn caller() -> Vec<u8> {
    std::fs::read(env!("PATCHBAY_CALLER_WASM")).unwrap()
}

/// `tests/plugins/hostile`: `hostile`, a transform.
pub(super) fn hostile() -> Vec<u8> {
    std::fs::read(env!("PATCHBAY_HOSTILE_WASM")).unwrap()
}

/// The same as `hostile-guard`, a guard.
pub(super) fn hostile_guard() -> Vec<u8> {
    written_over(hostile(), b"hostile kind: transform", b"hostile kind: guard    ")
}

/// `tests/plugins/hostile`, which tells a lie in `describe`; `lies.rs` there has them.
pub(super) fn lying(bytes: Vec<u8>, lie: &str) -> Vec<u8> {
    let lie = format!("hostile lie: {lie:16}");
    written_over(bytes, b"hostile lie: none            ", lie.as_bytes())
}

/// `tests/plugins/censor`.
pub(super) fn censor() -> Vec<u8> {
    std::fs::read(env!("PATCHBAY_CENSOR_WASM")).unwrap()
}

fn written_over(mut bytes: Vec<u8>, before: &[u8], after: &[u8]) -> Vec<u8> {
    assert_eq!(before.len(), after.len());
    let found: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(before)).collect();
    assert_eq!(found.len(), 1, "it stands in the file once");
    bytes[found[0]..found[0] + after.len()].copy_from_slice(after);
    bytes
}

/// With one more custom section.
pub(super) fn with_section(bytes: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut section = leb128(name.len());
    section.extend(name.as_bytes());
    section.extend(content);
    let mut bytes = bytes.to_vec();
    bytes.push(0);
    bytes.extend(leb128(section.len()));
    bytes.extend(section);
    bytes
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Another version of a plugin: it does the same, and its bytes are not the same.
pub(super) fn version(bytes: &[u8], number: u8) -> Vec<u8> {
    with_section(bytes, "version", &[number])
}

/// What the gateway calls a file's digest.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
