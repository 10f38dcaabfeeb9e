//! Pictures, documents, films and sound as blocks. Bytes are never decoded, except a document's that
//! was sent as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::error::ReadError;
use crate::json::{Json, Object};
use crate::json_text::{object, present, read, required, text_of};
use crate::request::{Media, MediaData, MediaKind};

/// Every kind with its key.
pub(super) const KINDS: [(MediaKind, &str); 4] = [
    (MediaKind::Image, "image"),
    (MediaKind::File, "document"),
    (MediaKind::Video, "video"),
    (MediaKind::Audio, "audio"),
];

/// Reads the value under a kind's key; `None` for a source that has no canonical form (blocks of
/// text, a bucket of another owner).
pub(super) fn read_media(
    kind: MediaKind,
    value: &RawValue,
    path: &str,
) -> Result<Option<Media>, ReadError> {
    let fields: Object<'_> = read(value, path, "an object")?;
    let format = text_of(&fields, "format");
    let source: Object<'_> = required(&fields, "source", path, SOURCE)?;
    let path = format!("{path}.source");
    let data = if let Some(bytes) = present(&source, "bytes") {
        let base64 = read(bytes, &format!("{path}.bytes"), "base64 text")?;
        MediaData::Inline { mime: mime_of(kind, format.as_deref().unwrap_or_default()), base64 }
    } else if let Some(text) = text_of(&source, "text") {
        MediaData::Inline { mime: "text/plain".to_owned(), base64: STANDARD.encode(text) }
    } else if let Some(location) = present(&source, "s3Location") {
        let path = format!("{path}.s3Location");
        let location: Object<'_> = read(location, &path, "an object")?;
        if present(&location, "bucketOwner").is_some() {
            return Ok(None);
        }
        MediaData::Url(required(&location, "uri", &path, "an address (`s3://…`)")?)
    } else if present(&source, "content").is_some() {
        return Ok(None);
    } else {
        return Err(ReadError::new(path, SOURCE, "neither"));
    };
    Ok(Some(Media { kind, data, name: text_of(&fields, "name"), detail: None }))
}

/// What the dialect can't carry of a medium.
pub(super) type Refusal = String;

/// The key and the value of a medium's block. A document has a name, already fit.
pub(super) fn write(media: &Media, name: Option<&str>) -> Result<(&'static str, Json), Refusal> {
    let kind = match &media.data {
        MediaData::Inline { mime, .. } if mime.starts_with("image/") => MediaKind::Image,
        MediaData::Inline { mime, .. } if mime.starts_with("video/") => MediaKind::Video,
        _ => media.kind,
    };
    let key = KINDS.iter().find(|(known, _)| *known == kind).map_or("document", |(_, key)| key);
    let (format, source) = match &media.data {
        MediaData::Inline { mime, base64 } => {
            let format = format_of(kind, mime);
            let format = format.ok_or_else(|| format!("{} of type {mime}", a(kind)))?;
            (format, object(|writer| writer.field("bytes", base64)))
        }
        MediaData::Url(url) if url.starts_with("s3://") => {
            let ending = url.rsplit_once('.').map_or("", |(_, ending)| ending);
            let format = format_of(kind, &ending.to_ascii_lowercase());
            let format = format.ok_or_else(|| {
                format!("{} at an address whose ending does not tell its format", a(kind))
            })?;
            let location = object(|writer| writer.field("uri", url));
            (format, object(|writer| writer.field("s3Location", &location)))
        }
        MediaData::Url(_) => {
            return Err(format!("{} at an address; send its bytes, or an s3:// address", a(kind)));
        }
        MediaData::Id(_) => return Err(format!("{} that another provider holds", a(kind))),
    };
    let block = object(|writer| {
        writer.field("format", format);
        writer.some("name", name.filter(|_| kind == MediaKind::File));
        writer.field("source", &source);
    });
    Ok((key, block))
}

/// Whether a medium becomes a block with a name.
pub(super) fn is_document(media: &Media) -> bool {
    let mime = match &media.data {
        MediaData::Inline { mime, .. } => mime.as_str(),
        MediaData::Url(_) | MediaData::Id(_) => "",
    };
    let is_other = mime.starts_with("image/") || mime.starts_with("video/");
    media.kind == MediaKind::File && !is_other
}

/// A document's name as Bedrock takes it: letters, digits, single blanks, `-`, `()`, `[]`.
pub(super) fn fit_name(name: &str) -> String {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "-()[]".contains(c);
    let fit: String = name.chars().map(|c| if is_fit(c) { c } else { ' ' }).collect();
    let words: Vec<&str> = fit.split_whitespace().collect();
    let joined: String = words.join(" ").chars().take(NAME_CHARS_MAX).collect();
    joined.trim().to_owned()
}

/// The MIME type of a format; one that is not known is named after its kind.
fn mime_of(kind: MediaKind, format: &str) -> String {
    let row = FORMATS.iter().find(|(of, known, _)| *of == kind && *known == format);
    row.map_or_else(|| format!("{}/{format}", top(kind)), |(_, _, mime)| (*mime).to_owned())
}

