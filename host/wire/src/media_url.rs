//! Where media are, as one address: a web address, or a data URL of what is inline.

use crate::request::MediaData;

/// The bytes in a base64 data URL (`data:<mime>[;…];base64,<data>`); `None` for any other address.
pub(crate) fn read(url: &str) -> Option<MediaData> {
    let (head, base64) = url.strip_prefix("data:")?.split_once(',')?;
    let mime = head.strip_suffix(";base64")?;
    let mime = mime.split(';').next().unwrap_or(mime).to_owned();
    Some(MediaData::Inline { mime, base64: base64.to_owned() })
}

/// The address, or a data URL; `None` for what was uploaded before.
pub(crate) fn write(data: &MediaData) -> Option<String> {
    match data {
        MediaData::Url(url) => Some(url.clone()),
        MediaData::Inline { mime, base64 } => Some(format!("data:{mime};base64,{base64}")),
        MediaData::Id(_) => None,
    }
}
