//! How much work one document may be, so that a small file cannot ask for endless work or memory.

use hayro_syntax::Filter;
use hayro_syntax::object::{Dict, Stream};
use miniz_oxide::inflate::{
    DecompressError, TINFLStatus, decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit,
};
use std::borrow::Cow;

/// What is left of it.
#[derive(Debug)]
pub(crate) struct Budget {
    instructions: usize,
    glyphs: usize,
    bytes: usize,
    is_exceeded: bool,
}

impl Budget {
    /// For one page.
    pub(crate) const fn page() -> Self {
        Self {
            instructions: INSTRUCTIONS_MAX,
            glyphs: GLYPHS_MAX,
            bytes: DECODED_BYTES_MAX,
            is_exceeded: false,
        }
    }

    pub(crate) fn spend_instruction(&mut self) -> bool {
        let left = self.instructions.checked_sub(1);
        self.instructions = self.settle(left);
        left.is_some()
    }

    pub(crate) fn spend_glyph(&mut self) -> bool {
        let left = self.glyphs.checked_sub(1);
        self.glyphs = self.settle(left);
        left.is_some()
    }

    /// Something was left out because of the limits.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.is_exceeded
    }

    fn settle(&mut self, left: Option<usize>) -> usize {
        self.is_exceeded |= left.is_none();
        left.unwrap_or(0)
    }
}

/// A stream's bytes, unpacked; none when they are broken or more than the budget has left.
pub(crate) fn decode<'a>(stream: &Stream<'a>, budget: &mut Budget) -> Option<Cow<'a, [u8]>> {
    let raw = stream.raw_data();
    let data = match stream.filters().as_slice() {
        [] => raw,
        [Filter::FlateDecode] => {
            let (data, is_whole) = inflate(&raw, budget.bytes)?;
            budget.is_exceeded |= !is_whole;
            // What is predicted from its neighbours is no longer than what is unpacked.
            if !is_predicted(stream) {
                Cow::Owned(data)
            } else if is_whole {
                stream.decoded_data().ok()?
            } else {
                return None;
            }
        }
        // How much the other filters make of their data is not known before.
        _ if raw.len().saturating_mul(EXPANSION_MAX) > budget.bytes => {
            budget.is_exceeded = true;
            return None;
        }
        _ => stream.decoded_data().ok()?,
    };
    let left = budget.bytes.checked_sub(data.len());
    budget.bytes = budget.settle(left);
    left.map(|_| data)
}

fn is_predicted(stream: &Stream<'_>) -> bool {
    let parms = stream.dict().get::<Dict<'_>>(b"DecodeParms");
    let predictor = parms.and_then(|parms| parms.get::<u32>(b"Predictor"));
    predictor.is_some_and(|predictor| predictor > 1)
}

/// Unpacks as much as is readable and allowed, and says whether that is all there is: streams that
/// break off keep what came before.
fn inflate(packed: &[u8], bytes_max: usize) -> Option<(Vec<u8>, bool)> {
    match decompress_to_vec_zlib_with_limit(packed, bytes_max) {
        Ok(data) => Some((data, true)),
        Err(DecompressError { status: TINFLStatus::HasMoreOutput, output }) => {
            Some((output, false))
        }
        // The checksum behind the data is wrong more often than the data.
        Err(error) if !error.output.is_empty() => Some((error.output, true)),
        Err(_) => {
            let data = decompress_to_vec_with_limit(packed.get(2..)?, bytes_max).ok()?;
            Some((data, true))
        }
    }
}

const INSTRUCTIONS_MAX: usize = 2_000_000;
const GLYPHS_MAX: usize = 200_000;
const DECODED_BYTES_MAX: usize = 16 << 20;
const EXPANSION_MAX: usize = 24;
