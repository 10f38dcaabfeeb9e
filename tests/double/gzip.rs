//! gzip without compression (stored blocks, RFC 1951 §3.2.4), so that a script can serve
//! `content-encoding: gzip` with a block per event and no dependency.

/// A gzip stream that is written piece by piece; every piece can be decoded as it arrives.
pub(crate) struct Gzip {
    crc: u32,
    length: u32,
    is_begun: bool,
}

impl Gzip {
    /// A stream that has nothing in it yet.
    pub(crate) fn new() -> Self {
        Self { crc: u32::MAX, length: 0, is_begun: false }
    }

    /// The stream's next bytes, which hold all of `plain`.
    pub(crate) fn write(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut out = self.begin();
        for block in plain.chunks(usize::from(u16::MAX)) {
            out.extend(stored(false, block));
        }
        for byte in plain {
            self.crc = crc_step(self.crc, *byte);
            self.length = self.length.wrapping_add(1);
        }
        out
    }

    /// The stream's last bytes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let mut out = self.begin();
        out.extend(stored(true, &[]));
        out.extend((!self.crc).to_le_bytes());
        out.extend(self.length.to_le_bytes());
        out
    }

    fn begin(&mut self) -> Vec<u8> {
        if std::mem::replace(&mut self.is_begun, true) {
            return Vec::new();
        }
        // Magic, deflate, no flags, no time, no hint, unknown system.
        vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    }
}

/// One stored block; `block` is at most 65,535 bytes.
fn stored(is_last: bool, block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
    let mut out = vec![u8::from(is_last)];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(block);
    out
}

/// CRC-32, one byte further; it begins with all bits set and ends inverted.
pub(crate) fn crc_step(crc: u32, byte: u8) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    (0..8).fold(crc ^ u32::from(byte), step)
}
