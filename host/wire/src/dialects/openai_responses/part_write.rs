//! Writing the parts of a message or of a tool's result.

use super::NAME;
use crate::chunk::Role;
use crate::dialects::openai_chat::content_write::audio_format;
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::media_url;
use crate::request::{Content, Media, MediaData, MediaKind, Part};

/// Appends a part. The error says what the dialect has no form for.
pub(super) fn write(
    part: &Part,
    role: Role,
    is_openrouter: bool,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    if let Content::Other(other) = &part.content {
        if other.dialect != NAME {
            return Err(format!("a part of {}", other.dialect));
        }
        out.extend_from_slice(other.json.as_str().as_bytes());
        return Ok(());
    }
    let mut object = Writer::begin(out);
    match &part.content {
        Content::Text(text) if role == Role::Assistant => {
            object.raw("type", r#""output_text""#);
            object.value("text", text);
            object.raw("annotations", "[]");
        }
        Content::Text(text) => {
            object.raw("type", r#""input_text""#);
            object.value("text", text);
        }
        Content::Refusal(text) => {
            object.raw("type", r#""refusal""#);
            object.value("refusal", text);
        }
        Content::Media(media) => write_media(media, is_openrouter, &mut object)?,
        Content::ToolCall { .. } => return Err("a tool call of the user".to_owned()),
        Content::ToolResult { .. } => return Err("a tool result inside of another".to_owned()),
        Content::Reasoning { .. } => return Err("a thought of the user".to_owned()),
        Content::Other(_) => {}
    }
    object.optional("cache_control", part.cache_control.as_ref().filter(|_| is_openrouter));
    object.end();
    Ok(())
}

fn write_media(media: &Media, is_openrouter: bool, part: &mut Writer<'_>) -> Result<(), String> {
    match media.kind {
        MediaKind::Image => {
            part.raw("type", r#""input_image""#);
            match &media.data {
                MediaData::Id(id) => part.value("file_id", id),
                _ => part.optional("image_url", media_url::write(&media.data).as_ref()),
            }
            part.value("detail", media.detail.as_deref().unwrap_or("auto"));
        }
        MediaKind::Video => {
            let url = media_url::write(&media.data).filter(|_| is_openrouter).ok_or("a video")?;
            part.raw("type", r#""input_video""#);
            part.value("video_url", &url);
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
            part.raw("type", r#""input_file""#);
            match &media.data {
                MediaData::Id(id) => part.value("file_id", id),
                MediaData::Url(url) => part.value("file_url", url),
                MediaData::Inline { .. } => {
                    // OpenAI refuses a document's bytes without a name.
                    part.value("filename", media.name.as_deref().unwrap_or("document.pdf"));
                    part.optional("file_data", media_url::write(&media.data).as_ref());
                }
            }
        }
    }
    Ok(())
}
