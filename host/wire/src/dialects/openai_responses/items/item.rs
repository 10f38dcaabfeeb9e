//! One output item, and what was said of it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::chunk::{Delta, ReasoningDetail, ReasoningKind};
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::dialects::openai_chat::shape::{list, text, word};
use crate::dialects::openai_responses::annotation::{self, of_bytes};
use crate::dialects::openai_responses::custom::{self, Kind as Custom};
use crate::dialects::openai_responses::{LOGPROBS, OTHER_FIELDS, OTHER_PART, PREFIX, thought};
use crate::json::{Json, Object};

/// One item.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// Its place in the response.
    pub(super) place: Option<u64>,
    /// Its own name.
    pub(super) id: Option<String>,
    /// What it is.
    pub(super) kind: Kind,
    /// Whether it was read whole.
    pub(super) is_done: bool,
    /// What the blocks of an item of thought have in common.
    thought: ReasoningDetail,
    /// By whether it is of a summary, and by its number.
    parts: BTreeMap<(bool, usize), Part>,
    /// Its other fields were told.
    is_begun: bool,
    /// Its arguments began.
    has_arguments: bool,
    /// Whether it began without its call's id, and without its name: its end tells them.
    lacks: (bool, bool),
}

/// What an item is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words, or a refusal.
    Message,
    /// `reasoning`.
    Thought,
    /// The call of that number, of a function or of another tool that the client runs.
    Call(u16, Option<Custom>),
    /// `image_generation_call`.
    Image,
    /// What has no canonical form.
    #[default]
    Other,
}

/// What was said of one part of an item.
#[derive(Debug, Default)]
struct Part {
    /// Its number among the blocks of thought.
    block: Option<u32>,
    has_text: bool,
    has_logprobs: bool,
    annotations: usize,
}

impl Item {
    /// An item of which nothing was said.
    pub(super) fn new(place: Option<u64>, kind: Kind, fields: &Object<'_>) -> Self {
        let thought = thought::template(fields);
        Self { place, id: word(fields.field("id")), kind, thought, ..Self::default() }
    }

    /// Tells the fields that have no place, and a call's name.
    pub(super) fn begin(&mut self, fields: &Object<'_>, deltas: &mut Vec<Delta>) {
        if std::mem::replace(&mut self.is_begun, true) {
            return;
        }
        let known: &[&str] = match self.kind {
            Kind::Message => &["type", "role", "content", "status"],
            _ => &["type", "call_id", "name", "arguments", "input", "action", "status"],
        };
        deltas.extend(other_fields(fields, known));
        let Kind::Call(index, custom) = self.kind else { return };
        let name = match custom {
            Some(Custom::LocalShell) => Some(custom::LOCAL_SHELL.to_owned()),
            _ => text(fields.field("name")),
        };
        let id = word(fields.field("call_id"));
        self.lacks = (id.is_none(), name.is_none());
        deltas.push(Delta::ToolCall { choice: 0, index, id, name, arguments: String::new() });
    }

