//! One choice on its way to a Gemini client. Tool calls are told whole, with the signature that
//! belongs to them, however their pieces come; what Gemini tells with a candidate's end is gathered
//! until then.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::chunk::{Delta, ReasoningDetail, ReasoningKind};
use crate::json::Json;
use crate::packed;

use super::media::{mime_of, split_data_url};
use super::read_choice::CANDIDATE;
use super::shape::{Blob, Built, Call, ContentOut, Draft, File, PartOut, arguments};
use super::{FORMAT, MADE_ID, NAME, finish, grounding, logprobs};

/// What must be remembered of a choice from chunk to chunk.
#[derive(Debug, Default)]
pub(super) struct ChoiceWriter {
    number: u16,
    /// Calls that are not told yet.
    open: Vec<OpenCall>,
    /// Signatures that wait for the call of their id.
    signatures: Vec<(String, String)>,
    text: String,
    annotations: Vec<Json>,
    fields: Draft,
    tokens: Vec<Json>,
    finish: Option<String>,
    /// Whether the client has seen the end.
    is_ended: bool,
}

#[derive(Debug, Default)]
struct OpenCall {
    index: u16,
    id: String,
    name: String,
    arguments: String,
    /// Whether the arguments came in part only when they were looked at last.
    is_partial: bool,
}

/// A candidate.
#[derive(Debug, Serialize)]
pub(super) struct CandidateOut {
    content: ContentOut<'static>,
    #[serde(rename = "finishReason", skip_serializing_if = "Option::is_none")]
    finish: Option<String>,
    index: u16,
    #[serde(flatten)]
    fields: Draft,
}

impl ChoiceWriter {
    /// A choice that begins.
    pub(super) fn new(number: u16) -> Self {
        Self { number, ..Self::default() }
    }

    /// Which choice.
    pub(super) fn number(&self) -> u16 {
        self.number
    }

    /// Takes a change; what can be told at once is appended.
    pub(super) fn push(&mut self, delta: &Delta, parts: &mut Vec<PartOut<'static>>) {
        match delta {
            Delta::Role { .. } | Delta::Usage(_) => {}
            Delta::Text { text, .. } | Delta::Refusal { text, .. } => {
                self.complete(parts);
                self.text.push_str(text);
                if !text.is_empty() {
                    parts.push(PartOut::text(text.clone()));
                }
            }
            Delta::Reasoning { text, detail, .. } => self.reason(text, detail.as_ref(), parts),
            Delta::ToolCall { index, id, name, arguments, .. } => {
                if !self.open.iter().any(|open| open.index == *index) {
                    self.complete(parts);
                    self.open.push(OpenCall { index: *index, ..OpenCall::default() });
                }
                let open = self.open.iter_mut().find(|open| open.index == *index);
                let Some(open) = open else { return };
                for (ours, theirs) in [(&mut open.id, id), (&mut open.name, name)] {
                    if let Some(theirs) = theirs.as_ref().filter(|_| ours.is_empty()) {
                        ours.clone_from(theirs);
                    }
                }
                open.arguments.push_str(arguments);
                open.is_partial = false;
            }
            Delta::Annotation { json, .. } => self.annotations.push(json.clone()),
            Delta::Image { json, .. } => {
                self.complete(parts);
                parts.extend(image(json));
            }
            Delta::Audio { json, .. } => {
                self.complete(parts);
                parts.extend(audio(json));
            }
            Delta::Finish { reason, native, .. } => {
                self.complete_all(parts);
                self.finish = Some(finish::write(*reason, native.as_deref()));
            }
            Delta::Other { kind, json, .. } => self.other(kind, json, parts),
        }
    }

    /// Takes note of a change that the client is told in the upstream's own words.
    pub(super) fn note(&mut self, delta: &Delta) {
        match delta {
            Delta::Text { text, .. } => self.text.push_str(text),
            Delta::Finish { .. } => self.is_ended = true,
            _ => {}
        }
    }

    /// Tells the calls whose arguments are whole; pieces of the others may yet come.
    pub(super) fn complete(&mut self, parts: &mut Vec<PartOut<'static>>) {
        for mut open in std::mem::take(&mut self.open) {
            open.is_partial = open.is_partial || !is_whole(&open.arguments);
            match open.is_partial {
                true => self.open.push(open),
                false => self.tell(open, parts),
            }
        }
    }

    /// Tells every call: no piece comes any more.
    fn complete_all(&mut self, parts: &mut Vec<PartOut<'static>>) {
        for open in std::mem::take(&mut self.open) {
            self.tell(open, parts);
        }
    }

    fn tell(&mut self, open: OpenCall, parts: &mut Vec<PartOut<'static>>) {
        let signed = self.signatures.iter().position(|(id, _)| *id == open.id);
        let signature = signed.map(|at| self.signatures.swap_remove(at).1);
        // Ids that were made for a call of Gemini's are as unknown to its client as to it.
        let id = Some(open.id).filter(|id| !id.is_empty() && !id.starts_with(MADE_ID));
        let args = Cow::Owned(args(&open.arguments));
        let call = Call { id: id.map(Cow::Owned), name: Cow::Owned(open.name), args };
        let thought_signature = signature.map(Cow::Owned);
        let function_call = Some(call);
        parts.push(Built { function_call, thought_signature, ..Built::default() }.into());
    }

