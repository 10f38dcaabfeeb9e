//! Thought on the wire. Claude's own blocks go back byte for byte; another provider's proof (a
//! signature, an encrypted block) is packed into a `redacted_thinking` block, so that a client of
//! this dialect can return it, and unpacked again before it could reach Anthropic.

use super::REASONING_FORMAT;
use crate::chunk::{ReasoningDetail, ReasoningKind};
use crate::packed;

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
    let detail = packed::unpack(&data).unwrap_or_else(|| ReasoningDetail {
        kind: ReasoningKind::Encrypted,
        format: Some(REASONING_FORMAT.to_owned()),
        data: Some(data),
        ..ReasoningDetail::default()
    });
    ReasoningDetail { index: Some(index), ..detail }
}

fn has_text(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}
