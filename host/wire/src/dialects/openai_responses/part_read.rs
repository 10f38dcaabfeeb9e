//! Reading the parts of a message or of a tool's result.

use super::NAME;
use crate::dialects::openai_chat::field::At;
use crate::dialects::openai_chat::message_read::{mime_of, read_address, read_audio};
use crate::error::ReadError;
use crate::json::{Json, Object};
use crate::request::{Content, Media, MediaData, MediaKind, Other, Part};

/// Reads a content: a string is one part.
pub(super) fn read_content(at: At<'_, '_>) -> Result<Vec<Part>, ReadError> {
    if at.is_text() {
        return Ok(vec![Part::text(at.text()?)]);
    }
    let list = at.list().map_err(|_| at.error("a string or a list of parts"))?;
    list.into_iter().enumerate().map(|(number, raw)| read(at.index(number, raw))).collect()
}

fn read(at: At<'_, '_>) -> Result<Part, ReadError> {
    let fields = at.object()?;
    let Some(kind) = fields.field("type") else {
        return Err(at.missing("type", "a part's type, like `input_text`"));
    };
    let present = |name: &str| fields.field(name).filter(|raw| raw.get() != "null");
    let text = |name: &'static str| match present(name) {
        Some(raw) => at.key(name, raw).text(),
        None => Err(at.missing(name, "the part's content")),
    };
    let content = match at.key("type", kind).text()?.as_str() {
        "input_text" | "output_text" | "text" => Content::Text(text("text")?),
        "refusal" => Content::Refusal(text("refusal")?),
        "input_image" => Content::Media(read_image(&at, &fields)?),
        "input_file" => Content::Media(read_file(&at, &fields)?),
        "input_audio" => match present("input_audio") {
            Some(raw) => Content::Media(read_audio(at.key("input_audio", raw))?),
            None => return Err(at.missing("input_audio", "the sound")),
        },
        "input_video" => {
            let url = text("video_url")?;
            let data = read_address(at, url)?;
            Content::Media(Media { kind: MediaKind::Video, data, name: None, detail: None })
        }
        _ => Content::Other(Other { dialect: NAME, json: at.json() }),
    };
    let breakpoint =
        || present("prompt_cache_breakpoint").and_then(|_| Json::parse(EPHEMERAL).ok());
    let cache_control = present("cache_control").map(Json::from).or_else(breakpoint);
    Ok(Part { content, cache_control })
}

fn word<'a>(
    at: &At<'_, 'a>,
    fields: &Object<'a>,
    name: &'static str,
) -> Result<Option<String>, ReadError> {
    let raw = fields.field(name).filter(|raw| raw.get() != "null");
    raw.map(|raw| at.key(name, raw).text()).transpose()
}

fn read_image<'a>(at: &At<'_, 'a>, fields: &Object<'a>) -> Result<Media, ReadError> {
    let data = match (word(at, fields, "image_url")?, word(at, fields, "file_id")?) {
        (Some(url), _) => read_address(*at, url)?,
        (None, Some(id)) => MediaData::Id(id),
        (None, None) => return Err(at.missing("image_url", "an address, a data URL, or a file_id")),
    };
    let detail = word(at, fields, "detail")?;
    Ok(Media { kind: MediaKind::Image, data, name: None, detail })
}

fn read_file<'a>(at: &At<'_, 'a>, fields: &Object<'a>) -> Result<Media, ReadError> {
    let name = word(at, fields, "filename")?;
    let texts = ["file_data", "file_url", "file_id"].map(|name| word(at, fields, name));
    let [data, url, id] = texts;
    let is_web = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    let data = match (data?, url?, id?) {
        (Some(data), ..) if is_web(&data) || data.starts_with("data:") => read_address(*at, data)?,
        (Some(base64), ..) => {
            MediaData::Inline { mime: mime_of(name.as_deref()).to_owned(), base64 }
        }
        (None, Some(url), _) => read_address(*at, url)?,
        (None, None, Some(id)) => MediaData::Id(id),
        (None, None, None) => {
            return Err(at.missing("file_data", "a data URL, a file_url, or a file_id"));
        }
    };
    Ok(Media { kind: MediaKind::File, data, name, detail: None })
}

const EPHEMERAL: &str = r#"{"type":"ephemeral"}"#;
