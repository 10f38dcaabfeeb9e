//! Pictures: bare base64 on this wire, which does not say what they are.

use crate::json::{Json, Object};
use crate::json_text::{object, text_of};
use crate::media_url;
use crate::request::MediaData;

/// A picture's bytes, their type told by how they begin.
pub(super) fn read(base64: String) -> MediaData {
    if let Some(inline) = media_url::read(&base64) {
        return inline;
    }
    let known = BEGINNINGS.iter().find(|(start, _)| base64.starts_with(start));
    let mime = known.map_or("image/png", |(_, mime)| *mime).to_owned();
    MediaData::Inline { mime, base64 }
}

/// A reply's picture in OpenRouter's form.
pub(super) fn annotated(base64: String) -> Json {
    let url = media_url::write(&read(base64)).unwrap_or_default();
    let image = object(|writer| writer.field("url", &url));
    object(|writer| {
        writer.field("type", "image_url");
        writer.field("image_url", &image);
    })
}

/// The base64 of a reply's picture; `None` for one that lies elsewhere.
pub(super) fn base64_of(image: &Json) -> Option<String> {
    let fields = image.read::<Object<'_>>().ok()?;
    let inner = Object::parse(fields.field("image_url")?.get()).ok()?;
    match media_url::read(&text_of(&inner, "url")?)? {
        MediaData::Inline { base64, .. } => Some(base64),
        MediaData::Url(_) | MediaData::Id(_) => None,
    }
}

const BEGINNINGS: [(&str, &str); 4] = [
    ("iVBOR", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
];
