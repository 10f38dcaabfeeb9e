//! Writes a streamed reply, a line for each chunk. Lines that came in this dialect go through under
//! our model's name. Calls are told whole, so pieces of them wait for the end.

use super::write_messages::call;
use super::write_reply::{Message, copy, tokens, write_cost, write_ending, write_head};
use super::{NAME, OTHER_ENDING, pictures, write_error};
use crate::chunk::{Chunk, Delta, FinishReason, ReasoningKind, Usage};
use crate::dialect::{Cost, Head, WriteStream};
use crate::error::Failure;
use crate::json::{Json, Object};
use crate::json_text::{ObjectWriter, present};
use crate::reply::ToolCall;
use crate::source::Source;

/// The state of one client's stream.
#[derive(Debug)]
pub(super) struct Writer {
    head: Head,
    /// Calls by their index, those that went through left out.
    calls: Vec<(u16, ToolCall)>,
    finish: Option<(FinishReason, Option<String>)>,
    ending: Vec<(String, Json)>,
}

impl WriteStream for Writer {
    fn chunk(&mut self, chunk: &Chunk, out: &mut Vec<u8>) {
        if let Some(bytes) = Source::of_dialect(&chunk.source, NAME)
            && self.pass(&bytes, out)
        {
            return;
        }
        let mut message = Message::default();
        let mut other: Vec<(String, Json)> = Vec::new();
        for delta in chunk.deltas.iter().filter(|delta| delta.choice().unwrap_or(0) == 0) {
            match delta {
                Delta::Text { text, .. } | Delta::Refusal { text, .. } => {
                    message.text.push_str(text);
                }
                Delta::Reasoning { text, detail, .. } => {
                    let kind = detail.as_ref().map(|detail| detail.kind);
                    if kind != Some(ReasoningKind::Encrypted) {
                        message.thinking.push_str(text);
                    }
                }
                Delta::Image { json, .. } => message.images.extend(pictures::base64_of(json)),
                Delta::ToolCall { index, name, arguments, .. } => {
                    self.call(*index, name.as_deref(), arguments);
                }
                Delta::Finish { reason, native, .. } => {
                    self.finish = Some((*reason, native.clone()));
                }
                Delta::Other { kind, json, .. } if kind == OTHER_ENDING => {
                    self.ending.push((kind.clone(), json.clone()));
                }
                Delta::Other { kind, json, .. } => other.push((kind.clone(), json.clone())),
                Delta::Role { .. }
                | Delta::Annotation { .. }
                | Delta::Audio { .. }
                | Delta::Usage(_) => {}
            }
        }
        message.tokens = tokens(&other);
        let has_fields = other.iter().any(|(kind, _)| kind == super::OTHER_MESSAGE);
        if !message.is_empty() || has_fields {
            self.line(&message, &other, out);
        }
    }

    fn end(&mut self, usage: &Usage, cost: &Cost, out: &mut Vec<u8>) {
        let calls = std::mem::take(&mut self.calls);
        if !calls.is_empty() {
            let calls = calls.iter();
            let calls = calls.map(|(index, it)| call(&it.name, &it.arguments, Some(*index)));
            self.line(&Message { calls: calls.collect(), ..Message::default() }, &[], out);
        }
        end_line(out, |writer| {
            write_head(writer, &self.head);
            Message::default().write(writer, &[]);
            write_ending(writer, self.finish.as_ref(), &self.ending, usage);
            write_cost(writer, cost);
        });
    }

    fn error(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend(write_error(failure));
        out.push(b'\n');
    }

    /// A line that says nothing: clients stumble over empty ones.
    fn keep_alive(&mut self, out: &mut Vec<u8>) {
        self.line(&Message::default(), &[], out);
    }
}

impl Writer {
    /// A stream that begins with its first chunk.
    pub(super) fn new(head: &Head) -> Self {
        Self { head: head.clone(), calls: Vec::new(), finish: None, ending: Vec::new() }
    }

    /// Lets a line of this dialect through, but not the last: that one tells what we counted.
    fn pass(&self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        let fields = std::str::from_utf8(bytes).ok().and_then(|text| Object::parse(text).ok());
        let Some(fields) = fields else { return false };
        if present(&fields, "done").is_some_and(|done| done.get() == "true") {
            return false;
        }
        end_line(out, |writer| copy(&fields, &self.head, writer));
        true
    }

    fn call(&mut self, index: u16, name: Option<&str>, arguments: &str) {
        let position = self.calls.iter().position(|(known, _)| *known == index);
        let position = position.unwrap_or(self.calls.len());
        if position == self.calls.len() {
            self.calls.push((index, ToolCall::default()));
        }
        let Some((_, call)) = self.calls.get_mut(position) else { return };
        if let Some(name) = name.filter(|_| call.name.is_empty()) {
            name.clone_into(&mut call.name);
        }
        call.arguments.push_str(arguments);
    }

    fn line(&self, message: &Message<'_>, other: &[(String, Json)], out: &mut Vec<u8>) {
        end_line(out, |writer| {
            write_head(writer, &self.head);
            message.write(writer, other);
            writer.field("done", &false);
        });
    }
}

/// Writes a line. Values that keep their text may hold line breaks between their tokens, where a
/// space says the same.
fn end_line(out: &mut Vec<u8>, fill: impl FnOnce(&mut ObjectWriter<'_>)) {
    let start = out.len();
    let mut writer = ObjectWriter::open(out);
    fill(&mut writer);
    writer.close();
    for byte in out.iter_mut().skip(start) {
        if matches!(*byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    out.push(b'\n');
}
