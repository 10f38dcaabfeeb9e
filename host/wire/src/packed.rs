//! A block of thought in a dialect that it is not from. Its proof (a signature, an encrypted block)
//! is packed into the one place where that dialect's clients give back what they don't understand,
//! and unpacked when they do, so that it returns to its own provider byte for byte.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::chunk::{ReasoningDetail, ReasoningKind};

/// The text that carries a block's proof: base64, since some clients decode it. `None` when there
/// is no proof to carry.
pub(crate) fn pack(detail: &ReasoningDetail) -> Option<String> {
    let has_text = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
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
    let mut bytes = MAGIC.to_vec();
    serde_json::to_writer(&mut bytes, &packed).ok()?;
    Some(STANDARD.encode(bytes))
}

/// The block, without its place among others; `None` for a text that was not packed here.
pub(crate) fn unpack(text: &str) -> Option<ReasoningDetail> {
    if !text.starts_with(PREFIX) {
        return None;
    }
    // Clients that decoded it may have encoded it for addresses.
    let bytes = STANDARD.decode(text.replace('-', "+").replace('_', "/")).ok()?;
    let packed: Packed = serde_json::from_slice(bytes.strip_prefix(MAGIC)?).ok()?;
    Some(ReasoningDetail {
        kind: match packed.kind.as_str() {
            "encrypted" => ReasoningKind::Encrypted,
            "summary" => ReasoningKind::Summary,
            _ => ReasoningKind::Text,
        },
        id: packed.id,
        format: packed.format,
        index: None,
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

/// A multiple of three bytes, so that every packed text begins alike.
const MAGIC: &[u8; 18] = b"patchbay.reasoning";

/// [`MAGIC`] in base64.
const PREFIX: &str = "cGF0Y2hiYXkucmVhc29uaW5n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_comes_out_as_it_went_in() {
        let detail = ReasoningDetail {
            kind: ReasoningKind::Encrypted,
            id: Some("rs_1".to_owned()),
            format: Some("openai-responses-v1".to_owned()),
            index: None,
            signature: None,
            data: Some("gAAAA+/=".to_owned()),
        };
        let text = pack(&detail).unwrap();
        assert!(text.starts_with(PREFIX), "{text}");
        assert_eq!(unpack(&text), Some(detail));
    }

    #[test]
    fn what_was_not_packed_here_is_nobodys() {
        assert_eq!(unpack("EqQBCgIYAhIM"), None);
        assert_eq!(unpack("cGF0Y2hiYXkucmVhc29uaW5n"), None);
        assert_eq!(pack(&ReasoningDetail::default()), None);
    }
}
