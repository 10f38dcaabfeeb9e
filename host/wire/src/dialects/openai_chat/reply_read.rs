//! Reading what a choice says, in every host's variant, and whole replies.
//! Streams are read by `stream_read` with the same choices.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::emit;
use super::reasoning::OTHER_DETAIL;
use super::shape::{Body, Choice, Message, Value, count, list, text, word};
use super::stream_write::is_owned;
use super::tool_calls::Calls;
use super::{error, finish, reasoning, usage};
use crate::chunk::{Chunk, Delta, Role};
use crate::error::{ReadError, StreamError};
use crate::json::{Json, Object};

/// Reads a whole reply.
pub(super) fn read(body: &Bytes) -> Result<Vec<Chunk>, StreamError> {
    let shape: Body<'_> = parse(body)?;
    if let Some(failure) = error::read_inside(&shape, body) {
        return Err(StreamError::Upstream(failure));
    }
    if shape.choices.as_ref().is_none_or(Vec::is_empty) {
        return Err(ReadError::new("choices", "at least one choice", excerpt(body)).into());
    }
    let mut deltas = Vec::new();
    let text = std::str::from_utf8(body).unwrap_or_default();
    for (name, value) in &Object::parse(text).unwrap_or_default().0 {
        if !is_read(name) && value.get() != "null" {
            deltas.push(other(None, name, value));
        }
    }
    Choices::default().read(shape, &mut deltas)?;
    Ok(deltas.into_iter().map(|delta| Chunk::of(vec![delta])).collect())
}

/// Whether a top-level field is read, or the gateway's to write.
fn is_read(name: &str) -> bool {
    matches!(name, "citations" | "search_results") || is_owned(name)
}

/// Splits a body or an event.
pub(super) fn parse(bytes: &[u8]) -> Result<Body<'_>, ReadError> {
    let wrong = |problem: String| {
        ReadError::new("body", format!("a chat completion ({problem})"), excerpt(bytes))
    };
    let text = std::str::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(text).map_err(|error| wrong(error.to_string()))
}

/// The choices of one reply so far.
#[derive(Debug, Default)]
pub(super) struct Choices {
    choices: Vec<State>,
    /// Addresses that were cited: hosts that repeat the list with every event exist.
    cited: Vec<String>,
    has_usage: bool,
}

#[derive(Debug, Default)]
struct State {
    has_begun: bool,
    is_finished: bool,
    calls: Calls,
}

impl Choices {
    /// Reads a body's or an event's changes.
    pub(super) fn read(
        &mut self,
        body: Body<'_>,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        let mut counted = body.usage;
        for (position, choice) in body.choices.into_iter().flatten().enumerate() {
            // Moonshot counts inside of the choice.
            counted = counted.or(choice.usage);
            self.read_choice(position, &choice, deltas)?;
        }
        self.read_citations(body.citations, body.search_results, deltas);
        let groq = body.x_groq.and_then(|raw| Object::parse(raw.get()).ok()?.field("usage"));
        if let Some(usage) = counted.or(groq).and_then(usage::read) {
            self.has_usage = true;
            deltas.push(Delta::Usage(usage));
        }
        Ok(())
    }

    /// Whether every choice that began has ended and tokens were counted: nothing more is due,
    /// even from a host that sends no `[DONE]`.
    pub(super) fn are_complete(&self) -> bool {
        let mut begun = self.choices.iter().filter(|choice| choice.has_begun).peekable();
        self.has_usage && begun.peek().is_some() && begun.all(|choice| choice.is_finished)
    }

    fn read_choice(
        &mut self,
        position: usize,
        shape: &Choice<'_>,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        let index = count(shape.index).and_then(|index| usize::try_from(index).ok());
        let index = index.unwrap_or(position);
        let choice =
            u16::try_from(index).ok().filter(|_| index < MAX_CHOICES).ok_or_else(|| {
                ReadError::new(
                    "choices[].index",
                    format!("less than {MAX_CHOICES}"),
                    index.to_string(),
                )
            })?;
        if self.choices.len() <= index {
            self.choices.resize_with(index + 1, State::default);
        }
        let Some(state) = self.choices.get_mut(index) else { return Ok(()) };
        if !std::mem::replace(&mut state.has_begun, true) {
            deltas.push(Delta::Role { choice, role: Role::Assistant });
        }
        if let Some(text) = word(shape.text) {
            deltas.push(Delta::Text { choice, text });
        }
        if let Some(message) = &shape.message {
            read_message(choice, message, &mut state.calls, deltas)?;
        }
        for (name, value) in &shape.rest {
            deltas.push(other(Some(choice), name, value));
        }
        if let Some(word) = word(shape.finish_reason)
            && !std::mem::replace(&mut state.is_finished, true)
        {
            deltas.push(read_finish(choice, &word, shape.native_finish_reason));
        }
        Ok(())
    }

    /// Perplexity's and xAI's lists of addresses become annotations of the first choice, each once.
    fn read_citations(
        &mut self,
        citations: Value<'_>,
        results: Value<'_>,
        deltas: &mut Vec<Delta>,
    ) {
        if citations.is_none() {
            return;
        }
        let results: Vec<Object<'_>> =
            list(results).iter().filter_map(|raw| Object::parse(raw.get()).ok()).collect();
        for url in list(citations).into_iter().filter_map(|raw| text(Some(raw))) {
            if self.cited.contains(&url) || self.cited.len() >= MAX_CITATIONS {
                continue;
            }
            let result =
                results.iter().find(|result| text(result.field("url")).as_ref() == Some(&url));
            let title = result.and_then(|result| word(result.field("title")));
            deltas.push(Delta::Annotation { choice: 0, json: citation(&url, title.as_deref()) });
            self.cited.push(url);
        }
    }
}

