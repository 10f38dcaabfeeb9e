//! `reasoning` items: summaries and thought in parts, and what proves them.

use super::{Open, Output, write_fields};
use crate::chunk::{ReasoningDetail, ReasoningKind};
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::dialects::openai_responses::annotation::of_bytes;
use crate::dialects::openai_responses::thought::{Item, MADE_UP, write_part};
use crate::json::{Json, Object};

/// An item of thought that is open.
#[derive(Debug)]
pub(super) struct Thought {
    place: usize,
    id: String,
    item: Item,
    fields: Option<Json>,
    part: Option<Part>,
}

/// A part that is open.
#[derive(Debug)]
struct Part {
    is_summary: bool,
    /// The block that its pieces belong to.
    block: Option<u32>,
    text: String,
}

impl Output {
    /// Writes a piece of thought.
    pub(super) fn think(
        &mut self,
        text: &str,
        detail: Option<&ReasoningDetail>,
        out: &mut Vec<u8>,
    ) {
        let has_proof = detail.is_some_and(|it| it.signature.is_some() || it.data.is_some());
        if text.is_empty() && !has_proof {
            return;
        }
        let mut thought = self.thought(detail, out);
        if !text.is_empty() {
            let is_summary = detail.is_some_and(|it| it.kind == ReasoningKind::Summary);
            let block = detail.and_then(|detail| detail.index);
            self.think_part(&mut thought, (is_summary, block), text, out);
        }
        thought.item.seal(detail);
        self.open = Some(Open::Thought(thought));
    }

    fn think_part(
        &mut self,
        thought: &mut Thought,
        (is_summary, block): (bool, Option<u32>),
        text: &str,
        out: &mut Vec<u8>,
    ) {
        let is_same = |part: &Part| part.is_summary == is_summary && part.block == block;
        if !thought.part.as_ref().is_some_and(is_same) {
            self.close_thought_part(thought, out);
            let part = Part { is_summary, block, text: String::new() };
            self.thought_part(thought, &part, "added", out);
            thought.part = Some(part);
        }
        let Some(part) = &mut thought.part else { return };
        part.text.push_str(text);
        let number = thought.item.count(is_summary);
        self.event(part.text_event("delta"), out, |event| {
            event.value("item_id", &thought.id);
            event.value("output_index", &thought.place);
            event.value(if is_summary { "summary_index" } else { "content_index" }, &number);
            event.value("delta", text);
        });
    }

    /// The item that a block belongs to, open; the caller puts it back.
    fn thought(&mut self, detail: Option<&ReasoningDetail>, out: &mut Vec<u8>) -> Thought {
        let takes = |open: &mut Open| match open {
            Open::Thought(thought) => thought.item.takes(detail),
            Open::Message(_) => false,
        };
        if let Some(Open::Thought(thought)) = self.open.take_if(takes) {
            return thought;
        }
        self.close_open(out);
        let place = self.place();
        let fields = self.take_fields("reasoning", None);
        let id = detail.and_then(|detail| detail.id.clone());
        let id = id.unwrap_or_else(|| format!("{MADE_UP}{}_{place}", self.own));
        let item = Item::begin(detail);
        let thought = Thought { place, id, item, fields, part: None };
        self.added(place, &thought.json(None), out);
        thought
    }

    fn close_thought_part(&mut self, thought: &mut Thought, out: &mut Vec<u8>) {
        let Some(part) = thought.part.take() else { return };
        let number = thought.item.count(part.is_summary);
        self.event(part.text_event("done"), out, |event| {
            event.value("item_id", &thought.id);
            event.value("output_index", &thought.place);
            event.value(part.index_name(), &number);
            event.value("text", &part.text);
        });
        self.thought_part(thought, &part, "done", out);
        let parts =
            if part.is_summary { &mut thought.item.summary } else { &mut thought.item.content };
        parts.push(part.text);
    }

    /// Writes that a part begins or ends. Clients that put a reply together need it of a summary and
    /// of the thought itself.
    fn thought_part(&mut self, thought: &Thought, part: &Part, stage: &str, out: &mut Vec<u8>) {
        let (name, kind) = match part.is_summary {
            true => ("reasoning_summary_part", "summary_text"),
            false => ("content_part", "reasoning_text"),
        };
        let number = thought.item.count(part.is_summary);
        self.event(&format!("response.{name}.{stage}"), out, |event| {
            event.value("item_id", &thought.id);
            event.value("output_index", &thought.place);
            event.value(part.index_name(), &number);
            write_part(kind, &part.text, event.key("part"));
        });
    }

    /// Closes an item of thought.
    pub(super) fn close_thought(&mut self, mut thought: Thought, out: &mut Vec<u8>) {
        self.close_thought_part(&mut thought, out);
        let item = thought.json(Some(self.status()));
        self.done(thought.place, item, out);
    }
}

impl Part {
    fn text_event(&self, stage: &str) -> &'static str {
        match (self.is_summary, stage) {
            (true, "delta") => "response.reasoning_summary_text.delta",
            (true, _) => "response.reasoning_summary_text.done",
            (false, "delta") => "response.reasoning_text.delta",
            (false, _) => "response.reasoning_text.done",
        }
    }

    fn index_name(&self) -> &'static str {
        if self.is_summary { "summary_index" } else { "content_index" }
    }
}

impl Item {
    fn count(&self, is_summary: bool) -> usize {
        if is_summary { self.summary.len() } else { self.content.len() }
    }
}

impl Thought {
    fn json(&self, status: Option<&str>) -> Json {
        let mut whole = Vec::new();
        self.item.write(Some(&self.id), true, &mut whole);
        let whole = of_bytes(whole);
        let fields = whole.read::<Object<'_>>().unwrap_or_default();
        let mut out = Vec::new();
        let mut item = Writer::begin(&mut out);
        for (name, value) in &fields.0 {
            item.raw(name, value.get());
        }
        item.value("status", status.unwrap_or("in_progress"));
        write_fields(self.fields.as_ref(), &mut item);
        item.end();
        of_bytes(out)
    }
}
