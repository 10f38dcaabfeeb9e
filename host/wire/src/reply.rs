//! A whole reply: the fold of a stream's chunks, and a reply seen as chunks again.
//! `fold(chunks(reply)) == reply` for every reply that was folded (its `source` aside).

use crate::chunk::{Chunk, Delta, FinishReason, ReasoningDetail, ReasoningKind, Role, Usage};
use crate::json::{Extra, Json};
use crate::request::{Content, Message, Part};
use crate::source::Source;

/// A whole reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// The choices, by their number.
    pub choices: Vec<Choice>,
    /// Token counts.
    pub usage: Usage,
    /// Deltas that belong to no choice and that no list above holds.
    pub other: Vec<(String, Json)>,
    /// The body as it came, while nothing was changed. A fold leaves it empty: whoever holds the
    /// body and knows that no chunk was changed sets it.
    pub source: Option<Source>,
}

/// One of the replies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choice {
    /// What is said; empty when the model only calls tools.
    pub text: String,
    /// Thoughts in order, adjacent pieces of one block joined.
    pub reasoning: Vec<(String, Option<ReasoningDetail>)>,
    /// Calls in order.
    pub tool_calls: Vec<ToolCall>,
    /// Why the model declined; empty when it did not.
    pub refusal: String,
    /// Citations and files.
    pub annotations: Vec<Json>,
    /// Pictures.
    pub images: Vec<Json>,
    /// Pieces of sound.
    pub audio: Vec<Json>,
    /// Why it ended, and in the upstream's own word.
    pub finish: Option<(FinishReason, Option<String>)>,
    /// `Delta::Other` of this choice: kind and value, in order.
    pub other: Vec<(String, Json)>,
}

/// A whole tool call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToolCall {
    /// The call's name.
    pub id: String,
    /// Which function.
    pub name: String,
    /// JSON text, as the model wrote it.
    pub arguments: String,
}

impl Reply {
    /// Joins a whole stream.
    pub fn fold<'a>(chunks: impl IntoIterator<Item = &'a Chunk>) -> Self {
        let mut reply = Self::default();
        for delta in chunks.into_iter().flat_map(|chunk| &chunk.deltas) {
            reply.push(delta);
        }
        reply.close();
        reply
    }

    /// Takes one more change. After the last one, [`Reply::close`].
    pub fn push(&mut self, delta: &Delta) {
        match delta {
            Delta::Usage(usage) => self.usage.update(usage),
            Delta::Other { choice: None, kind, json } => {
                self.other.push((kind.clone(), json.clone()));
            }
            _ => {
                let number = usize::from(delta.choice().unwrap_or_default());
                if self.choices.len() <= number {
                    self.choices.resize_with(number + 1, Choice::default);
                }
                if let Some(choice) = self.choices.get_mut(number) {
                    choice.push(delta);
                }
            }
        }
    }

    /// Drops the empty calls that stand for tool-call indices which never came.
    pub fn close(&mut self) {
        for choice in &mut self.choices {
            choice.tool_calls.retain(|call| *call != ToolCall::default());
        }
    }

    /// The reply as chunks, one per natural piece, each choice's in order. They have no source.
    pub fn chunks(&self) -> Vec<Chunk> {
        let mut deltas = Vec::new();
        for (number, choice) in (0..=u16::MAX).zip(&self.choices) {
            choice.write_deltas(number, &mut deltas);
        }
        deltas.extend(self.other.iter().map(|(kind, json)| Delta::Other {
            choice: None,
            kind: kind.clone(),
            json: json.clone(),
        }));
        if self.usage != Usage::default() {
            deltas.push(Delta::Usage(self.usage.clone()));
        }
        deltas.into_iter().map(|delta| Chunk::of(vec![delta])).collect()
    }
}

impl Choice {
    /// What was said, as a turn of the conversation that goes on.
    pub fn into_message(self) -> Message {
        let mut parts = Vec::new();
        for (text, detail) in self.reasoning {
            parts.push(Content::Reasoning { text, detail });
        }
        if !self.text.is_empty() {
            parts.push(Content::Text(self.text));
        }
        if !self.refusal.is_empty() {
            parts.push(Content::Refusal(self.refusal));
        }
        for ToolCall { id, name, arguments } in self.tool_calls {
            parts.push(Content::ToolCall { id, name, arguments });
        }
        Message {
            role: Role::Assistant,
            name: None,
            parts: parts.into_iter().map(Part::new).collect(),
            extra: Extra::default(),
        }
    }

