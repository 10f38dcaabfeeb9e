//! The parts of a zip archive, unpacked within a bound.

use crate::parsed::Failure;
use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipSliceArchive};
use std::collections::HashMap;
use std::io::Read;

/// An archive, and how much may still be unpacked of it.
pub(crate) struct Archive<'b> {
    zip: ZipSliceArchive<&'b [u8]>,
    parts: HashMap<String, Part>,
    bytes_left: u64,
}

#[derive(Clone, Copy)]
struct Part {
    place: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    is_encrypted: bool,
}

impl<'b> Archive<'b> {
    pub(crate) fn open(bytes: &'b [u8]) -> Result<Self, Failure> {
        let zip = ZipArchive::from_slice(bytes).map_err(|_| BROKEN)?;
        let mut parts = HashMap::new();
        let mut entries = zip.entries();
        while let Some(entry) = entries.next_entry().map_err(|_| BROKEN)? {
            let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
            let part = Part {
                place: entry.wayfinder(),
                method: entry.compression_method(),
                is_encrypted: entry.flags().is_encrypted(),
            };
            parts.entry(name).or_insert(part);
        }
        Ok(Self { zip, parts, bytes_left: UNPACKED_BYTES_MAX })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.parts.contains_key(name)
    }

    /// A part's text; `None` if there is no such part.
    ///
    /// # Errors
    /// When it is packed wrongly or with a password, or unpacks to too much.
    pub(crate) fn part(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let Some(part) = self.parts.get(name).copied() else { return Ok(None) };
        if part.is_encrypted {
            return Err(Failure::Encrypted);
        }
        let entry = self.zip.get_entry(part.place).map_err(|_| BROKEN)?;
        // One byte more than allowed tells a bomb. The size that the archive claims tells nothing.
        let bytes_max = self.bytes_left.saturating_add(1);
        let bytes = match part.method {
            CompressionMethod::STORE => unpack(entry.data(), bytes_max),
            CompressionMethod::DEFLATE => unpack(DeflateDecoder::new(entry.data()), bytes_max),
            _ => None,
        };
        let bytes = bytes.ok_or(BROKEN)?;
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes_left = self.bytes_left.checked_sub(count).ok_or(Failure::Bomb)?;
        Ok(Some(crate::plain::decode(&bytes)))
    }

    /// A part that must be there.
    ///
    /// # Errors
    /// As [`Self::part`], and when it is missing.
    pub(crate) fn needed(&mut self, name: &str) -> Result<String, Failure> {
        self.part(name)?.ok_or(BROKEN)
    }
}

fn unpack(packed: impl Read, bytes_max: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    packed.take(bytes_max).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

const BROKEN: Failure = Failure::Broken("the archive is damaged");

const UNPACKED_BYTES_MAX: u64 = 48 << 20;
