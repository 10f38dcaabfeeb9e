//! Citations: flat here, nested in OpenRouter's chat form, which is the canonical one.

use serde_json::value::RawValue;

use super::OTHER_ANNOTATION;
use crate::chunk::Delta;
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::dialects::openai_chat::shape::text;
use crate::json::{Json, Object};

/// Reads an annotation of a text.
pub(super) fn read(raw: &RawValue) -> Delta {
    let fields = Object::parse(raw.get()).unwrap_or_default();
    if text(fields.field("type")).as_deref() != Some(CITATION) || fields.field(CITATION).is_some() {
        let (choice, json) = (Some(0), Json::from(raw));
        return Delta::Other { choice, kind: OTHER_ANNOTATION.to_owned(), json };
    }
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    object.value("type", CITATION);
    object.object(CITATION, |citation| {
        for (name, value) in fields.0.iter().filter(|(name, _)| name != "type") {
            citation.raw(name, value.get());
        }
    });
    object.end();
    Delta::Annotation { choice: 0, json: of_bytes(out) }
}

/// An annotation as it stands in a text. Clients demand a title and a place.
pub(super) fn flat(json: &Json) -> Json {
    let fields = json.read::<Object<'_>>().unwrap_or_default();
    let inner = fields.field(CITATION).and_then(|raw| Object::parse(raw.get()).ok());
    let Some(inner) = inner else { return json.clone() };
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    object.value("type", CITATION);
    for (name, value) in &inner.0 {
        object.raw(name, value.get());
    }
    for (name, default) in [("title", r#""""#), ("start_index", "0"), ("end_index", "0")] {
        if inner.field(name).is_none() {
            object.raw(name, default);
        }
    }
    object.end();
    of_bytes(out)
}

/// JSON that was written here.
pub(super) fn of_bytes(bytes: Vec<u8>) -> Json {
    let json = String::from_utf8(bytes).ok().and_then(|text| Json::parse(text).ok());
    json.unwrap_or_else(Json::null)
}

const CITATION: &str = "url_citation";
