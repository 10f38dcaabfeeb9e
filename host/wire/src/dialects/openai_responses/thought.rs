//! `reasoning` items and the canonical form's blocks. One item holds a summary in parts, the
//! thought itself in parts, and both encrypted; each is a block of its own with the item's id.
//!
//! Another provider's thought travels to clients in OpenRouter's extension of the item (`format`,
//! `signature`), and comes back so.

use serde_json::value::RawValue;

use crate::chunk::{ReasoningDetail, ReasoningKind};
use crate::dialects::openai_chat::emit::{self, Object as Writer};
use crate::dialects::openai_chat::shape::{list, text, word};
use crate::json::Object;

/// The blocks of an item, in order. `next` numbers them.
pub(super) fn read(item: &Object<'_>, next: &mut u32) -> Vec<(String, ReasoningDetail)> {
    let mut blocks = Vec::new();
    let template = template(item);
    let mut push = |kind, visible: String, signature, data| {
        let detail =
            ReasoningDetail { kind, index: Some(*next), signature, data, ..template.clone() };
        *next = next.saturating_add(1);
        blocks.push((visible, detail));
    };
    for (name, kind) in PARTS {
        for part in list(item.field(name)) {
            push(kind, text_of(part), None, None);
        }
    }
    if let Some(data) = word(item.field("encrypted_content")) {
        push(ReasoningKind::Encrypted, String::new(), None, Some(data));
    }
    // A signature is the last text's.
    if let Some(signature) = word(item.field("signature")) {
        let is_text =
            |(_, detail): &&mut (String, ReasoningDetail)| detail.kind == ReasoningKind::Text;
        match blocks.iter_mut().rfind(is_text) {
            Some((_, detail)) => detail.signature = Some(signature),
            None => {
                let detail = ReasoningDetail { signature: Some(signature), ..template };
                blocks.push((String::new(), detail));
            }
        }
    }
    blocks
}

/// What all blocks of an item have in common.
pub(super) fn template(item: &Object<'_>) -> ReasoningDetail {
    let format = match word(item.field("format")) {
        None => Some(FORMAT.to_owned()),
        Some(format) => Some(format).filter(|format| format != UNKNOWN),
    };
    let id = word(item.field("id")).filter(|id| !id.starts_with(MADE_UP));
    ReasoningDetail { id, format, ..ReasoningDetail::default() }
}

/// A part's text.
pub(super) fn text_of(part: &RawValue) -> String {
    let fields = Object::parse(part.get()).unwrap_or_default();
    text(fields.field("text")).unwrap_or_default()
}

/// Whether upstreams of this dialect made the block.
pub(super) fn is_ours(detail: &ReasoningDetail) -> bool {
    detail.format.as_deref().is_some_and(|format| format.ends_with("-responses-v1"))
}

/// An item that is put together from blocks.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// Whose blocks it takes: id, format and position of the first.
    pub(super) of: ReasoningDetail,
    /// Parts of the summary, whole.
    pub(super) summary: Vec<String>,
    /// Parts of the thought, whole.
    pub(super) content: Vec<String>,
    /// Kept byte for byte.
    pub(super) encrypted: Option<String>,
    /// Kept byte for byte.
    pub(super) signature: Option<String>,
}

impl Item {
    /// An item that begins with a block.
    pub(super) fn begin(detail: Option<&ReasoningDetail>) -> Self {
        Self { of: detail.cloned().unwrap_or_default(), ..Self::default() }
    }

    /// Whether a block belongs to the item.
    pub(super) fn takes(&self, detail: Option<&ReasoningDetail>) -> bool {
        let none = ReasoningDetail::default();
        let next = detail.unwrap_or(&none);
        if self.encrypted.is_some() || self.signature.is_some() || self.of.format != next.format {
            return false;
        }
        match (&self.of.id, &next.id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            // Some hosts name only the block that completes an item.
            _ => is_ours(next) || self.of.index == next.index,
        }
    }

    /// Takes a block's proof.
    pub(super) fn seal(&mut self, detail: Option<&ReasoningDetail>) {
        let Some(detail) = detail else { return };
        self.of.id = self.of.id.take().or_else(|| detail.id.clone());
        if detail.kind == ReasoningKind::Encrypted {
            self.encrypted = detail.data.clone();
        }
        self.signature = detail.signature.clone().or(self.signature.take());
    }

    /// Appends the item. Without OpenRouter's extensions, `format` and `signature` stay out.
    pub(super) fn write(&self, id: Option<&str>, is_openrouter: bool, out: &mut Vec<u8>) {
        let mut item = Writer::begin(out);
        item.raw("type", r#""reasoning""#);
        item.optional("id", id.as_ref());
        item.list("summary", &self.summary, |text, out| write_part("summary_text", text, out));
        if !self.content.is_empty() {
            item.list("content", &self.content, |text, out| {
                write_part("reasoning_text", text, out);
            });
        }
        item.optional("encrypted_content", self.encrypted.as_ref());
        if is_openrouter {
            item.optional("signature", self.signature.as_ref());
            let format = self.of.format.as_deref().unwrap_or(UNKNOWN);
            item.optional("format", Some(&format).filter(|format| **format != FORMAT));
        }
        item.end();
    }
}

/// Appends a part.
pub(super) fn write_part(kind: &str, text: &str, out: &mut Vec<u8>) {
    let mut part = Writer::begin(out);
    part.value("type", kind);
    emit::write(part.key("text"), text);
    part.end();
}

/// An item's lists of parts.
pub(super) const PARTS: [(&str, ReasoningKind); 2] =
    [("summary", ReasoningKind::Summary), ("content", ReasoningKind::Text)];
/// Begins the ids of items that had none. Upstreams' own do not look so.
pub(super) const MADE_UP: &str = "rs_gen-";
/// The format of this dialect's own thought.
const FORMAT: &str = "openai-responses-v1";
/// OpenRouter's name for no format.
const UNKNOWN: &str = "unknown";