/// The format of a MIME type or of a name's ending.
fn format_of(kind: MediaKind, mime: &str) -> Option<&'static str> {
    let mime = mime.split(';').next().unwrap_or_default().trim();
    let rows = || FORMATS.iter().filter(|(of, ..)| *of == kind);
    let by_ending = || rows().find(|(_, format, _)| *format == mime);
    let by_mime = || rows().find(|(_, _, known)| *known == mime);
    let by_tail = || {
        let tail = mime.strip_prefix(top(kind))?.strip_prefix('/')?;
        rows().find(|(_, format, _)| *format == tail)
    };
    let alias = || ALIASES.iter().find(|(of, from, _)| *of == kind && *from == mime);
    by_mime()
        .or_else(by_ending)
        .or_else(by_tail)
        .map(|(_, format, _)| *format)
        .or_else(|| alias().map(|(_, _, format)| *format))
}

fn top(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::File => "application",
    }
}

fn a(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "an image",
        MediaKind::Audio => "a recording",
        MediaKind::Video => "a video",
        MediaKind::File => "a file",
    }
}

const SOURCE: &str = "a source (`bytes`, `s3Location`, or of a document `text`)";
const NAME_CHARS_MAX: usize = 200;

/// Bedrock's formats with their MIME types.
const FORMATS: [(MediaKind, &str, &str); 35] = [
    (MediaKind::Image, "png", "image/png"),
    (MediaKind::Image, "jpeg", "image/jpeg"),
    (MediaKind::Image, "gif", "image/gif"),
    (MediaKind::Image, "webp", "image/webp"),
    (MediaKind::File, "pdf", "application/pdf"),
    (MediaKind::File, "csv", "text/csv"),
    (MediaKind::File, "doc", "application/msword"),
    (
        MediaKind::File,
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    (MediaKind::File, "xls", "application/vnd.ms-excel"),
    (MediaKind::File, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (MediaKind::File, "html", "text/html"),
    (MediaKind::File, "txt", "text/plain"),
    (MediaKind::File, "md", "text/markdown"),
    (MediaKind::Video, "mp4", "video/mp4"),
    (MediaKind::Video, "mov", "video/quicktime"),
    (MediaKind::Video, "mkv", "video/x-matroska"),
    (MediaKind::Video, "webm", "video/webm"),
    (MediaKind::Video, "flv", "video/x-flv"),
    (MediaKind::Video, "mpeg", "video/mpeg"),
    (MediaKind::Video, "mpg", "video/mpg"),
    (MediaKind::Video, "wmv", "video/x-ms-wmv"),
    (MediaKind::Video, "three_gp", "video/3gpp"),
    (MediaKind::Audio, "mp3", "audio/mp3"),
    (MediaKind::Audio, "wav", "audio/wav"),
    (MediaKind::Audio, "opus", "audio/opus"),
    (MediaKind::Audio, "aac", "audio/aac"),
    (MediaKind::Audio, "flac", "audio/flac"),
    (MediaKind::Audio, "ogg", "audio/ogg"),
    (MediaKind::Audio, "webm", "audio/webm"),
    (MediaKind::Audio, "m4a", "audio/m4a"),
    (MediaKind::Audio, "mp4", "audio/mp4"),
    (MediaKind::Audio, "mpeg", "audio/mpeg"),
    (MediaKind::Audio, "mka", "audio/x-matroska"),
    (MediaKind::Audio, "mkv", "audio/mkv"),
    (MediaKind::Audio, "pcm", "audio/pcm"),
];

/// Further names of the same.
const ALIASES: [(MediaKind, &str, &str); 7] = [
    (MediaKind::Image, "image/jpg", "jpeg"),
    (MediaKind::Image, "jpg", "jpeg"),
    (MediaKind::File, "application/json", "txt"),
    (MediaKind::File, "text/x-markdown", "md"),
    (MediaKind::File, "htm", "html"),
    (MediaKind::Video, "3gp", "three_gp"),
    (MediaKind::Audio, "audio/x-wav", "wav"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_bedrock_takes() {
        let names = [
            ("Bericht_2024 (final).pdf", "Bericht 2024 (final) pdf"),
            ("  a\t\tb  ", "a b"),
            ("Übersicht", "bersicht"),
            ("…", ""),
        ];
        for (name, fit) in names {
            assert_eq!(fit_name(name), fit);
        }
    }

    #[test]
    fn a_format_becomes_its_type_and_back() {
        for (kind, format, mime) in FORMATS {
            assert_eq!(mime_of(kind, format), mime);
            assert_eq!(format_of(kind, mime), Some(format));
        }
        assert_eq!(format_of(MediaKind::Image, "image/jpg"), Some("jpeg"));
        assert_eq!(format_of(MediaKind::File, "text/plain; charset=utf-8"), Some("txt"));
        assert_eq!(format_of(MediaKind::File, "application/zip"), None);
    }
}