fn read_message(
    choice: u16,
    message: &Message<'_>,
    calls: &mut Calls,
    deltas: &mut Vec<Delta>,
) -> Result<(), ReadError> {
    read_reasoning(choice, message, deltas);
    if let Some(content) = message.content {
        read_content(choice, content, deltas);
    }
    if let Some(text) = word(message.refusal) {
        deltas.push(Delta::Refusal { choice, text });
    }
    if let Some(pieces) = message.tool_calls {
        calls.read(choice, pieces, deltas)?;
    } else if let Some(function) = message.function_call {
        calls.read_legacy(choice, function, deltas)?;
    }
    let json = |raw: &RawValue| Json::from(raw);
    for raw in list(message.annotations) {
        deltas.push(Delta::Annotation { choice, json: json(raw) });
    }
    for raw in list(message.images) {
        deltas.push(Delta::Image { choice, json: json(raw) });
    }
    if let Some(raw) = message.audio {
        deltas.push(Delta::Audio { choice, json: json(raw) });
    }
    for (name, value) in &message.rest {
        deltas.push(other(Some(choice), &format!("{IN_MESSAGE}{name}"), value));
    }
    Ok(())
}

/// Thought has three names. Where blocks come with it, the plain text repeats theirs.
fn read_reasoning(choice: u16, message: &Message<'_>, deltas: &mut Vec<Delta>) {
    let first = deltas.len();
    let mut is_readable = false;
    for raw in list(message.reasoning_details) {
        match reasoning::read(raw) {
            Some((text, detail)) => {
                is_readable |= !text.is_empty();
                deltas.push(Delta::Reasoning { choice, text, detail });
            }
            None => deltas.push(Delta::Other {
                choice: Some(choice),
                kind: OTHER_DETAIL.to_owned(),
                json: Json::from(raw),
            }),
        }
    }
    if !is_readable
        && let Some(text) = word(message.reasoning).or_else(|| word(message.reasoning_content))
    {
        deltas.insert(first, Delta::Reasoning { choice, text, detail: None });
    }
}

/// Content is text, or Mistral's list of parts.
fn read_content(choice: u16, content: &RawValue, deltas: &mut Vec<Delta>) {
    if let Some(text) = text(Some(content)) {
        if !text.is_empty() {
            deltas.push(Delta::Text { choice, text });
        }
        return;
    }
    if content.get().starts_with('{') {
        return read_part(choice, content, deltas);
    }
    for part in list(Some(content)) {
        read_part(choice, part, deltas);
    }
}

fn read_part(choice: u16, part: &RawValue, deltas: &mut Vec<Delta>) {
    if let Some(text) = word(Some(part)) {
        deltas.push(Delta::Text { choice, text });
        return;
    }
    let fields = Object::parse(part.get()).unwrap_or_default();
    match text(fields.field("type")).as_deref() {
        Some("text" | "output_text") => {
            if let Some(text) = word(fields.field("text")) {
                deltas.push(Delta::Text { choice, text });
            }
        }
        Some("thinking") => read_thinking(choice, fields.field("thinking"), deltas),
        Some("refusal") => {
            if let Some(text) = word(fields.field("refusal")) {
                deltas.push(Delta::Refusal { choice, text });
            }
        }
        Some("image_url") => deltas.push(Delta::Image { choice, json: Json::from(part) }),
        _ => deltas.push(other(Some(choice), "content_part", part)),
    }
}

/// Mistral's thought: text, or a list of text parts.
fn read_thinking(choice: u16, thinking: Value<'_>, deltas: &mut Vec<Delta>) {
    let pieces: Vec<String> = match word(thinking) {
        Some(text) => vec![text],
        None => list(thinking)
            .into_iter()
            .filter_map(|raw| word(Object::parse(raw.get()).ok()?.field("text")))
            .collect(),
    };
    for text in pieces {
        deltas.push(Delta::Reasoning { choice, text, detail: None });
    }
}

/// `native_finish_reason` is there when the upstream is a gateway itself.
fn read_finish(choice: u16, reason: &str, native: Value<'_>) -> Delta {
    let native = word(native).unwrap_or_else(|| reason.to_owned());
    Delta::Finish { choice, reason: finish::read(reason), native: Some(native) }
}

/// A field that has no place, under the dialect's own name.
pub(super) fn other(choice: Option<u16>, name: &str, value: &RawValue) -> Delta {
    Delta::Other { choice, kind: format!("{PREFIX}{name}"), json: Json::from(value) }
}

fn citation(url: &str, title: Option<&str>) -> Json {
    let mut out = Vec::new();
    let mut object = emit::Object::begin(&mut out);
    object.raw("type", r#""url_citation""#);
    object.object("url_citation", |citation| {
        citation.value("url", url);
        citation.optional("title", title.as_ref());
    });
    object.end();
    Json::parse(String::from_utf8(out).unwrap_or_default()).unwrap_or_else(|_| Json::null())
}

/// The beginning of a body, for an error message.
pub(in crate::dialects) fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None if text.is_empty() => "nothing".to_owned(),
        None => text.to_owned(),
    }
}

/// What `Delta::Other` of this dialect begins with.
pub(super) const PREFIX: &str = "openai-chat.";
/// What follows it for fields of the message or delta; the others are the choice's.
pub(super) const IN_MESSAGE: &str = "message.";
const MAX_CHOICES: usize = 128;
const MAX_CITATIONS: usize = 1024;
const MAX_EXCERPT: usize = 100;
