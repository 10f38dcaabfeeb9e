//! Reading output items, whole or piece by piece. What a piece said is not said again by the
//! event that ends it, nor by the response that repeats everything.

use serde_json::value::RawValue;

use super::custom::Kind as Custom;
use super::{OTHER_EVENT, PREFIX};
use crate::chunk::Delta;
use crate::dialects::openai_chat::shape::{count, text, word};
use crate::error::ReadError;
use crate::json::{Json, Object};

mod item;

use item::{Item, Kind};

/// The items of a reply so far.
#[derive(Debug, Default)]
pub(super) struct Items {
    items: Vec<Item>,
    /// How many calls there are.
    calls: u16,
    /// How many blocks of thought there are.
    blocks: u32,
    /// How often the web was searched.
    pub(super) searches: u64,
}

impl Items {
    /// Whether a tool was called.
    pub(super) fn has_calls(&self) -> bool {
        self.calls > 0
    }

    /// Another response begins, whose items are numbered anew.
    pub(super) fn restart(&mut self) {
        self.items.clear();
    }

    /// Reads an item that begins.
    pub(super) fn added(
        &mut self,
        event: &Object<'_>,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        let Some(raw) = event.field("item") else { return Ok(()) };
        let fields = Object::parse(raw.get()).unwrap_or_default();
        let place = event.field("output_index");
        // Some hosts number everything alike: an item of another name is another.
        let id = word(fields.field("id"));
        let before = self.find(place, id.as_deref()).and_then(|at| self.items.get_mut(at));
        if let Some(before) = before
            && id.is_some()
            && before.id.is_some()
            && before.id != id
        {
            before.place = None;
        }
        let (position, is_new) = self.position(place, &fields)?;
        let Some(item) = self.items.get_mut(position).filter(|_| is_new) else { return Ok(()) };
        match item.kind {
            Kind::Other => deltas.push(event_of(event)),
            // What a call of a shell says is known when it ends.
            Kind::Thought | Kind::Image | Kind::Call(_, Some(Custom::LocalShell)) => {}
            Kind::Message | Kind::Call(..) => item.begin(&fields, deltas),
        }
        Ok(())
    }

    /// Reads an item that ends, or that stands whole in a response.
    pub(super) fn done(
        &mut self,
        place: Option<&RawValue>,
        raw: &RawValue,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        let fields = Object::parse(raw.get())
            .map_err(|_| ReadError::new("output[]", "an item", raw.get()))?;
        let (position, _) = self.position(place, &fields)?;
        let Some(item) = self.items.get_mut(position) else { return Ok(()) };
        if std::mem::replace(&mut item.is_done, true) {
            return Ok(());
        }
        match item.kind {
            Kind::Message => item.end_message(&fields, deltas),
            Kind::Thought => item.end_thought(raw, &fields, &mut self.blocks, deltas),
            Kind::Call(..) => item.end_call(&fields, deltas),
            Kind::Image => item::read_image(raw, &fields, deltas),
            Kind::Other => {
                let kind = text(fields.field("type")).unwrap_or_default();
                self.searches += u64::from(is_search(&kind, &fields));
                let kind = format!("{PREFIX}{kind}");
                deltas.push(Delta::Other { choice: Some(0), kind, json: Json::from(raw) });
            }
        }
        Ok(())
    }