    /// Reads a piece of a text, or the whole of it where no piece came.
    pub(super) fn say(
        &mut self,
        index: usize,
        (text, logprobs): (String, Option<&RawValue>),
        is_delta: bool,
        deltas: &mut Vec<Delta>,
    ) {
        let part = self.parts.entry((false, index)).or_default();
        if !text.is_empty() && (is_delta || !part.has_text) {
            part.has_text = true;
            deltas.push(Delta::Text { choice: 0, text });
        }
        let Some(tokens) = logprobs.filter(|raw| !list(Some(raw)).is_empty()) else { return };
        if is_delta || !part.has_logprobs {
            part.has_logprobs = true;
            let json = Json::parse(format!(r#"{{"content":{},"refusal":null}}"#, tokens.get()));
            let json = json.unwrap_or_else(|_| Json::null());
            deltas.push(Delta::Other { choice: Some(0), kind: LOGPROBS.to_owned(), json });
        }
    }

    /// Reads a piece of a refusal, or the whole of it where no piece came.
    pub(super) fn refuse(
        &mut self,
        index: usize,
        text: String,
        is_delta: bool,
        deltas: &mut Vec<Delta>,
    ) {
        let part = self.parts.entry((false, index)).or_default();
        if !text.is_empty() && (is_delta || !part.has_text) {
            part.has_text = true;
            deltas.push(Delta::Refusal { choice: 0, text });
        }
    }

    /// Reads an annotation of a text.
    pub(super) fn annotation(&mut self, index: usize, raw: &RawValue, deltas: &mut Vec<Delta>) {
        self.parts.entry((false, index)).or_default().annotations += 1;
        deltas.push(annotation::read(raw));
    }

    /// Reads a message's parts as far as they were not said.
    pub(super) fn end_message(&mut self, fields: &Object<'_>, deltas: &mut Vec<Delta>) {
        self.begin(fields, deltas);
        for (index, raw) in list(fields.field("content")).into_iter().enumerate() {
            let part = Object::parse(raw.get()).unwrap_or_default();
            match text(part.field("type")).as_deref() {
                Some("output_text" | "text") => {
                    let said = text(part.field("text")).unwrap_or_default();
                    self.say(index, (said, part.field("logprobs")), false, deltas);
                    let told = self.parts.get(&(false, index)).map_or(0, |part| part.annotations);
                    for raw in list(part.field("annotations")).into_iter().skip(told) {
                        self.annotation(index, raw, deltas);
                    }
                }
                Some("refusal") => {
                    let said = text(part.field("refusal")).unwrap_or_default();
                    self.refuse(index, said, false, deltas);
                }
                _ => deltas.push(Delta::Other {
                    choice: Some(0),
                    kind: OTHER_PART.to_owned(),
                    json: Json::from(raw),
                }),
            }
        }
    }

    /// Reads a piece of thought, or the whole of a part where no piece came.
    pub(super) fn think(
        &mut self,
        (is_summary, index): (bool, usize),
        text: String,
        is_delta: bool,
        blocks: &mut u32,
    ) -> Option<Delta> {
        let part = self.parts.entry((is_summary, index)).or_default();
        if text.is_empty() || (part.has_text && !is_delta) {
            return None;
        }
        part.has_text = true;
        let block = *part.block.get_or_insert_with(|| next(blocks));
        let kind = if is_summary { ReasoningKind::Summary } else { ReasoningKind::Text };
        let detail = ReasoningDetail { kind, index: Some(block), ..self.thought.clone() };
        Some(Delta::Reasoning { choice: 0, text, detail: Some(detail) })
    }

    /// Reads an item of thought as far as it was not said: parts that did not come in pieces, and
    /// what proves it. An item that says nothing is kept as it is.
    pub(super) fn end_thought(
        &mut self,
        raw: &RawValue,
        fields: &Object<'_>,
        blocks: &mut u32,
        deltas: &mut Vec<Delta>,
    ) {
        let known = ["type", "id", "summary", "content", "encrypted_content", "status"];
        let is_plain = |(name, raw): &(std::borrow::Cow<'_, str>, &RawValue)| {
            known.contains(&&**name)
                || matches!(&**name, "format" | "signature")
                || raw.get() == "null"
        };
        if !fields.0.iter().all(is_plain) {
            deltas.extend(other_fields(fields, &known));
        }
        let is_whole = self.parts.is_empty();
        let read = thought::read(fields, &mut 0);
        if read.is_empty() {
            let kind = format!("{PREFIX}reasoning");
            deltas.push(Delta::Other { choice: Some(0), kind, json: Json::from(raw) });
        }
        let (mut summaries, mut contents) = (0usize, 0usize);
        for (text, mut detail) in read {
            let count = match detail.kind {
                ReasoningKind::Summary => Some((true, &mut summaries)),
                ReasoningKind::Text => Some((false, &mut contents)),
                ReasoningKind::Encrypted => None,
            };
            if let Some((is_summary, count)) = count {
                let part = self.parts.entry((is_summary, *count)).or_default();
                *count += 1;
                // What came in pieces needs no more than its signature.
                if !is_whole && part.has_text {
                    if detail.signature.is_some() {
                        detail.index = part.block;
                        let text = String::new();
                        deltas.push(Delta::Reasoning { choice: 0, text, detail: Some(detail) });
                    }
                    continue;
                }
            }
            detail.index = Some(next(blocks));
            deltas.push(Delta::Reasoning { choice: 0, text, detail: Some(detail) });
        }
    }

    /// Reads a piece of a call's arguments, or the whole of them where no piece came.
    pub(super) fn arguments(&mut self, piece: &str, is_delta: bool, deltas: &mut Vec<Delta>) {
        let Kind::Call(index, custom) = self.kind else { return };
        if !is_delta && self.has_arguments && custom.is_none() {
            return;
        }
        let is_first = !std::mem::replace(&mut self.has_arguments, true);
        let mut arguments = String::new();
        if custom == Some(Custom::Custom) {
            if is_first {
                arguments.push_str(custom::INPUT_BEGIN);
            }
            if is_delta || is_first {
                arguments.push_str(&custom::escape(piece));
            }
        } else {
            arguments.push_str(piece);
        }
        if !arguments.is_empty() {
            deltas.push(Delta::ToolCall { choice: 0, index, id: None, name: None, arguments });
        }
    }

    /// Reads the end of a call.
    pub(super) fn end_call(&mut self, fields: &Object<'_>, deltas: &mut Vec<Delta>) {
        self.begin(fields, deltas);
        let Kind::Call(index, custom) = self.kind else { return };
        let (lacks_id, lacks_name) = std::mem::take(&mut self.lacks);
        if lacks_id || lacks_name {
            let id = word(fields.field("call_id")).filter(|_| lacks_id);
            let name = word(fields.field("name")).filter(|_| lacks_name);
            let arguments = String::new();
            deltas.push(Delta::ToolCall { choice: 0, index, id, name, arguments });
        }
        let arguments = match custom {
            None if self.has_arguments => return,
            None => text(fields.field("arguments")).unwrap_or_default(),
            Some(Custom::Custom) if self.has_arguments => custom::INPUT_END.to_owned(),
            Some(custom) => custom::arguments(custom, fields),
        };
        self.has_arguments = true;
        if !arguments.is_empty() {
            deltas.push(Delta::ToolCall { choice: 0, index, id: None, name: None, arguments });
        }
    }
}

fn next(blocks: &mut u32) -> u32 {
    let block = *blocks;
    *blocks = blocks.saturating_add(1);
    block
}

/// Tells an item's fields that are not known, with its type and a call's id.
fn other_fields(fields: &Object<'_>, known: &[&str]) -> Option<Delta> {
    let rest =
        fields.0.iter().filter(|(name, raw)| !known.contains(&&**name) && raw.get() != "null");
    let mut rest = rest.peekable();
    rest.peek()?;
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    for name in ["type", "call_id"] {
        if let Some(raw) = fields.field(name) {
            object.raw(name, raw.get());
        }
    }
    for (name, raw) in rest {
        object.raw(name, raw.get());
    }
    object.end();
    Some(Delta::Other { choice: Some(0), kind: OTHER_FIELDS.to_owned(), json: of_bytes(out) })
}

/// Reads a picture that the model made; a call without one is kept as it is.
pub(super) fn read_image(raw: &RawValue, fields: &Object<'_>, deltas: &mut Vec<Delta>) {
    let Some(base64) = word(fields.field("result")) else {
        let kind = format!("{PREFIX}image_generation_call");
        return deltas.push(Delta::Other { choice: Some(0), kind, json: Json::from(raw) });
    };
    deltas.extend(other_fields(fields, &["type", "result", "status"]));
    let format = word(fields.field("output_format")).unwrap_or_else(|| "png".to_owned());
    let is_address =
        ["http://", "https://", "data:"].iter().any(|scheme| base64.starts_with(scheme));
    let url = if is_address { base64 } else { format!("data:image/{format};base64,{base64}") };
    let mut out = Vec::new();
    let mut image = Writer::begin(&mut out);
    image.raw("type", r#""image_url""#);
    image.object("image_url", |image| image.value("url", &url));
    image.end();
    deltas.push(Delta::Image { choice: 0, json: of_bytes(out) });
}
