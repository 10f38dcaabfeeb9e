//! `systemInstruction` and `contents` as messages. A call without an id gets one, and the answer
//! that belongs to it gets the same.

use serde_json::value::RawValue;

use crate::chunk::{ReasoningDetail, ReasoningKind, Role};
use crate::error::ReadError;
use crate::json::{Extra, Json};
use crate::packed;
use crate::request::{Content, Media, MediaData, Message, Other, Part};

use super::fields::{Fields, shorten, under};
use super::media::{kind_of, standard};
use super::{FORMAT, MADE_ID, NAME};

/// Reads every message, system prompt first.
pub(super) fn read(body: &Fields<'_>) -> Result<Vec<Message>, ReadError> {
    let mut messages = Vec::new();
    if let Some(system) = body.object("systemInstruction")? {
        let mut parts = Vec::new();
        for (at, part) in system.objects("parts").map_err(system_path)?.iter().enumerate() {
            let here = |error| system_path(under(error, &format!("parts[{at}]")));
            let text = part.text("text").map_err(here)?;
            let text = text.ok_or_else(|| here(ReadError::new("text", "a text", "nothing")))?;
            parts.push(Part::text(text));
        }
        push(&mut messages, Role::System, parts);
    }
    let mut calls = Calls::default();
    for (at, content) in body.objects("contents")?.iter().enumerate() {
        let here = |error| under(error, &format!("contents[{at}]"));
        turn(content, &mut calls, &mut messages).map_err(here)?;
    }
    Ok(messages)
}

fn system_path(error: ReadError) -> ReadError {
    under(error, "systemInstruction")
}

/// Calls that wait for their answers, and a counter for ids.
#[derive(Default)]
struct Calls {
    waiting: Vec<(String, String)>,
    made: usize,
}

impl Calls {
    fn make(&mut self) -> String {
        self.made = self.made.saturating_add(1);
        format!("{MADE_ID}{}", self.made)
    }

    /// The id of the call that an answer belongs to: the oldest of that function, as Google
    /// pairs them.
    fn answered(&mut self, id: Option<String>, name: &str) -> String {
        let fits = |(known, function): &(String, String)| match &id {
            Some(id) => known == id,
            None => function == name,
        };
        match self.waiting.iter().position(fits) {
            Some(at) => self.waiting.remove(at).0,
            None => id.unwrap_or_else(|| self.make()),
        }
    }
}

fn push(messages: &mut Vec<Message>, role: Role, parts: Vec<Part>) {
    if !parts.is_empty() {
        messages.push(Message { role, name: None, parts, extra: Extra::default() });
    }
}

fn turn(
    content: &Fields<'_>,
    calls: &mut Calls,
    messages: &mut Vec<Message>,
) -> Result<(), ReadError> {
    let role = match content.text("role")?.as_deref() {
        None | Some("user" | "function" | "tool" | "") => Role::User,
        Some("model") => Role::Assistant,
        Some("system") => Role::System,
        Some(role) => return Err(ReadError::new("role", "\"user\" or \"model\"", shorten(role))),
    };
    let mut parts = Vec::new();
    for (at, raw) in content.list("parts")?.into_iter().enumerate() {
        let here = |error| under(error, &format!("parts[{at}]"));
        let fields = Fields::parse(raw.get()).map_err(here)?;
        if let Some(answer) = fields.object("functionResponse").map_err(here)? {
            let there = |error| here(under(error, "functionResponse"));
            push(messages, role, std::mem::take(&mut parts));
            messages.push(answer_of(&answer, calls).map_err(there)?);
        } else {
            part(raw, &fields, calls, &mut parts).map_err(here)?;
        }
    }
    give_back(&mut parts);
    push(messages, role, parts);
    Ok(())
}

fn answer_of(answer: &Fields<'_>, calls: &mut Calls) -> Result<Message, ReadError> {
    let name = answer.text("name")?.unwrap_or_default();
    let call_id = calls.answered(answer.text("id")?.filter(|id| !id.is_empty()), &name);
    let (text, is_error) = answer_text(answer)?;
    let mut parts = vec![Part::text(text)];
    for (at, raw) in answer.list("parts")?.into_iter().enumerate() {
        let here = |error| under(error, &format!("parts[{at}]"));
        let fields = Fields::parse(raw.get()).map_err(here)?;
        part(raw, &fields, calls, &mut parts).map_err(here)?;
    }
    let result = Part::new(Content::ToolResult { call_id, parts, is_error });
    let name = Some(name).filter(|name| !name.is_empty());
    Ok(Message { role: Role::Tool, name, parts: vec![result], extra: Extra::default() })
}

/// The answer's text: what stands alone under `result`, `output` or `error`, else the object.
fn answer_text(answer: &Fields<'_>) -> Result<(String, bool), ReadError> {
    let Some(raw) = answer.raw("response") else { return Ok((String::new(), false)) };
    let object = answer.object("response")?;
    let fields: Vec<_> = object.iter().flat_map(Fields::each).collect();
    if let [(key @ ("result" | "output" | "error"), value)] = fields.as_slice()
        && let Ok(text) = serde_json::from_str::<String>(value.get())
    {
        return Ok((text, *key == "error"));
    }
    Ok((raw.get().to_owned(), false))
}

