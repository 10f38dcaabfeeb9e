//! Messages as `systemInstruction` and `contents`. Signatures go back to the parts they came on;
//! what other models thought is left out, because Gemini can't check it.

use std::collections::HashMap;

use crate::chunk::{ReasoningDetail, ReasoningKind, Role};
use crate::error::WriteError;
use crate::json::Json;
use crate::request::{Content, Message, Part, Request};

use super::shape::{Answer, Built, Call, ContentOut, PartOut, arguments, settle};
use super::{FORMAT, MADE_ID, NAME, media};

/// A conversation in Gemini's form.
#[derive(Default)]
pub(super) struct Conversation<'a> {
    /// The system prompts, joined as parts.
    pub(super) system: Vec<PartOut<'a>>,
    /// The turns, roles alternating.
    pub(super) contents: Vec<ContentOut<'a>>,
    calls: HashMap<&'a str, (&'a str, usize)>,
    call_count: usize,
    wants_signatures: bool,
}

/// Writes every message. With `wants_signatures`, calls that were not signed, because another
/// model made them, carry the word by which Gemini 3 lets them pass.
pub(super) fn write(
    request: &Request,
    wants_signatures: bool,
) -> Result<Conversation<'_>, WriteError> {
    let mut out = Conversation { wants_signatures, ..Conversation::default() };
    for (at, message) in request.messages.iter().enumerate() {
        let parts = match message.role {
            Role::System | Role::Developer => {
                out.system.extend(system_parts(message, at)?);
                continue;
            }
            Role::Assistant => out.model_parts(message, at)?,
            Role::User | Role::Tool => out.user_parts(message, at)?,
        };
        let role = if message.role == Role::Assistant { "model" } else { "user" };
        out.push(role, parts);
    }
    for content in &mut out.contents {
        order_answers(&mut content.parts);
    }
    if out.contents.is_empty() {
        // Gemini wants a turn: a lone system prompt becomes the user's.
        let parts = std::mem::take(&mut out.system);
        out.push("user", parts);
    }
    Ok(out)
}

impl<'a> Conversation<'a> {
    fn push(&mut self, role: &'static str, parts: Vec<PartOut<'a>>) {
        if parts.is_empty() {
            return;
        }
        match self.contents.last_mut() {
            Some(last) if last.role == Some(role) => last.parts.extend(parts),
            _ => self.contents.push(ContentOut { parts, role: Some(role) }),
        }
    }

    fn user_parts(
        &mut self,
        message: &'a Message,
        at: usize,
    ) -> Result<Vec<PartOut<'a>>, WriteError> {
        let mut parts = Vec::new();
        // Gemini knows no names of people: who of several speaks stands before the words.
        let mut speaker = message.name.as_deref().filter(|_| message.role == Role::User);
        for (index, part) in message.parts.iter().enumerate() {
            let place = || format!("messages[{at}].parts[{index}]");
            match &part.content {
                Content::Text(text) if let Some(name) = speaker.take() => {
                    parts.push(PartOut::text(format!("{name}: {text}")));
                }
                Content::ToolResult { call_id, parts: answer, is_error } => {
                    let known = self.calls.get(call_id.as_str()).copied();
                    let named = message.name.as_deref().map(|name| (name, usize::MAX));
                    let Some((name, position)) = known.or(named) else {
                        let what = "a tool result whose call is in no earlier message";
                        return Err(refuse(&format!("{what} ({call_id}, {})", place())));
                    };
                    let (response, media) = answer_of(answer, *is_error, &place())?;
                    let id = sendable(call_id);
                    let answer = Answer { id, name, response, parts: media, position };
                    let built = Built { function_response: Some(answer), ..Built::default() };
                    parts.push(built.into());
                }
                content => parts.extend(plain(content, &place)?),
            }
        }
        Ok(parts)
    }

    fn model_parts(
        &mut self,
        message: &'a Message,
        at: usize,
    ) -> Result<Vec<PartOut<'a>>, WriteError> {
        let call_ids: Vec<&str> = message.parts.iter().filter_map(call_id).collect();
        let mut parts: Vec<PartOut<'a>> = Vec::new();
        let mut loose = Vec::new();
        for (index, part) in message.parts.iter().enumerate() {
            let place = || format!("messages[{at}].parts[{index}]");
            match &part.content {
                Content::Reasoning { text, detail: Some(detail) } if is_ours(detail) => {
                    if detail.kind != ReasoningKind::Encrypted {
                        parts.extend(thought(text, detail));
                    } else if !detail.id.as_deref().is_some_and(|id| call_ids.contains(&id))
                        && let Some(data) = detail.data.as_deref()
                    {
                        match parts.last_mut().and_then(PartOut::bearer) {
                            Some(last) => last.thought_signature = Some(data.into()),
                            None => loose.push(data.into()),
                        }
                    }
                }
                Content::Reasoning { .. } => {}
                Content::ToolCall { id, name, arguments } => {
                    let signature = signature_of(message, id);
                    let call = self.call(id, name, arguments, &place())?;
                    let thought_signature = signature.map(Into::into);
                    let function_call = Some(call);
                    let built = Built { function_call, thought_signature, ..Built::default() };
                    parts.push(built.into());
                }
                content => parts.extend(plain(content, &place)?),
            }
        }
        settle(loose, &mut parts);
        if self.wants_signatures {
            excuse(&mut parts);
        }
        Ok(parts)
    }

    fn call(
        &mut self,
        id: &'a str,
        name: &'a str,
        text: &'a str,
        place: &str,
    ) -> Result<Call<'a>, WriteError> {
        let Some(args) = arguments(text) else {
            return Err(refuse(&format!("tool arguments that are not a JSON object ({place})")));
        };
        self.calls.insert(id, (name, self.call_count));
        self.call_count = self.call_count.saturating_add(1);
        let args = std::borrow::Cow::Borrowed(args);
        Ok(Call { id: sendable(id).map(Into::into), name: name.into(), args })
    }
}

