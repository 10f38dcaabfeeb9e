//! The parts of a zip archive, unpacked within a bound.

use crate::parsed::Failure;
use std::io::{Cursor, Read as _};
use zip::ZipArchive;
use zip::result::ZipError;

/// An archive, and how much may still be unpacked of it.
pub(crate) struct Archive<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
    bytes_left: u64,
}

impl<'b> Archive<'b> {
    pub(crate) fn open(bytes: &'b [u8]) -> Result<Self, Failure> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| BROKEN)?;
        Ok(Self { zip, bytes_left: UNPACKED_BYTES_MAX })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// A part's text; `None` if there is no such part.
    ///
    /// # Errors
    /// When it is packed wrongly or with a password, or unpacks to too much.
    pub(crate) fn part(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let file = match self.zip.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => {
                return Err(Failure::Encrypted);
            }
            Err(_) => return Err(BROKEN),
        };
        let mut bytes = Vec::new();
        // One byte more than allowed tells a bomb. The size that the archive claims tells nothing.
        let mut file = file.take(self.bytes_left.saturating_add(1));
        file.read_to_end(&mut bytes).map_err(|_| BROKEN)?;
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

const BROKEN: Failure = Failure::Broken("the archive is damaged");

const UNPACKED_BYTES_MAX: u64 = 48 << 20;