fn part(
    raw: &RawValue,
    fields: &Fields<'_>,
    calls: &mut Calls,
    parts: &mut Vec<Part>,
) -> Result<(), ReadError> {
    let signature = fields.text("thoughtSignature")?;
    if let Some(call) = fields.object("functionCall")? {
        let here = |error| under(error, "functionCall");
        let name = call.text("name").map_err(here)?;
        let name = name.ok_or_else(|| here(ReadError::new("name", "a text", "nothing")))?;
        let id = call.text("id").map_err(here)?.filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| calls.make());
        call.object("args").map_err(here)?;
        let arguments = call.raw("args").map_or("{}", RawValue::get).to_owned();
        calls.waiting.push((id.clone(), name.clone()));
        parts.extend(signature.map(|data| signed(data, Some(id.clone()))));
        parts.push(Part::new(Content::ToolCall { id, name, arguments }));
        return Ok(());
    }
    let is_plain = fields.others(&PLAIN).next().is_none();
    if let Some(text) = fields.text("text")?.filter(|_| is_plain) {
        if fields.flag("thought")?.unwrap_or(false) {
            parts.push(thought(text, signature));
            return Ok(());
        }
        if !text.is_empty() {
            parts.push(Part::text(text));
        }
    } else if let Some(media) = media(fields)?.filter(|_| is_plain) {
        parts.push(Part::new(Content::Media(media)));
    } else {
        let json = Json::from(raw);
        parts.push(Part::new(Content::Other(Other { dialect: NAME, json })));
        return Ok(());
    }
    parts.extend(signature.map(|data| signed(data, None)));
    Ok(())
}

fn thought(text: String, signature: Option<String>) -> Part {
    let detail = signature.as_deref().and_then(packed::unpack).unwrap_or_else(|| {
        let format = Some(FORMAT.to_owned());
        ReasoningDetail { format, signature, ..ReasoningDetail::default() }
    });
    Part::new(Content::Reasoning { text, detail: Some(detail) })
}

/// Gives pieces of thought that stand before another provider's proof to that provider: they are
/// its block, and came before the end that told so.
fn give_back(parts: &mut [Part]) {
    let mut owner: Option<String> = None;
    for part in parts.iter_mut().rev() {
        let Content::Reasoning { detail: Some(detail), .. } = &mut part.content else {
            owner = None;
            continue;
        };
        match &owner {
            Some(format) if detail.signature.is_none() && detail.data.is_none() => {
                detail.format = Some(format.clone());
            }
            _ => owner = detail.format.clone().filter(|format| format != FORMAT),
        }
    }
}

fn signed(data: String, id: Option<String>) -> Part {
    let detail = Some(ReasoningDetail {
        kind: ReasoningKind::Encrypted,
        id,
        format: Some(FORMAT.to_owned()),
        data: Some(data),
        ..ReasoningDetail::default()
    });
    Part::new(Content::Reasoning { text: String::new(), detail })
}

/// A medium; `None` for files that only Google can open, which stay as they are.
fn media(fields: &Fields<'_>) -> Result<Option<Media>, ReadError> {
    if let Some(blob) = fields.object("inlineData")? {
        let here = |error| under(error, "inlineData");
        let demand = |key: &str| {
            let value = blob.text(key).map_err(here)?;
            value.ok_or_else(|| here(ReadError::new(key, "a text", "nothing")))
        };
        let mime = demand("mimeType")?;
        let data = standard(demand("data")?);
        let name = blob.text("displayName").map_err(here)?;
        let kind = kind_of(&mime);
        let data = MediaData::Inline { mime, base64: data };
        return Ok(Some(Media { kind, data, name, detail: None }));
    }
    let Some(file) = fields.object("fileData")? else { return Ok(None) };
    let here = |error| under(error, "fileData");
    let uri = file.text("fileUri").map_err(here)?;
    let uri = uri.ok_or_else(|| here(ReadError::new("fileUri", "a text", "nothing")))?;
    let mime = file.text("mimeType").map_err(here)?;
    let is_public = uri.starts_with("https://") || uri.starts_with("http://");
    if !is_public || uri.starts_with(FILES) || mime.as_deref() != super::media::mime_of(&uri) {
        return Ok(None);
    }
    let kind = mime.as_deref().map_or(crate::request::MediaKind::File, kind_of);
    Ok(Some(Media { kind, data: MediaData::Url(uri), name: None, detail: None }))
}

/// Where Google keeps uploaded files.
const FILES: &str = "https://generativelanguage.googleapis.com/";

/// What a part may hold and still be one of the canonical kinds.
const PLAIN: [&str; 5] = ["text", "thought", "thoughtSignature", "inlineData", "fileData"];
