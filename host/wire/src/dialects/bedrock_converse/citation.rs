//! Citations: of the web in OpenRouter's form, any other whole.

use serde_json::value::RawValue;

use super::OTHER_CITATION;
use crate::chunk::Delta;
use crate::json::{Json, Object};
use crate::json_text::{keep, object, present, text_of};

/// Reads one citation.
pub(super) fn read(value: &RawValue) -> Delta {
    let annotation = of_web(value);
    match annotation {
        Some(json) => Delta::Annotation { choice: 0, json },
        None => {
            Delta::Other { choice: Some(0), kind: OTHER_CITATION.to_owned(), json: keep(value) }
        }
    }
}

fn of_web(value: &RawValue) -> Option<Json> {
    let fields = Object::parse(value.get()).ok()?;
    let location = Object::parse(present(&fields, "location")?.get()).ok()?;
    let web = Object::parse(present(&location, "web")?.get()).ok()?;
    let url = text_of(&web, "url")?;
    let content = present(&fields, "sourceContent")
        .and_then(|content| serde_json::from_str::<Vec<&RawValue>>(content.get()).ok())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| text_of(&Object::parse(item.get()).ok()?, "text"))
        .collect::<Vec<_>>()
        .join("\n");
    let inner = object(|writer| {
        writer.field("url", &url);
        writer.some("title", text_of(&fields, "title").as_ref());
        if !content.is_empty() {
            writer.field("content", &content);
        }
    });
    Some(object(|writer| {
        writer.field("type", "url_citation");
        writer.field("url_citation", &inner);
    }))
}

/// The dialect's form of an annotation; none for one that is not of the web.
pub(super) fn write(annotation: &Json) -> Option<Json> {
    let fields = annotation.read::<Object<'_>>().ok()?;
    let inner = Object::parse(fields.field("url_citation")?.get()).ok()?;
    let url = text_of(&inner, "url")?;
    let web = object(|writer| writer.field("url", &url));
    let location = object(|writer| writer.field("web", &web));
    let content = text_of(&inner, "content").map(|text| {
        let item = object(|writer| writer.field("text", &text));
        [item]
    });
    Some(object(|writer| {
        writer.some("title", text_of(&inner, "title").as_ref());
        writer.some("sourceContent", content.as_ref());
        writer.field("location", &location);
    }))
}
