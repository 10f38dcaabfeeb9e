//! Reading the messages of a request: roles, parts, and what an assistant said before.

use serde_json::value::RawValue;

use super::NAME;
use super::field::At;
use super::reasoning;
use crate::chunk::Role;
use crate::error::ReadError;
use crate::json::{Extra, Json, Object};
use crate::media_url;
use crate::request::{Content, Media, MediaData, MediaKind, Message, Other, Part};

/// Reads a message.
pub(super) fn read(at: At<'_, '_>) -> Result<Message, ReadError> {
    let fields = at.object()?;
    let role = read_role(at, &fields)?;
    let mut read = Reading { at, role, fields: &fields, extra: Extra::default(), name: None };
    let parts = read.parts()?;
    Ok(Message { role, name: read.name, parts, extra: read.extra })
}

fn read_role(at: At<'_, '_>, fields: &Object<'_>) -> Result<Role, ReadError> {
    const EXPECTED: &str = "system, developer, user, assistant or tool";
    let Some(raw) = fields.field("role") else { return Err(at.missing("role", EXPECTED)) };
    match At::key(&at, "role", raw).text()?.as_str() {
        "system" => Ok(Role::System),
        "developer" => Ok(Role::Developer),
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "tool" => Ok(Role::Tool),
        _ => Err(At::key(&at, "role", raw).error(EXPECTED)),
    }
}

/// A message that is being read.
struct Reading<'m, 'p, 'a> {
    at: At<'p, 'a>,
    role: Role,
    fields: &'m Object<'a>,
    extra: Extra,
    name: Option<String>,
}

impl<'a> Reading<'_, '_, 'a> {
    fn parts(&mut self) -> Result<Vec<Part>, ReadError> {
        let mut parts = Vec::new();
        let is_assistant = self.role == Role::Assistant;
        if is_assistant {
            self.read_reasoning(&mut parts)?;
        }
        let content = self.present("content");
        match content {
            // An assistant that only calls tools says nothing.
            Some(raw) if is_assistant && raw.get() == "\"\"" => {}
            Some(raw) => read_content(self.at.key("content", raw), &mut parts)?,
            None if is_assistant => {}
            None => return Err(self.at.missing("content", "a string or a list of parts")),
        }
        if self.role == Role::Tool {
            let Some(raw) = self.present("tool_call_id") else {
                return Err(self.at.missing("tool_call_id", "the id of the call it answers"));
            };
            let call_id = self.at.key("tool_call_id", raw).text()?;
            parts = vec![Part::new(Content::ToolResult { call_id, parts, is_error: false })];
        }
        for (name, raw) in &self.fields.0 {
            let field = self.at.key(name, raw);
            match (&**name, self.role) {
                ("role" | "content", _) | ("tool_call_id", Role::Tool) => {}
                _ if field.is_null() => {}
                ("name", _) => self.name = Some(field.text()?),
                ("reasoning" | "reasoning_content" | "reasoning_details", Role::Assistant) => {}
                ("refusal", Role::Assistant) => {
                    parts.push(Part::new(Content::Refusal(field.text()?)));
                }
                ("tool_calls", Role::Assistant) => {
                    for (number, raw) in field.list()?.into_iter().enumerate() {
                        parts.push(Part::new(read_tool_call(field.index(number, raw))?));
                    }
                }
                ("images", Role::Assistant) => {
                    for (number, raw) in field.list()?.into_iter().enumerate() {
                        parts.push(read_part(field.index(number, raw))?);
                    }
                }
                _ => {
                    self.extra.dialect = NAME;
                    self.extra.fields.push((name.to_string(), field.json()));
                }
            }
        }
        Ok(parts)
    }

    fn present(&self, name: &str) -> Option<&'a RawValue> {
        self.fields.field(name).filter(|raw| raw.get() != "null")
    }

    /// Blocks where they are given; else the plain text, under either name.
    fn read_reasoning(&self, parts: &mut Vec<Part>) -> Result<(), ReadError> {
        if let Some(raw) = self.present("reasoning_details") {
            let details = self.at.key("reasoning_details", raw);
            for (number, raw) in details.list()?.into_iter().enumerate() {
                parts.push(Part::new(match reasoning::read(raw) {
                    Some((text, detail)) => Content::Reasoning { text, detail },
                    None => {
                        let element = details.index(number, raw);
                        element.object()?;
                        Content::Other(Other { dialect: NAME, json: element.json() })
                    }
                }));
            }
        }
        for name in ["reasoning", "reasoning_content"] {
            if let Some(raw) = self.present(name) {
                let text = self.at.key(name, raw).text()?;
                if parts.is_empty() && !text.is_empty() {
                    parts.push(Part::new(Content::Reasoning { text, detail: None }));
                }
            }
        }
        Ok(())
    }
}

/// Appends a content's parts: a string is one part.
fn read_content(at: At<'_, '_>, parts: &mut Vec<Part>) -> Result<(), ReadError> {
    if at.is_text() {
        let text = at.text()?;
        parts.push(Part::text(text));
        return Ok(());
    }
    let list = at.list().map_err(|_| at.error("a string or a list of parts"))?;
    for (number, raw) in list.into_iter().enumerate() {
        let part = at.index(number, raw);
        parts.push(if part.is_text() { Part::text(part.text()?) } else { read_part(part)? });
    }
    Ok(())
}

