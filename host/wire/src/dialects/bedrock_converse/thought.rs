//! Thought on the wire. Claude's own blocks go back byte for byte; another provider's proof is packed
//! into `redactedContent`.

use serde_json::value::RawValue;

use crate::chunk::{ReasoningDetail, ReasoningKind};
use crate::dialects::anthropic_messages::thinking;
use crate::error::ReadError;
use crate::json::{Json, Object};
use crate::json_text::{object, present, read, text_of};
use crate::packed;

/// Reads the value under `reasoningContent` of a whole block; `None` for a form that is not known.
pub(super) fn read_block(
    value: &RawValue,
    path: &str,
    index: u32,
) -> Result<Option<(String, ReasoningDetail)>, ReadError> {
    let fields: Object<'_> = read(value, path, "an object")?;
    if let Some(inner) = present(&fields, "reasoningText") {
        let inner: Object<'_> = read(inner, &format!("{path}.reasoningText"), "an object")?;
        let detail = thinking::thinking(text_of(&inner, "signature"), index);
        return Ok(Some((text_of(&inner, "text").unwrap_or_default(), detail)));
    }
    Ok(text_of(&fields, "redactedContent")
        .map(|data| (String::new(), thinking::redacted(data, index))))
}

/// What can be written of a thought: the pieces of `reasoningContent`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text, and the proof that it is the model's.
    Text(&'a str, Option<&'a str>),
    /// What only its maker can read, in base64.
    Redacted(String),
}

/// Splits a thought into what is written of it.
pub(super) fn pieces<'a>(text: &'a str, detail: Option<&'a ReasoningDetail>) -> Vec<Piece<'a>> {
    let is_claudes = thinking::is_claudes(detail);
    if let Some(detail) = detail.filter(|_| is_claudes)
        && detail.kind == ReasoningKind::Encrypted
    {
        return detail.data.iter().map(|data| Piece::Redacted(data.clone())).collect();
    }
    let mut pieces = Vec::new();
    let signature = detail.filter(|_| is_claudes).and_then(|it| it.signature.as_deref());
    if !text.is_empty() || signature.is_some() {
        pieces.push(Piece::Text(text, signature));
    }
    if !is_claudes && let Some(packed) = detail.and_then(packed::pack) {
        pieces.push(Piece::Redacted(packed));
    }
    pieces
}

/// A whole block of a piece.
pub(super) fn block(piece: &Piece<'_>) -> Json {
    let inner = object(|writer| match piece {
        Piece::Text(text, signature) => {
            let inner = object(|writer| {
                writer.field("text", text);
                writer.some("signature", *signature);
            });
            writer.field("reasoningText", &inner);
        }
        Piece::Redacted(data) => writer.field("redactedContent", data),
    });
    object(|writer| writer.field("reasoningContent", &inner))
}
