//! How much work one document may be, so that a small file cannot ask for endless work or memory.

use hayro_syntax::Filter;
use hayro_syntax::object::{Dict, Stream};
use std::borrow::Cow;

/// What is left of it.
#[derive(Debug)]
pub(crate) struct Budget {
    instructions: usize,
    glyphs: usize,
    bytes: usize,
}

impl Budget {
    /// For one page.
    pub(crate) const fn page() -> Self {
        Self { instructions: INSTRUCTIONS_MAX, glyphs: GLYPHS_MAX, bytes: DECODED_BYTES_MAX }
    }

    pub(crate) fn spend_instruction(&mut self) -> bool {
        spend(&mut self.instructions, 1)
    }

    pub(crate) fn spend_glyph(&mut self) -> bool {
        spend(&mut self.glyphs, 1)
    }

    /// Something was left out because of the limits.
    pub(crate) fn is_spent(&self) -> bool {
        self.instructions == 0 || self.glyphs == 0 || self.bytes == 0
    }
}

fn spend(left: &mut usize, count: usize) -> bool {
    let rest = left.checked_sub(count);
    *left = rest.unwrap_or(0);
    rest.is_some()
}

/// A stream's bytes, unpacked; none when they are broken or more than the budget has left.
pub(crate) fn decode<'a>(stream: &Stream<'a>, budget: &mut Budget) -> Option<Cow<'a, [u8]>> {
    let data = if is_plain_flate(stream) {
        Cow::Owned(inflate(&stream.raw_data(), budget.bytes)?)
    } else {
        // The other filters expand at most so many times.
        let expansion = match stream.filters().as_slice() {
            [] => 1,
            [Filter::AsciiHexDecode | Filter::Ascii85Decode] => 4,
            _ => EXPANSION_MAX,
        };
        if stream.raw_data().len().saturating_mul(expansion) > budget.bytes {
            spend(&mut budget.bytes, usize::MAX);
            return None;
        }
        stream.decoded_data().ok()?
    };
    spend(&mut budget.bytes, data.len()).then_some(data)
}

/// Whether it is packed by nothing but DEFLATE, which is nearly every stream.
fn is_plain_flate(stream: &Stream<'_>) -> bool {
    let predicts = stream
        .dict()
        .get::<Dict<'_>>(b"DecodeParms")
        .is_some_and(|parms| parms.get::<u32>(b"Predictor").is_some_and(|predictor| predictor > 1));
    stream.filters().as_slice() == [Filter::FlateDecode] && !predicts
}

/// Unpacks as much as is readable: streams that break off keep what came before.
pub(crate) fn inflate(packed: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    use miniz_oxide::inflate::{
        TINFLStatus, decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit,
    };
    let partial = |error: miniz_oxide::inflate::DecompressError| match error.status {
        TINFLStatus::HasMoreOutput => None,
        _ => (!error.output.is_empty()).then_some(error.output),
    };
    match decompress_to_vec_zlib_with_limit(packed, bytes_max) {
        Ok(data) => Some(data),
        // The checksum behind the data is wrong more often than the data.
        Err(error) => partial(error)
            .or_else(|| decompress_to_vec_with_limit(packed.get(2..)?, bytes_max).ok()),
    }
}

const INSTRUCTIONS_MAX: usize = 2_000_000;
const GLYPHS_MAX: usize = 200_000;
const DECODED_BYTES_MAX: usize = 16 << 20;
const EXPANSION_MAX: usize = 64;