    /// Reads a piece of an item, or the event that ends a piece. Whether it was one.
    pub(super) fn piece(
        &mut self,
        kind: &str,
        event: &Object<'_>,
        deltas: &mut Vec<Delta>,
    ) -> bool {
        let Some(name) = kind.strip_prefix("response.") else { return false };
        let (what, stage) = name.rsplit_once('.').unwrap_or((name, ""));
        let visible = match (what, stage) {
            (_, "delta") => "delta",
            ("output_text" | "reasoning_text" | "reasoning_summary_text", _) => "text",
            ("refusal", _) => "refusal",
            ("function_call_arguments", _) => "arguments",
            ("custom_tool_call_input", _) => "input",
            ("output_text.annotation", "added") => "annotation",
            // The text's own events say the same.
            ("content_part" | "reasoning_summary_part", "added" | "done") => return true,
            _ => return false,
        };
        let position =
            self.find(event.field("output_index"), word(event.field("item_id")).as_deref());
        let Some(item) = position.and_then(|position| self.items.get_mut(position)) else {
            return false;
        };
        let said = || text(event.field(visible)).unwrap_or_default();
        let index = |name: &str| {
            count(event.field(name)).and_then(|index| usize::try_from(index).ok()).unwrap_or(0)
        };
        let is_delta = stage == "delta";
        match what {
            "output_text" => {
                let said = (said(), event.field("logprobs"));
                item.say(index("content_index"), said, is_delta, deltas);
            }
            "output_text.annotation" => {
                if let Some(raw) = event.field("annotation") {
                    item.annotation(index("content_index"), raw, deltas);
                }
            }
            "refusal" => item.refuse(index("content_index"), said(), is_delta, deltas),
            "reasoning_text" => {
                let place = (false, index("content_index"));
                deltas.extend(item.think(place, said(), is_delta, &mut self.blocks));
            }
            "reasoning_summary_text" => {
                let place = (true, index("summary_index"));
                deltas.extend(item.think(place, said(), is_delta, &mut self.blocks));
            }
            "function_call_arguments" | "custom_tool_call_input" => {
                item.arguments(&said(), is_delta, deltas);
            }
            _ => return false,
        }
        true
    }

    /// The item of that place or id; a new one where there is none, and whether it is.
    fn position(
        &mut self,
        place: Option<&RawValue>,
        fields: &Object<'_>,
    ) -> Result<(usize, bool), ReadError> {
        if let Some(position) = self.find(place, word(fields.field("id")).as_deref()) {
            return Ok((position, false));
        }
        let kind = text(fields.field("type")).unwrap_or_default();
        let kind = match kind.as_str() {
            "message" => Kind::Message,
            "reasoning" => Kind::Thought,
            "image_generation_call" => Kind::Image,
            "function_call" => Kind::Call(self.calls, None),
            kind => match Custom::of_call(kind) {
                Some(custom) => Kind::Call(self.calls, Some(custom)),
                None => Kind::Other,
            },
        };
        if matches!(kind, Kind::Call(..)) {
            let next = self.calls.checked_add(1);
            self.calls =
                next.ok_or_else(|| ReadError::new("output", "at most 65535 calls", "more"))?;
        }
        self.items.push(Item::new(count(place), kind, fields));
        Ok((self.items.len() - 1, true))
    }

    fn find(&self, place: Option<&RawValue>, id: Option<&str>) -> Option<usize> {
        let place = count(place);
        let is_there = |item: &Item| place.is_some() && item.place == place;
        let is_named = |item: &Item| id.is_some() && item.id.as_deref() == id;
        // Names change between the events of some hosts, so that the place alone tells as well; but
        // a place may be another item's by now.
        let by_both = self.items.iter().position(|item| is_there(item) && is_named(item));
        let lost = || self.items.iter().position(|item| item.place.is_none() && is_named(item));
        let by_place = || self.items.iter().position(is_there);
        by_both.or_else(lost).or_else(by_place).or_else(|| self.items.iter().position(is_named))
    }
}

/// An event that has no canonical form.
pub(super) fn event_of(event: &Object<'_>) -> Delta {
    let fields: Vec<String> = event
        .0
        .iter()
        .map(|(name, raw)| format!("{}:{}", Json::of(name).as_str(), raw.get()))
        .collect();
    let json = Json::parse(format!("{{{}}}", fields.join(","))).unwrap_or_else(|_| Json::null());
    Delta::Other { choice: Some(0), kind: OTHER_EVENT.to_owned(), json }
}

/// Whether an item is a search of the web, and not a look at a page that was found.
fn is_search(kind: &str, fields: &Object<'_>) -> bool {
    let action = fields.field("action").and_then(|raw| Object::parse(raw.get()).ok());
    let action = action.and_then(|action| text(action.field("type")));
    kind == "web_search_call" && action.is_none_or(|action| action == "search")
}
