//! The items of a reply that is being written, and the events that tell of them. Words and thought
//! are one item at a time: another kind closes them. Calls stay open beside them, since their
//! pieces may come in any order, and close with the reply.

use crate::chunk::{Delta, FinishReason};
use crate::dialect::Head;
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::dialects::openai_chat::shape::text;
use crate::json::{Json, Object};
use crate::request::CustomTool;
use crate::sse;

mod call;
mod item;
mod message;
mod think;

use call::Call;
use message::Message;
use think::Thought;

/// The items so far.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// The generation's id without its prefix: makes up the items' ids.
    own: String,
    custom_tools: Vec<CustomTool>,
    sequence: u64,
    /// Items by place, whole; `None` while they are open.
    items: Vec<Option<Json>>,
    open: Option<Open>,
    calls: Vec<Call>,
    /// Fields of items that are yet to come.
    fields: Vec<Json>,
    /// Open items that have no canonical form: the place that the upstream says, ours, and the id.
    places: Vec<(Option<u64>, usize, Option<String>)>,
    /// Why it ended early, once it did.
    is_cut: bool,
}

/// What is being written.
#[derive(Debug)]
enum Open {
    Message(Message),
    Thought(Thought),
}

impl Output {
    /// Nothing yet.
    pub(super) fn new(head: &Head) -> Self {
        let own = head.id.strip_prefix("gen-").unwrap_or(&head.id).to_owned();
        Self { own, custom_tools: head.custom_tools.clone(), ..Self::default() }
    }

    /// Writes one change. `logprobs` are of the words that the change may hold.
    pub(super) fn delta(&mut self, delta: &Delta, logprobs: Option<&Json>, out: &mut Vec<u8>) {
        if delta.choice().is_some_and(|choice| choice > 0) {
            return;
        }
        match delta {
            Delta::Text { text, .. } => self.say(text, logprobs, out),
            Delta::Refusal { text, .. } => self.refuse(text, out),
            Delta::Annotation { json, .. } => self.annotate(json, out),
            Delta::Reasoning { text, detail, .. } => self.think(text, detail.as_ref(), out),
            Delta::ToolCall { index, id, name, arguments, .. } => {
                self.call(*index, (id.as_deref(), name.as_deref()), arguments, out);
            }
            Delta::Image { json, .. } => self.image(json, out),
            Delta::Finish { reason, .. } => {
                self.is_cut = matches!(
                    reason,
                    FinishReason::Length | FinishReason::ContentFilter | FinishReason::Error
                );
                self.close(out);
            }
            Delta::Other { kind, json, .. } => self.other(kind, json, out),
            // Sound has no form here; usage is the end's.
            Delta::Role { .. } | Delta::Usage(_) | Delta::Audio { .. } => {}
        }
    }

    /// Closes everything because the reply failed.
    pub(super) fn cut(&mut self, out: &mut Vec<u8>) {
        self.is_cut = true;
        self.close(out);
    }

    /// Closes everything.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        self.close_open(out);
        for call in std::mem::take(&mut self.calls) {
            self.close_call(call, out);
        }
    }

    /// The items that are whole, in order.
    pub(super) fn items(&self) -> impl Iterator<Item = &Json> {
        self.items.iter().flatten()
    }

    /// Writes an event: its type, fields, and number.
    pub(super) fn event(
        &mut self,
        kind: &str,
        out: &mut Vec<u8>,
        fill: impl FnOnce(&mut Writer<'_>),
    ) {
        let mut json = Vec::new();
        let mut event = Writer::begin(&mut json);
        event.value("type", kind);
        fill(&mut event);
        event.value("sequence_number", &self.sequence);
        event.end();
        self.sequence = self.sequence.saturating_add(1);
        sse::write_event(out, kind, &json);
    }

    fn close_open(&mut self, out: &mut Vec<u8>) {
        match self.open.take() {
            Some(Open::Message(message)) => self.close_message(message, out),
            Some(Open::Thought(thought)) => self.close_thought(thought, out),
            None => {}
        }
    }

    /// What an item that closes has come to.
    fn status(&self) -> &'static str {
        if self.is_cut { "incomplete" } else { "completed" }
    }

    /// A place for an item that begins.
    fn place(&mut self) -> usize {
        self.items.push(None);
        self.items.len() - 1
    }

    fn added(&mut self, place: usize, item: &Json, out: &mut Vec<u8>) {
        self.event("response.output_item.added", out, |event| {
            event.value("output_index", &place);
            event.value("item", item);
        });
    }

    fn done(&mut self, place: usize, item: Json, out: &mut Vec<u8>) {
        self.event("response.output_item.done", out, |event| {
            event.value("output_index", &place);
            event.value("item", &item);
        });
        if let Some(kept) = self.items.get_mut(place) {
            *kept = Some(item);
        }
    }

    /// Takes the fields of an item that begins: of that type and, for a call, of that id.
    fn take_fields(&mut self, kind: &str, call_id: Option<&str>) -> Option<Json> {
        let is_its = |json: &Json| {
            let fields = json.read::<Object<'_>>().unwrap_or_default();
            text(fields.field("type")).as_deref() == Some(kind)
                && (call_id.is_none() || text(fields.field("call_id")).as_deref() == call_id)
        };
        let position = self.fields.iter().position(is_its)?;
        Some(self.fields.remove(position))
    }

    /// An item's own id: the upstream's where it is known.
    fn item_id(&self, prefix: &str, place: usize, fields: Option<&Json>) -> String {
        let fields = fields.and_then(|json| json.read::<Object<'_>>().ok());
        let known = fields.and_then(|fields| text(fields.field("id")));
        known.unwrap_or_else(|| format!("{prefix}_{}_{place}", self.own))
    }
}

/// Writes an item's fields that have no place.
fn write_fields(fields: Option<&Json>, item: &mut Writer<'_>) {
    let fields = fields.and_then(|json| json.read::<Object<'_>>().ok()).unwrap_or_default();
    for (name, value) in &fields.0 {
        if !matches!(&**name, "type" | "id" | "call_id") {
            item.raw(name, value.get());
        }
    }
}