    /// A candidate with these parts, before the end.
    pub(super) fn candidate(&self, parts: Vec<PartOut<'static>>) -> CandidateOut {
        let content = ContentOut { parts, role: Some("model") };
        CandidateOut { content, finish: None, index: self.number, fields: Draft::default() }
    }

    /// The candidate with what is left; `None` when the client has seen the end.
    pub(super) fn end(&mut self, mut parts: Vec<PartOut<'static>>) -> Option<CandidateOut> {
        self.complete_all(&mut parts);
        let loose = std::mem::take(&mut self.signatures);
        parts.extend(loose.into_iter().map(|(_, data)| PartOut::signature(data)));
        if self.is_ended && parts.is_empty() {
            return None;
        }
        let mut candidate = self.candidate(parts);
        candidate.fields = std::mem::take(&mut self.fields);
        if let Some(grounding) = grounding::write(&self.annotations, &self.text) {
            candidate.fields.put("groundingMetadata", &grounding);
        }
        logprobs::write(&std::mem::take(&mut self.tokens), &mut candidate.fields);
        if !self.is_ended {
            candidate.finish = Some(self.finish.take().unwrap_or_else(|| "STOP".to_owned()));
        }
        self.is_ended = true;
        Some(candidate)
    }

    fn reason(
        &mut self,
        text: &str,
        detail: Option<&ReasoningDetail>,
        parts: &mut Vec<PartOut<'static>>,
    ) {
        let ours = detail.filter(|detail| detail.format.as_deref() == Some(FORMAT));
        let is_encrypted = detail.is_some_and(|detail| detail.kind == ReasoningKind::Encrypted);
        if let Some(data) = ours.filter(|_| is_encrypted).and_then(|detail| detail.data.clone()) {
            match ours.and_then(|detail| detail.id.clone()) {
                Some(id) => self.signatures.push((id, data)),
                None => {
                    self.complete(parts);
                    match parts.last_mut().and_then(PartOut::bearer) {
                        Some(bearer) => bearer.thought_signature = Some(Cow::Owned(data)),
                        None => parts.push(PartOut::signature(data)),
                    }
                }
            }
            return;
        }
        let packed = detail.filter(|_| ours.is_none()).and_then(packed::pack);
        let signature = ours.and_then(|detail| detail.signature.clone()).or(packed);
        let thought_signature = signature.map(Cow::Owned);
        if text.is_empty() && thought_signature.is_none() {
            return;
        }
        self.complete(parts);
        let text = Some(Cow::Owned(text.to_owned()));
        let thought = Some(true);
        parts.push(Built { text, thought, thought_signature, ..Built::default() }.into());
    }

    fn other(&mut self, kind: &str, json: &Json, parts: &mut Vec<PartOut<'static>>) {
        if kind == crate::logprobs::KIND {
            return logprobs::gather(json, &mut self.tokens);
        }
        let name = kind.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('.'));
        let Some(name) = name else { return };
        match name.strip_prefix(CANDIDATE) {
            Some(field) => {
                self.fields.0.retain(|(known, _)| known != field);
                self.fields.put(field, json);
            }
            None => {
                self.complete(parts);
                parts.push(PartOut::Whole(Cow::Owned(json.clone())));
            }
        }
    }
}

fn is_whole(text: &str) -> bool {
    !text.is_empty() && arguments(text).is_some()
}

/// The arguments as an object. Text that is none, because the model was cut off or wrote it
/// wrongly, stands under `arguments`, so that the client can see it.
fn args(text: &str) -> Box<RawValue> {
    match arguments(text) {
        Some(args) => args.to_owned(),
        None => {
            let wrapped = serde_json::value::to_raw_value(&json!({ "arguments": text }));
            wrapped.unwrap_or_else(|_| RawValue::NULL.to_owned())
        }
    }
}

fn image(json: &Json) -> Option<PartOut<'static>> {
    let value = json.read::<Value>().ok()?;
    let url = value.pointer("/image_url/url")?.as_str()?;
    let built = match split_data_url(url) {
        Some((mime, data)) => Built { inline_data: Some(blob(mime, data)), ..Built::default() },
        None => {
            let file = File { mime_type: mime_of(url), file_uri: Cow::Owned(url.to_owned()) };
            Built { file_data: Some(file), ..Built::default() }
        }
    };
    Some(built.into())
}

fn audio(json: &Json) -> Option<PartOut<'static>> {
    let value = json.read::<Value>().ok()?;
    let data = value.get("data")?.as_str().filter(|data| !data.is_empty())?;
    // OpenAI streams 16-bit samples at 24 kHz and does not say so.
    let mime = value.get("mime_type").and_then(Value::as_str).unwrap_or("audio/L16;rate=24000");
    Some(Built { inline_data: Some(blob(mime, data)), ..Built::default() }.into())
}

fn blob(mime: &str, data: &str) -> Blob<'static> {
    let (mime_type, data) = (Cow::Owned(mime.to_owned()), Cow::Owned(data.to_owned()));
    Blob { mime_type, data, display_name: None }
}