    fn push(&mut self, delta: &Delta) {
        match delta {
            Delta::Role { .. } | Delta::Usage(_) => {}
            Delta::Text { text, .. } => self.text.push_str(text),
            Delta::Reasoning { text, detail, .. } => self.push_reasoning(text, detail.as_ref()),
            Delta::ToolCall { index, id, name, arguments, .. } => {
                let index = usize::from(*index);
                if self.tool_calls.len() <= index {
                    self.tool_calls.resize_with(index + 1, ToolCall::default);
                }
                let Some(call) = self.tool_calls.get_mut(index) else { return };
                for (ours, theirs) in [(&mut call.id, id), (&mut call.name, name)] {
                    if let Some(theirs) = theirs.as_ref().filter(|_| ours.is_empty()) {
                        ours.clone_from(theirs);
                    }
                }
                call.arguments.push_str(arguments);
            }
            Delta::Refusal { text, .. } => self.refusal.push_str(text),
            Delta::Annotation { json, .. } => self.annotations.push(json.clone()),
            Delta::Image { json, .. } => self.images.push(json.clone()),
            Delta::Audio { json, .. } => self.audio.push(json.clone()),
            Delta::Finish { reason, native, .. } => self.finish = Some((*reason, native.clone())),
            Delta::Other { kind, json, .. } => self.other.push((kind.clone(), json.clone())),
        }
    }

    fn push_reasoning(&mut self, text: &str, detail: Option<&ReasoningDetail>) {
        if let Some((last_text, last)) = self.reasoning.last_mut()
            && is_one_block(last.as_ref(), detail)
        {
            last_text.push_str(text);
            if let (Some(last), Some(next)) = (last, detail) {
                last.id = last.id.take().or_else(|| next.id.clone());
                last.format = last.format.take().or_else(|| next.format.clone());
                last.signature.clone_from(&next.signature);
            }
        } else if !text.is_empty() || detail.is_some() {
            self.reasoning.push((text.to_owned(), detail.cloned()));
        }
    }

    fn write_deltas(&self, choice: u16, deltas: &mut Vec<Delta>) {
        deltas.push(Delta::Role { choice, role: Role::Assistant });
        for (text, detail) in &self.reasoning {
            let (text, detail) = (text.clone(), detail.clone());
            deltas.push(Delta::Reasoning { choice, text, detail });
        }
        if !self.text.is_empty() {
            deltas.push(Delta::Text { choice, text: self.text.clone() });
        }
        if !self.refusal.is_empty() {
            deltas.push(Delta::Refusal { choice, text: self.refusal.clone() });
        }
        for (index, call) in (0..=u16::MAX).zip(&self.tool_calls) {
            deltas.push(Delta::ToolCall {
                choice,
                index,
                id: Some(call.id.clone()),
                name: Some(call.name.clone()),
                arguments: call.arguments.clone(),
            });
        }
        deltas.extend(
            self.annotations.iter().cloned().map(|json| Delta::Annotation { choice, json }),
        );
        deltas.extend(self.images.iter().cloned().map(|json| Delta::Image { choice, json }));
        deltas.extend(self.audio.iter().cloned().map(|json| Delta::Audio { choice, json }));
        deltas.extend(self.other.iter().cloned().map(|(kind, json)| Delta::Other {
            choice: Some(choice),
            kind,
            json,
        }));
        if let Some((reason, native)) = &self.finish {
            deltas.push(Delta::Finish { choice, reason: *reason, native: native.clone() });
        }
    }
}

/// Whether the next piece of reasoning continues the last block. A signature or encrypted data
/// completes a block: a signature joins the text before it, and nothing joins after it.
fn is_one_block(last: Option<&ReasoningDetail>, next: Option<&ReasoningDetail>) -> bool {
    match (last, next) {
        (None, None) => true,
        (Some(last), Some(next)) => {
            last.kind == next.kind
                && last.kind != ReasoningKind::Encrypted
                && last.signature.is_none()
                && last.data.is_none()
                && next.data.is_none()
                && last.index == next.index
                && agree(last.id.as_deref(), next.id.as_deref())
                && agree(last.format.as_deref(), next.format.as_deref())
        }
        _ => false,
    }
}

fn agree(left: Option<&str>, right: Option<&str>) -> bool {
    left.zip(right).is_none_or(|(left, right)| left == right)
}

#[cfg(test)]
mod tests;
