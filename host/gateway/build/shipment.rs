//! Shipped plugins without what only their tests and their linking need: their cases, which hold or
//! the program's own tests fail, and what the SDK's parts say of themselves, which the plugin's own
//! exports say again.

use std::fs;
use std::path::Path;

/// Writes a plugin as it is shipped.
///
/// # Errors
/// When a file can't be read or written, or is no module.
pub(crate) fn pack(from: &Path, to: &Path) -> Result<(), String> {
    let shown = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let wasm = fs::read(from).map_err(|error| shown(from, &error))?;
    let packed = packed(&wasm).ok_or_else(|| shown(from, &"this is no WebAssembly module"))?;
    fs::write(to, packed).map_err(|error| shown(to, &error))
}

/// A module is a header, and sections: a kind, a length, and so many bytes.
fn packed(wasm: &[u8]) -> Option<Vec<u8>> {
    let (header, mut rest) = wasm.split_at_checked(HEADER_BYTES)?;
    let mut packed = header.to_vec();
    while let Some((kind, behind)) = rest.split_first() {
        let (length, content) = number(behind)?;
        let (content, next) = content.split_at_checked(length)?;
        if *kind != CUSTOM || is_kept(name(content)?) {
            packed.extend_from_slice(rest.get(..rest.len() - next.len())?);
        }
        rest = next;
    }
    Some(packed)
}

fn is_kept(name: &[u8]) -> bool {
    let repeats = name.windows(REPEATED.len()).any(|part| part == REPEATED);
    name != CASES && !repeats
}

/// What a custom section begins with.
fn name(content: &[u8]) -> Option<&[u8]> {
    let (length, rest) = number(content)?;
    rest.get(..length)
}

/// LEB128: seven bits in each byte, the lowest first.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

const HEADER_BYTES: usize = 8;
const CUSTOM: u8 = 0;
const CASES: &[u8] = b"patchbay:cases";
const REPEATED: &[u8] = b"-with-all-of-its-exports-removed:";
