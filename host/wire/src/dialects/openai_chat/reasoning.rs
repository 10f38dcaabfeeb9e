//! `reasoning_details`: OpenRouter's blocks of thought, in both directions.

use serde_json::value::RawValue;

use super::emit::Object as Writer;
use super::shape::{count, text, word};
use crate::chunk::{ReasoningDetail, ReasoningKind};
use crate::json::Object;

/// Reads one element: its visible text, and its block unless it says nothing more than that there
/// is one. `None` for a type that is not known.
pub(super) fn read(element: &RawValue) -> Option<(String, Option<ReasoningDetail>)> {
    let fields = Object::parse(element.get()).ok()?;
    let (kind, visible) = match text(fields.field("type"))?.as_str() {
        "reasoning.text" => (ReasoningKind::Text, "text"),
        "reasoning.summary" => (ReasoningKind::Summary, "summary"),
        "reasoning.encrypted" => (ReasoningKind::Encrypted, ""),
        _ => return None,
    };
    let detail = ReasoningDetail {
        kind,
        id: word(fields.field("id")),
        format: word(fields.field("format")).filter(|format| format != UNKNOWN),
        index: count(fields.field("index")).and_then(|index| index.try_into().ok()),
        signature: word(fields.field("signature")),
        data: text(fields.field("data")),
    };
    let detail = Some(detail).filter(|detail| *detail != bare());
    Some((text(fields.field(visible)).unwrap_or_default(), detail))
}

/// Appends one element.
pub(super) fn write(visible: &str, detail: Option<&ReasoningDetail>, out: &mut Vec<u8>) {
    let bare = bare();
    let detail = detail.unwrap_or(&bare);
    let mut element = Writer::begin(out);
    match detail.kind {
        ReasoningKind::Text => {
            element.raw("type", r#""reasoning.text""#);
            element.value("text", visible);
        }
        ReasoningKind::Summary => {
            element.raw("type", r#""reasoning.summary""#);
            element.value("summary", visible);
        }
        ReasoningKind::Encrypted => {
            element.raw("type", r#""reasoning.encrypted""#);
            element.value("data", detail.data.as_deref().unwrap_or_default());
        }
    }
    element.optional("signature", detail.signature.as_ref());
    element.optional("id", detail.id.as_ref());
    element.value("format", detail.format.as_deref().unwrap_or(UNKNOWN));
    element.optional("index", detail.index.as_ref());
    element.end();
}

/// Whether a block was made by the family of a model that is named with its author
/// (`anthropic/claude-…`). What is not known is left to the upstream.
pub(super) fn is_of_family(detail: &ReasoningDetail, model: &str) -> bool {
    let Some(format) = &detail.format else { return true };
    let of_author = FAMILIES.iter().find(|(author, _)| model.starts_with(author));
    let is_known = |format: &str| FAMILIES.iter().any(|(_, part)| format.contains(part));
    of_author.is_none_or(|(_, part)| format.contains(part) || !is_known(format))
}

/// Authors, and what the names of their formats hold (`azure-openai-responses-v1`).
const FAMILIES: [(&str, &str); 5] = [
    ("anthropic/", "anthropic"),
    ("google/", "google"),
    ("openai/", "openai"),
    ("x-ai/", "xai"),
    ("meta-llama/", "meta"),
];

/// What stands for thought that no block came with.
fn bare() -> ReasoningDetail {
    ReasoningDetail { index: Some(0), ..ReasoningDetail::default() }
}

/// OpenRouter's name for no format.
const UNKNOWN: &str = "unknown";

/// The kind of an element whose type is not known (`reasoning.server_tool_call`).
pub(super) const OTHER_DETAIL: &str = "openai-chat.reasoning_detail";
