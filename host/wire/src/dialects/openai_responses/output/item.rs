//! Items beside words, thought and calls: pictures, and those that only this dialect knows.

use super::{Output, write_fields};
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::dialects::openai_chat::shape::{count, text};
use crate::dialects::openai_responses::annotation::of_bytes;
use crate::dialects::openai_responses::{
    LOGPROBS, OTHER_ANNOTATION, OTHER_EVENT, OTHER_FIELDS, OTHER_PART, OTHER_RESPONSE, PREFIX,
};
use crate::json::{Json, Object};

impl Output {
    /// Writes what only this dialect knows.
    pub(super) fn other(&mut self, kind: &str, json: &Json, out: &mut Vec<u8>) {
        match kind {
            OTHER_FIELDS => {
                let fields = json.read::<Object<'_>>().unwrap_or_default();
                // A message that begins ends the one before it.
                if text(fields.field("type")).as_deref() == Some("message") {
                    self.close_open(out);
                }
                self.fields.push(json.clone());
            }
            OTHER_ANNOTATION => self.annotate(json, out),
            OTHER_PART => self.other_part(json, out),
            OTHER_EVENT => self.other_event(json, out),
            LOGPROBS => self.keep_logprobs(json),
            OTHER_RESPONSE => {}
            _ if kind.starts_with(PREFIX) => self.whole(json, out),
            _ => {}
        }
    }

    /// Writes a picture.
    pub(super) fn image(&mut self, json: &Json, out: &mut Vec<u8>) {
        let fields = json.read::<Object<'_>>().unwrap_or_default();
        let inner = fields.field("image_url").and_then(|raw| Object::parse(raw.get()).ok());
        let url = inner.and_then(|inner| text(inner.field("url"))).unwrap_or_default();
        let result = match url.strip_prefix("data:").and_then(|data| data.split_once(";base64,")) {
            Some((_, base64)) => base64,
            None => &url,
        };
        self.close_open(out);
        let fields = self.take_fields("image_generation_call", None);
        let place = self.place();
        let id = self.item_id("ig", place, fields.as_ref());
        let item = |status: &str, result: Option<&str>| {
            let mut out = Vec::new();
            let mut item = Writer::begin(&mut out);
            item.value("id", &id);
            item.raw("type", r#""image_generation_call""#);
            item.value("status", status);
            item.value("result", &result);
            if result.is_some() {
                write_fields(fields.as_ref(), &mut item);
            }
            item.end();
            of_bytes(out)
        };
        self.added(place, &item("in_progress", None), out);
        for stage in ["in_progress", "generating", "completed"] {
            self.event(&format!("response.image_generation_call.{stage}"), out, |event| {
                event.value("item_id", &id);
                event.value("output_index", &place);
            });
        }
        self.done(place, item("completed", Some(result)), out);
    }

    /// Writes an item whole; its beginning too, unless the upstream's event told of it.
    fn whole(&mut self, item: &Json, out: &mut Vec<u8>) {
        if !item.as_str().starts_with('{') {
            return;
        }
        let fields = item.read::<Object<'_>>().unwrap_or_default();
        let id = text(fields.field("id"));
        let position = self.places.iter().position(|(_, _, known)| id.is_some() && *known == id);
        let place = match position {
            Some(position) => self.places.remove(position).1,
            None => {
                self.close_open(out);
                let place = self.place();
                self.added(place, item, out);
                place
            }
        };
        self.done(place, item.clone(), out);
    }

    /// Writes an upstream's event under our numbers.
    fn other_event(&mut self, json: &Json, out: &mut Vec<u8>) {
        let event = json.read::<Object<'_>>().unwrap_or_default();
        let Some(kind) = text(event.field("type")).filter(|kind| is_line(kind)) else { return };
        let theirs = count(event.field("output_index"));
        if kind == "response.output_item.added" {
            self.close_open(out);
            let item = event.field("item").and_then(|raw| Object::parse(raw.get()).ok());
            let id = item.and_then(|item| text(item.field("id")));
            let place = self.place();
            self.places.push((theirs, place, id));
        }
        let known =
            self.places.iter().rev().find(|(known, ..)| theirs.is_some() && *known == theirs);
        let ours = known.map(|(_, place, _)| *place);
        let mut fields = Vec::new();
        for (name, raw) in &event.0 {
            match (&**name, ours) {
                ("type" | "sequence_number", _) => {}
                ("output_index", Some(ours)) => fields.push((name, ours.to_string())),
                _ => fields.push((name, raw.get().to_owned())),
            }
        }
        self.event(&kind, out, |event| {
            for (name, value) in &fields {
                event.raw(name, value);
            }
        });
    }
}

/// Whether a type can stand in an event's `event` field.
fn is_line(kind: &str) -> bool {
    !kind.contains(['\n', '\r'])
}
