//! Pictures, sound, films and documents as parts. Bytes are never decoded.

use crate::request::{Media, MediaData, MediaKind};

use super::shape::{Blob, Built, File, PartOut};

/// The part for a medium; `None` for a file that only another provider holds.
pub(super) fn write(media: &Media) -> Option<PartOut<'_>> {
    let built = match &media.data {
        MediaData::Inline { mime, base64 } => {
            let mime_type = mime.as_str().into();
            let data = base64.as_str().into();
            let blob = Blob { mime_type, data, display_name: media.name.as_deref() };
            Built { inline_data: Some(blob), ..Built::default() }
        }
        MediaData::Url(url) => Built {
            file_data: Some(File { mime_type: mime_of(url), file_uri: url.as_str().into() }),
            ..Built::default()
        },
        MediaData::Id(_) => return None,
    };
    Some(built.into())
}

/// Base64 in its standard alphabet, padded. Google's own clients use the alphabet for addresses,
/// which no other provider reads.
pub(super) fn standard(mut base64: String) -> String {
    if base64.contains(['-', '_']) {
        base64 = base64.replace('-', "+").replace('_', "/");
    }
    while !base64.len().is_multiple_of(4) {
        base64.push('=');
    }
    base64
}

/// The kind that a MIME type belongs to.
pub(super) fn kind_of(mime: &str) -> MediaKind {
    match mime.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::File,
    }
}

/// The MIME type and the base64 text of a `data:` address.
pub(super) fn split_data_url(url: &str) -> Option<(&str, &str)> {
    let (mime, base64) = url.strip_prefix("data:")?.split_once(',')?;
    Some((mime.strip_suffix(";base64")?, base64))
}

/// The MIME type that an address' last name tells. Gemini finds out itself where it tells none.
pub(super) fn mime_of(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let name = path.rsplit('/').next()?;
    let (_, ending) = name.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    MIMES.iter().find(|(known, _)| *known == ending).map(|(_, mime)| *mime)
}

const MIMES: [(&str, &str); 22] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("aac", "audio/aac"),
    ("ogg", "audio/ogg"),
    ("flac", "audio/flac"),
    ("aiff", "audio/aiff"),
    ("mp4", "video/mp4"),
    ("mov", "video/mov"),
    ("webm", "video/webm"),
    ("mpeg", "video/mpeg"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_for_addresses_becomes_the_standard_one() {
        assert_eq!(standard("_-8".to_owned()), "/+8=");
        assert_eq!(standard("/+8=".to_owned()), "/+8=");
        assert_eq!(standard(String::new()), "");
    }

    #[test]
    fn the_type_follows_from_the_last_name() {
        assert_eq!(mime_of("https://a.example/x.d/Photo.JPG?w=1.png"), Some("image/jpeg"));
        assert_eq!(mime_of("https://youtu.be/abc"), None);
        assert_eq!(split_data_url("data:image/png;base64,AA=="), Some(("image/png", "AA==")));
        assert_eq!(split_data_url("data:text/plain,hi"), None);
    }
}