fn system_parts(message: &Message, at: usize) -> Result<Vec<PartOut<'_>>, WriteError> {
    let mut parts = Vec::new();
    for (index, part) in message.parts.iter().enumerate() {
        match &part.content {
            Content::Text(text) if text.is_empty() => {}
            Content::Text(text) => parts.push(PartOut::text(text.as_str())),
            _ => {
                let place = format!("messages[{at}].parts[{index}]");
                return Err(refuse(&format!("anything but text in a system prompt ({place})")));
            }
        }
    }
    Ok(parts)
}

/// Parts that either side may speak. Gemini refuses empty texts, so they are left out.
fn plain<'a>(
    content: &'a Content,
    place: &dyn Fn() -> String,
) -> Result<Option<PartOut<'a>>, WriteError> {
    match content {
        Content::Text(text) | Content::Refusal(text) => {
            Ok((!text.is_empty()).then(|| PartOut::text(text.as_str())))
        }
        Content::Media(medium) => match media::write(medium) {
            Some(part) => Ok(Some(part)),
            None => Err(refuse(&format!("another provider's uploaded file ({})", place()))),
        },
        Content::Other(other) if other.dialect == NAME => {
            Ok(Some(PartOut::Whole(std::borrow::Cow::Borrowed(&other.json))))
        }
        Content::Other(other) => {
            Err(refuse(&format!("a part that only {} knows ({})", other.dialect, place())))
        }
        Content::ToolCall { .. } => Err(refuse(&format!("a user's tool call ({})", place()))),
        Content::ToolResult { .. } => Err(refuse(&format!("a model's tool result ({})", place()))),
        Content::Reasoning { .. } => Ok(None),
    }
}

/// The answer as the object that Gemini wants, and its media.
fn answer_of<'a>(
    parts: &'a [Part],
    is_error: bool,
    place: &str,
) -> Result<(Json, Vec<PartOut<'a>>), WriteError> {
    let mut text = String::new();
    let mut media = Vec::new();
    for part in parts {
        match &part.content {
            Content::Text(more) | Content::Refusal(more) => text.push_str(more),
            content => media.extend(plain(content, &|| place.to_owned())?),
        }
    }
    let object = Json::parse(text.as_str()).ok().filter(|json| json.as_str().starts_with('{'));
    let response = match (object, is_error) {
        (Some(object), false) => object,
        (Some(object), true) => Json::of(&HashMap::from([("error", object)])),
        (None, false) => Json::of(&HashMap::from([("result", text)])),
        (None, true) => Json::of(&HashMap::from([("error", text)])),
    };
    Ok((response, media))
}

fn is_ours(detail: &ReasoningDetail) -> bool {
    detail.format.as_deref() == Some(FORMAT)
}

fn call_id(part: &Part) -> Option<&str> {
    match &part.content {
        Content::ToolCall { id, .. } => Some(id),
        _ => None,
    }
}

fn thought<'a>(text: &'a str, detail: &'a ReasoningDetail) -> Option<PartOut<'a>> {
    let thought_signature = detail.signature.as_deref().map(Into::into);
    if text.is_empty() && thought_signature.is_none() {
        return None;
    }
    let text = Some(text.into());
    Some(Built { text, thought: Some(true), thought_signature, ..Built::default() }.into())
}

/// The signature that stood on a call: the block that bears the call's id.
fn signature_of<'a>(message: &'a Message, id: &str) -> Option<&'a str> {
    message.parts.iter().find_map(|part| match &part.content {
        Content::Reasoning { detail: Some(detail), .. }
            if is_ours(detail) && detail.id.as_deref() == Some(id) =>
        {
            detail.data.as_deref()
        }
        _ => None,
    })
}

fn excuse(parts: &mut [PartOut<'_>]) {
    let mut calls =
        parts.iter_mut().filter_map(PartOut::built).filter(|built| built.function_call.is_some());
    // Of parallel calls only the first one is signed.
    if let Some(first) = calls.next()
        && first.thought_signature.is_none()
        && calls.all(|built| built.thought_signature.is_none())
    {
        first.thought_signature = Some(UNSIGNED.into());
    }
}

/// Without ids Google pairs answers with calls by their order.
fn order_answers(parts: &mut Vec<PartOut<'_>>) {
    let position = |part: &PartOut<'_>| match part {
        PartOut::Built(built) => built.function_response.as_ref().map(|answer| answer.position),
        PartOut::Whole(_) => None,
    };
    let slots: Vec<bool> = parts.iter().map(|part| position(part).is_some()).collect();
    let (mut answers, others): (Vec<_>, Vec<_>) =
        parts.drain(..).partition(|part| position(part).is_some());
    answers.sort_by_key(|part| position(part));
    let (mut answers, mut others) = (answers.into_iter(), others.into_iter());
    let next = |is_answer| if is_answer { answers.next() } else { others.next() };
    parts.extend(slots.into_iter().filter_map(next));
}

fn sendable(id: &str) -> Option<&str> {
    (!id.is_empty() && !id.starts_with(MADE_ID)).then_some(id)
}

fn refuse(what: &str) -> WriteError {
    WriteError { dialect: NAME, what: what.to_owned() }
}

/// What Google documents for calls that Gemini did not make:
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>.
const UNSIGNED: &str = "skip_thought_signature_validator";
