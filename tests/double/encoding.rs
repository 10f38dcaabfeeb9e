//! Content encodings, each without compression: a block for every event, so that whoever decodes
//! can show each as it arrives, and no dependency.

use serde::Deserialize;

use crate::gzip::Gzip;

/// A content encoding by its name in `content-encoding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Encoding {
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Br,
    /// RFC 8878.
    Zstd,
}

impl Encoding {
    /// The name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Br => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Starts a body.
    pub(crate) fn encoder(self) -> Encoder {
        match self {
            Self::Gzip => Encoder::Gzip(Gzip::new()),
            Self::Br => Encoder::Br { is_begun: false },
            Self::Zstd => Encoder::Zstd { is_begun: false },
        }
    }
}

/// A body that is written piece by piece.
pub(crate) enum Encoder {
    /// See [`Gzip`].
    Gzip(Gzip),
    /// Meta-blocks that are not compressed (RFC 7932 §9.2).
    Br {
        /// Whether the stream's header was written.
        is_begun: bool,
    },
    /// Raw blocks (RFC 8878 §3.1.1.2).
    Zstd {
        /// Whether the frame's header was written.
        is_begun: bool,
    },
}

impl Encoder {
    /// The next bytes, which hold all of `plain`.
    pub(crate) fn write(&mut self, plain: &[u8]) -> Vec<u8> {
        match self {
            Self::Gzip(gzip) => gzip.write(plain),
            Self::Br { is_begun } => {
                plain.chunks(BLOCK).flat_map(|block| meta_block(is_begun, block)).collect()
            }
            Self::Zstd { is_begun } => {
                let mut out = zstd_head(is_begun);
                plain.chunks(BLOCK).for_each(|block| out.extend(raw_block(false, block)));
                out
            }
        }
    }

    /// The last bytes.
    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Gzip(gzip) => gzip.finish(),
            // The last meta-block, empty; before it the window's size where nothing said it yet.
            Self::Br { is_begun: true } => vec![0b11],
            Self::Br { is_begun: false } => vec![0b110],
            Self::Zstd { mut is_begun } => {
                let mut out = zstd_head(&mut is_begun);
                out.extend(raw_block(true, &[]));
                out
            }
        }
    }
}

/// One meta-block: not the last, four nibbles of length, not compressed. The first has the window's
/// size (16 bits: one zero bit) before it; the data begin at a whole byte.
fn meta_block(is_begun: &mut bool, block: &[u8]) -> Vec<u8> {
    let length = u32::try_from(block.len()).unwrap_or_default().saturating_sub(1);
    let header = (length << 3) | (1 << 19);
    let header = if std::mem::replace(is_begun, true) { header } else { header << 1 };
    let [first, second, third, _] = header.to_le_bytes();
    [&[first, second, third], block].concat()
}

/// Magic, no flags, a window of 128 KB.
fn zstd_head(is_begun: &mut bool) -> Vec<u8> {
    if std::mem::replace(is_begun, true) {
        return Vec::new();
    }
    vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]
}

fn raw_block(is_last: bool, block: &[u8]) -> Vec<u8> {
    let length = u32::try_from(block.len()).unwrap_or_default();
    let [first, second, third, _] = ((length << 3) | u32::from(is_last)).to_le_bytes();
    [&[first, second, third], block].concat()
}

/// The most bytes in a block; each of the three can say as much.
const BLOCK: usize = 1 << 15;
