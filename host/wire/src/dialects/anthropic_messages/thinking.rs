//! Thought on the wire. Claude's own blocks go back byte for byte; another provider's proof (a
//! signature, an encrypted block) is packed into a `redacted_thinking` block, so that a client of
//! this dialect can return it, and unpacked again before it could reach Anthropic.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::REASONING_FORMAT;
use crate::chunk::{ReasoningDetail, ReasoningKind};

/// Whether Anthropic can take the block back: it is Claude's, and its proof is there.
pub(crate) fn is_claudes(detail: Option<&ReasoningDetail>) -> bool {
    let Some(detail) = detail else { return false };
    // OpenRouter's contract: a block without a format is Claude's.
    let format = detail.format.as_deref().unwrap_or(REASONING_FORMAT);
    let has_proof = match detail.kind {
        ReasoningKind::Text => has_text(&detail.signature),
        ReasoningKind::Encrypted => has_text(&detail.data),
        ReasoningKind::Summary => false,
    };
    format == REASONING_FORMAT && has_proof
}

/// The detail of a `thinking` block; one without a signature is nobody's in particular.
pub(crate) fn thinking(signature: Option<String>, index: u32) -> ReasoningDetail {
    let signature = signature.filter(|signature| !signature.is_empty());
    ReasoningDetail {
        kind: ReasoningKind::Text,
        format: Some(REASONING_FORMAT.to_owned()),
        index: Some(index),
        signature,
        ..ReasoningDetail::default()
    }
}

/// The detail of a `redacted_thinking` block: Claude's, or what was packed into it.
pub(crate) fn redacted(data: String, index: u32) -> ReasoningDetail {
    unpack(&data, index).unwrap_or_else(|| ReasoningDetail {
        kind: ReasoningKind::Encrypted,
        format: Some(REASONING_FORMAT.to_owned()),
        index: Some(index),
        data: Some(data),
        ..ReasoningDetail::default()
    })
}

/// The `data` that carries another provider's proof; `None` when there is no proof to carry.
pub(crate) fn pack(detail: &ReasoningDetail) -> Option<String> {
    if !has_text(&detail.signature) && !has_text(&detail.data) {
        return None;
    }
    let packed = Packed {
        kind: match detail.kind {
            ReasoningKind::Text => "text",
            ReasoningKind::Summary => "summary",
            ReasoningKind::Encrypted => "encrypted",
        }
        .into(),
        id: detail.id.clone(),
        format: detail.format.clone(),
        signature: detail.signature.clone(),
        data: detail.data.clone(),
    };
    let json = serde_json::to_vec(&packed).ok()?;
    Some(format!("{PACKED_PREFIX}{}", STANDARD.encode(json)))
}

fn unpack(data: &str, index: u32) -> Option<ReasoningDetail> {
    let json = STANDARD.decode(data.strip_prefix(PACKED_PREFIX)?).ok()?;
    let packed: Packed = serde_json::from_slice(&json).ok()?;
    Some(ReasoningDetail {
        kind: match packed.kind.as_str() {
            "encrypted" => ReasoningKind::Encrypted,
            "summary" => ReasoningKind::Summary,
            _ => ReasoningKind::Text,
        },
        id: packed.id,
        format: packed.format,
        index: Some(index),
        signature: packed.signature,
        data: packed.data,
    })
}

#[derive(Serialize, Deserialize)]
struct Packed {
    kind: String,
    id: Option<String>,
    format: Option<String>,
    signature: Option<String>,
    data: Option<String>,
}

fn has_text(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}

/// Anthropic's own data is base64 and never holds a colon.
pub(crate) const PACKED_PREFIX: &str = "patchbay.reasoning:";