pub(super) fn read_part(at: At<'_, '_>) -> Result<Part, ReadError> {
    let fields = at.object()?;
    let Some(kind) = fields.field("type") else {
        return Err(at.missing("type", "a part's type, like `text`"));
    };
    let inner = |name: &'static str| match fields.field(name) {
        Some(raw) => Ok(raw),
        None => Err(at.missing(name, "the part's content")),
    };
    let content = match At::key(&at, "type", kind).text()?.as_str() {
        "text" => Content::Text(at.key("text", inner("text")?).text()?),
        "refusal" => Content::Refusal(at.key("refusal", inner("refusal")?).text()?),
        "image_url" => Content::Media(read_image(at.key("image_url", inner("image_url")?))?),
        "input_audio" => Content::Media(read_audio(at.key("input_audio", inner("input_audio")?))?),
        "video_url" | "input_video" => {
            Content::Media(read_video(at.key("video_url", inner("video_url")?))?)
        }
        "file" => Content::Media(read_file(at.key("file", inner("file")?))?),
        _ => Content::Other(Other { dialect: NAME, json: at.json() }),
    };
    let present = |name: &str| fields.field(name).filter(|raw| raw.get() != "null");
    let breakpoint =
        || present("prompt_cache_breakpoint").and_then(|_| Json::parse(EPHEMERAL).ok());
    let cache_control = present("cache_control").map(Json::from).or_else(breakpoint);
    Ok(Part { content, cache_control })
}

fn read_image(at: At<'_, '_>) -> Result<Media, ReadError> {
    let (url, detail) = read_url(at)?;
    Ok(Media { kind: MediaKind::Image, data: read_address(at, url)?, name: None, detail })
}

fn read_video(at: At<'_, '_>) -> Result<Media, ReadError> {
    let (url, _) = read_url(at)?;
    Ok(Media { kind: MediaKind::Video, data: read_address(at, url)?, name: None, detail: None })
}

/// `{"url": …, "detail"?: …}`, or the address alone.
fn read_url(at: At<'_, '_>) -> Result<(String, Option<String>), ReadError> {
    if at.is_text() {
        return Ok((at.text()?, None));
    }
    let fields = at.object()?;
    let Some(url) = fields.field("url") else {
        return Err(at.missing("url", "an http(s) address or a data URL"));
    };
    let detail = fields.field("detail").filter(|raw| raw.get() != "null");
    let detail = detail.map(|raw| At::key(&at, "detail", raw).text()).transpose()?;
    Ok((At::key(&at, "url", url).text()?, detail))
}

pub(in crate::dialects) fn read_address(
    at: At<'_, '_>,
    url: String,
) -> Result<MediaData, ReadError> {
    if let Some(inline) = media_url::read(&url) {
        return Ok(inline);
    }
    let is_web = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    if is_web {
        Ok(MediaData::Url(url))
    } else {
        Err(at.error("an http(s) address or a base64 data URL"))
    }
}

pub(in crate::dialects) fn read_audio(at: At<'_, '_>) -> Result<Media, ReadError> {
    let fields = at.object()?;
    let text = |name: &'static str, expected: &str| match fields.field(name) {
        Some(raw) => At::key(&at, name, raw).text(),
        None => Err(at.missing(name, expected)),
    };
    let format = text("format", "the sound's format, like `wav`")?;
    let data = text("data", "the sound in base64")?;
    let base64 = match media_url::read(&data) {
        Some(MediaData::Inline { base64, .. }) => base64,
        _ => data,
    };
    let data = MediaData::Inline { mime: format!("audio/{format}"), base64 };
    Ok(Media { kind: MediaKind::Audio, data, name: None, detail: None })
}

fn read_file(at: At<'_, '_>) -> Result<Media, ReadError> {
    let fields = at.object()?;
    let text = |name: &'static str| {
        let raw = fields.field(name).filter(|raw| raw.get() != "null");
        raw.map(|raw| At::key(&at, name, raw).text()).transpose()
    };
    let name = text("filename")?;
    let data = match (text("file_data")?, text("file_id")?) {
        (Some(data), _) if data.starts_with("http://") || data.starts_with("https://") => {
            MediaData::Url(data)
        }
        (Some(data), _) => match media_url::read(&data) {
            Some(inline) => inline,
            None if data.starts_with("data:") => {
                return Err(at.error("a base64 data URL or an http(s) address in file_data"));
            }
            None => MediaData::Inline { mime: mime_of(name.as_deref()).to_owned(), base64: data },
        },
        (None, Some(id)) => MediaData::Id(id),
        (None, None) => return Err(at.missing("file_data", "a data URL, an address, or a file_id")),
    };
    Ok(Media { kind: MediaKind::File, data, name, detail: None })
}

/// Bare base64 says nothing of its type; documents are PDFs unless their name says otherwise.
pub(in crate::dialects) fn mime_of(name: Option<&str>) -> &'static str {
    let extension = name.and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension);
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("txt" | "md") => "text/plain",
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        Some("html") => "text/html",
        _ => "application/pdf",
    }
}

fn read_tool_call(at: At<'_, '_>) -> Result<Content, ReadError> {
    let fields = at.object()?;
    let Some(raw) = fields.field("function") else {
        return Ok(Content::Other(Other { dialect: NAME, json: at.json() }));
    };
    let Some(id) = fields.field("id") else { return Err(at.missing("id", "the call's id")) };
    let at_function = at.key("function", raw);
    let function = at_function.object()?;
    let Some(name) = function.field("name") else {
        return Err(at_function.missing("name", "the function's name"));
    };
    // Some clients send the arguments' JSON itself instead of the text that holds it.
    let arguments = match function.field("arguments") {
        Some(raw) if raw.get().starts_with('"') => at_function.key("arguments", raw).text()?,
        Some(raw) if raw.get() != "null" => raw.get().to_owned(),
        _ => String::new(),
    };
    let id = At::key(&at, "id", id).text()?;
    Ok(Content::ToolCall { id, name: at_function.key("name", name).text()?, arguments })
}

const EPHEMERAL: &str = r#"{"type":"ephemeral"}"#;
