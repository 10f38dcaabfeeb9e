//! Writing the parts of a message's content.

use super::NAME;
use super::emit::Object as Writer;
use crate::media_url;
use crate::request::{Content, Media, MediaData, MediaKind, Part};

/// Appends a part. The error says what the dialect has no form for.
pub(super) fn write(part: &Part, is_openrouter: bool, out: &mut Vec<u8>) -> Result<(), String> {
    let start = out.len();
    let mut object = Writer::begin(out);
    match &part.content {
        Content::Text(text) => {
            object.raw("type", r#""text""#);
            object.value("text", text);
        }
        Content::Refusal(text) => {
            object.raw("type", r#""refusal""#);
            object.value("refusal", text);
        }
        Content::Media(media) => write_media(media, is_openrouter, &mut object)?,
        Content::Other(other) if other.dialect == NAME => {
            out.truncate(start);
            out.extend_from_slice(other.json.as_str().as_bytes());
            return Ok(());
        }
        Content::Other(other) => return Err(format!("a part of {}", other.dialect)),
        Content::ToolCall { .. } => return Err("a tool call of the user".to_owned()),
        Content::ToolResult { .. } => return Err("a tool result inside of another".to_owned()),
        Content::Reasoning { .. } => return Err("a thought of the user".to_owned()),
    }
    object.optional("cache_control", part.cache_control.as_ref().filter(|_| is_openrouter));
    object.end();
    Ok(())
}

fn write_media(media: &Media, is_openrouter: bool, part: &mut Writer<'_>) -> Result<(), String> {
    match media.kind {
        MediaKind::Image => {
            let url = media_url::write(&media.data).ok_or("an uploaded image")?;
            part.raw("type", r#""image_url""#);
            part.object("image_url", |image| {
                image.value("url", &url);
                image.optional("detail", media.detail.as_ref());
            });
        }
        MediaKind::Video => {
            let url = media_url::write(&media.data).ok_or("an uploaded video")?;
            part.raw("type", r#""video_url""#);
            part.object("video_url", |video| video.value("url", &url));
        }
        MediaKind::Audio => {
            let MediaData::Inline { mime, base64 } = &media.data else {
                return Err("a sound that is not inline".to_owned());
            };
            part.raw("type", r#""input_audio""#);
            part.object("input_audio", |audio| {
                audio.value("data", base64);
                audio.value("format", audio_format(mime));
            });
        }
        MediaKind::File => {
            if matches!(media.data, MediaData::Url(_)) && !is_openrouter {
                return Err("a document by its address".to_owned());
            }
            part.raw("type", r#""file""#);
            part.object("file", |file| {
                file.optional("filename", media.name.as_ref());
                match &media.data {
                    MediaData::Id(id) => file.value("file_id", id),
                    _ => file.optional("file_data", media_url::write(&media.data).as_ref()),
                }
            });
        }
    }
    Ok(())
}

/// OpenAI's word for a sound's MIME type.
pub(in crate::dialects) fn audio_format(mime: &str) -> &str {
    match mime {
        "audio/mpeg" => "mp3",
        "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
        _ => mime.split_once('/').map_or(mime, |(_, format)| format),
    }
}
