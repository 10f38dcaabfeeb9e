//! A page's pictures, as files that a model can look at: JPEG as it stands, plain pixels as PNG.
//! What is packed otherwise (fax, JBIG2, JPEG 2000) or has other colours than grey and RGB is left
//! out.

use super::budget::{Budget, decode};
use crate::parsed::Picture;
use flate2::{Compression, Crc, write::ZlibEncoder};
use hayro_syntax::Filter;
use hayro_syntax::object::{Array, Dict, Name, Object, Stream, String as Text};
use std::io::Write as _;

/// The picture as a file.
pub(crate) fn read(stream: &Stream<'_>, budget: &mut Budget) -> Option<Picture> {
    let dict = stream.dict();
    let colours = Colours::read(dict)?;
    match stream.filters().as_slice() {
        [Filter::DctDecode] => {
            let bytes = stream.raw_data().into_owned();
            (bytes.starts_with(JPEG_MARK) && bytes.len() <= PICTURE_BYTES_MAX)
                .then(|| Picture { mime: "image/jpeg".into(), bytes })
        }
        filters if filters.iter().all(|filter| is_lossless(*filter)) => {
            let (width, height) = (dict.get::<u32>(b"Width")?, dict.get::<u32>(b"Height")?);
            let depth = dict.get::<u8>(b"BitsPerComponent")?;
            let pixels = decode(stream, budget)?;
            let bytes = png(width, height, depth, &colours, &pixels)?;
            Some(Picture { mime: "image/png".into(), bytes })
        }
        _ => None,
    }
}

fn is_lossless(filter: Filter) -> bool {
    use Filter::{Ascii85Decode, AsciiHexDecode, FlateDecode, LzwDecode, RunLengthDecode};
    matches!(filter, Ascii85Decode | AsciiHexDecode | FlateDecode | LzwDecode | RunLengthDecode)
}

enum Colours {
    Grey,
    Rgb,
    /// Numbers of colours, with red, green and blue of each.
    Palette(Vec<u8>),
}

impl Colours {
    fn read(dict: &Dict<'_>) -> Option<Self> {
        // A mask is a stencil, not a picture.
        if dict.get::<bool>(b"ImageMask").unwrap_or(false) {
            return None;
        }
        Self::of(&dict.get::<Object<'_>>(b"ColorSpace")?)
    }

    fn of(space: &Object<'_>) -> Option<Self> {
        match space {
            Object::Name(name) => Self::named(name),
            Object::Array(space) => {
                let mut items = space.flex_iter();
                let kind = items.next::<Name<'_>>()?;
                match kind.as_ref() {
                    b"ICCBased" => match items.next::<Stream<'_>>()?.dict().get::<u8>(b"N")? {
                        1 => Some(Self::Grey),
                        3 => Some(Self::Rgb),
                        _ => None,
                    },
                    b"Indexed" | b"I" => Self::palette(space),
                    _ => Self::named(&kind),
                }
            }
            _ => None,
        }
    }

    fn named(name: &Name<'_>) -> Option<Self> {
        match name.as_ref() {
            b"DeviceGray" | b"G" | b"CalGray" => Some(Self::Grey),
            b"DeviceRGB" | b"RGB" | b"CalRGB" => Some(Self::Rgb),
            _ => None,
        }
    }

    fn palette(space: &Array<'_>) -> Option<Self> {
        let mut items = space.iter::<Object<'_>>().skip(1);
        let base = match items.next()? {
            Object::Array(base) if is_indexed(&base) => return None,
            base => Self::of(&base)?,
        };
        let table = match items.nth(1)? {
            Object::String(table) => Text::as_bytes(&table).to_vec(),
            Object::Stream(table) => table.decoded_data().ok()?.into_owned(),
            _ => return None,
        };
        let colours = match base {
            Self::Rgb => table,
            Self::Grey => table.iter().flat_map(|grey| [*grey; 3]).collect(),
            Self::Palette(_) => return None,
        };
        let whole = colours.len().min(256 * 3) / 3 * 3;
        (whole > 0).then(|| Self::Palette(colours.get(..whole).unwrap_or_default().to_vec()))
    }
}

fn is_indexed(space: &Array<'_>) -> bool {
    space.iter::<Name<'_>>().next().is_some_and(|kind| matches!(kind.as_ref(), b"Indexed" | b"I"))
}

/// A PNG of these pixels; none if they are too few, or too many.
fn png(width: u32, height: u32, depth: u8, colours: &Colours, pixels: &[u8]) -> Option<Vec<u8>> {
    let (kind, channels) = match colours {
        Colours::Grey => (0, 1),
        Colours::Rgb => (2, 3),
        Colours::Palette(_) => (3, 1),
    };
    let is_allowed = match kind {
        2 => depth == 8,
        _ => matches!(depth, 1 | 2 | 4 | 8),
    };
    let bits =
        usize::try_from(width).ok()?.checked_mul(channels)?.checked_mul(usize::from(depth))?;
    let row = bits.div_ceil(8);
    let needed = row.checked_mul(usize::try_from(height).ok()?)?;
    if !is_allowed || row == 0 || pixels.len() < needed {
        return None;
    }
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    for row in pixels.get(..needed)?.chunks_exact(row) {
        packed.write_all(&[0]).ok()?;
        packed.write_all(row).ok()?;
    }
    let packed = packed.finish().ok()?;
    if packed.len() > PICTURE_BYTES_MAX {
        return None;
    }
    let mut head = Vec::new();
    head.extend(width.to_be_bytes());
    head.extend(height.to_be_bytes());
    head.extend([depth, kind, 0, 0, 0]);
    let mut file = PNG_MARK.to_vec();
    chunk(*b"IHDR", &head, &mut file)?;
    if let Colours::Palette(table) = colours {
        chunk(*b"PLTE", table, &mut file)?;
    }
    chunk(*b"IDAT", &packed, &mut file)?;
    chunk(*b"IEND", &[], &mut file)?;
    Some(file)
}

fn chunk(name: [u8; 4], data: &[u8], file: &mut Vec<u8>) -> Option<()> {
    file.extend(u32::try_from(data.len()).ok()?.to_be_bytes());
    file.extend(name);
    file.extend(data);
    let mut sum = Crc::new();
    sum.update(&name);
    sum.update(data);
    file.extend(sum.sum().to_be_bytes());
    Some(())
}

const JPEG_MARK: &[u8] = &[0xff, 0xd8];
const PNG_MARK: &[u8] = b"\x89PNG\r\n\x1a\n";

const PICTURE_BYTES_MAX: usize = 3 << 20;
