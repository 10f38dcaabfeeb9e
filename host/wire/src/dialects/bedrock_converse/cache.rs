//! Prompt-cache breakpoints: a block of their own here, a mark on the part before canonically.

use serde_json::value::RawValue;

use super::model::Family;
use crate::json::{Json, Object};
use crate::json_text::{object, text_of};

/// Reads the value under `cachePoint` as the mark. Other kinds than `default` are not known.
pub(super) fn read(value: &RawValue) -> Option<Json> {
    let fields = Object::parse(value.get()).ok()?;
    if text_of(&fields, "type")? != "default" {
        return None;
    }
    Some(object(|writer| {
        writer.field("type", "ephemeral");
        writer.some("ttl", text_of(&fields, "ttl").as_ref());
    }))
}

/// The block for a mark; none for models that would refuse it. To be cached is never a condition.
pub(super) fn write(mark: Option<&Json>, family: Family) -> Option<Json> {
    let mark = mark.filter(|_| family.caches())?;
    let fields = mark.read::<Object<'_>>().ok()?;
    let ttl = text_of(&fields, "ttl");
    let point = object(|writer| {
        writer.field("type", "default");
        writer.some("ttl", ttl.as_ref());
    });
    Some(object(|writer| writer.field("cachePoint", &point)))
}
