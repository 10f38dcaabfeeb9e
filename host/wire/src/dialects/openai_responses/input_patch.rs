//! A client's own `input` without what an upstream refuses: another provider's thought, thought
//! that nobody stores, and OpenRouter's extensions.

use serde_json::value::RawValue;

use super::request_write::Rules;
use super::thought;
use crate::dialects::openai_chat::emit::{self, Object as Writer};
use crate::dialects::openai_chat::shape::{list, text, word};
use crate::json::Object;

/// The client's list with the changes that the upstream needs; `None` when it stays.
pub(super) fn patch(raw: &RawValue, rules: &Rules<'_>) -> Option<String> {
    if rules.is_openrouter() {
        return None;
    }
    let items = list(Some(raw));
    let patched: Vec<(&RawValue, Fate)> = items.into_iter().map(|raw| (raw, fate(raw))).collect();
    patched.iter().find(|(_, fate)| !matches!(fate, Fate::Keep))?;
    let kept = patched.iter().filter(|(_, fate)| !matches!(fate, Fate::Drop));
    let mut out = Vec::new();
    emit::list(&mut out, kept, |(raw, fate), out| match fate {
        Fate::Replace(item) => out.extend_from_slice(item),
        Fate::Keep | Fate::Drop => out.extend_from_slice(raw.get().as_bytes()),
    });
    String::from_utf8(out).ok()
}

enum Fate {
    Keep,
    Drop,
    Replace(Vec<u8>),
}

fn fate(raw: &RawValue) -> Fate {
    let Ok(item) = Object::parse(raw.get()) else { return Fate::Keep };
    match text(item.field("type")).as_deref() {
        Some("reasoning") => thought_fate(&item),
        _ => match without_breakpoints(&item) {
            Some(item) => Fate::Replace(item),
            None => Fate::Keep,
        },
    }
}

fn thought_fate(item: &Object<'_>) -> Fate {
    let is_ours = thought::is_ours(&thought::template(item));
    if !is_ours || word(item.field("encrypted_content")).is_none() {
        return Fate::Drop;
    }
    // OpenAI refuses encrypted thought under another id than its own, and takes it without one.
    let is_made_up = word(item.field("id")).is_some_and(|id| id.starts_with(thought::MADE_UP));
    let is_ours_only =
        |name: &str| matches!(name, "format" | "signature") || (name == "id" && is_made_up);
    if !item.0.iter().any(|(name, _)| is_ours_only(name)) {
        return Fate::Keep;
    }
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    for (name, value) in item.0.iter().filter(|(name, _)| !is_ours_only(name)) {
        object.raw(name, value.get());
    }
    object.end();
    Fate::Replace(out)
}

/// An item whose parts have cache breakpoints, without them.
fn without_breakpoints(item: &Object<'_>) -> Option<Vec<u8>> {
    let is_breakpoint = |name: &str| name == "cache_control";
    let holds = |raw: &RawValue| {
        list(Some(raw)).into_iter().any(|part| {
            Object::parse(part.get())
                .is_ok_and(|part| part.0.iter().any(|(name, _)| is_breakpoint(name)))
        })
    };
    item.0.iter().find(|(name, raw)| matches!(&**name, "content" | "output") && holds(raw))?;
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    for (name, raw) in &item.0 {
        if !matches!(&**name, "content" | "output") || !holds(raw) {
            object.raw(name, raw.get());
            continue;
        }
        object.list(name, list(Some(raw)), |part, out| match Object::parse(part.get()) {
            Ok(fields) => {
                let mut object = Writer::begin(out);
                for (name, value) in fields.0.iter().filter(|(name, _)| !is_breakpoint(name)) {
                    object.raw(name, value.get());
                }
                object.end();
            }
            Err(_) => out.extend_from_slice(part.get().as_bytes()),
        });
    }
    object.end();
    Some(out)
}
