//! Citations: those whose sources have an address in OpenRouter's form, any other whole.

use serde_json::value::RawValue;

use super::OTHER_CITATION;
use crate::chunk::Delta;
use crate::json::{Json, Object};
use crate::json_text::{keep, object, present, text_of};

/// Reads a citation: an annotation for each source that has an address, or all of it as it is.
pub(super) fn read(value: &RawValue, deltas: &mut Vec<Delta>) {
    let annotations = Object::parse(value.get()).map(|fields| annotations(&fields));
    match annotations.unwrap_or_default().as_slice() {
        [] => deltas.push(Delta::Other {
            choice: Some(0),
            kind: OTHER_CITATION.to_owned(),
            json: keep(value),
        }),
        found => {
            let found = found.iter().cloned();
            deltas.extend(found.map(|json| Delta::Annotation { choice: 0, json }));
        }
    }
}

fn annotations(citation: &Object<'_>) -> Vec<Json> {
    let sources: Vec<&RawValue> = present(citation, "sources")
        .and_then(|sources| serde_json::from_str(sources.get()).ok())
        .unwrap_or_default();
    // Positions in a plan or a thought would point into the wrong text.
    let is_of_text = text_of(citation, "type").is_none_or(|kind| kind == TEXT);
    let place = |key: &str| present(citation, key).filter(|_| is_of_text);
    let of_source = |source: &RawValue| {
        let source = Object::parse(source.get()).ok()?;
        let found = present(&source, "document").or_else(|| present(&source, "tool_output"))?;
        let found = Object::parse(found.get()).ok()?;
        let url = text_of(&found, "url").filter(|url| url.starts_with("http"))?;
        let inner = object(|writer| {
            writer.field("url", &url);
            writer.some("title", text_of(&found, "title").as_ref());
            let content =
                ["snippet", "text", "content"].iter().find_map(|key| text_of(&found, key));
            writer.some("content", content.as_ref());
            writer.some("start_index", place("start").as_ref());
            writer.some("end_index", place("end").as_ref());
        });
        Some(object(|writer| {
            writer.field("type", "url_citation");
            writer.field("url_citation", &inner);
        }))
    };
    sources.into_iter().filter_map(of_source).collect()
}

/// An annotation as a citation; `None` for one that cites no address.
pub(super) fn write(annotation: &Json) -> Option<Json> {
    let fields = annotation.read::<Object<'_>>().ok()?;
    let cited = Object::parse(present(&fields, "url_citation")?.get()).ok()?;
    let url = text_of(&cited, "url")?;
    let document = object(|writer| {
        writer.field("id", &url);
        writer.field("url", &url);
        writer.some("title", present(&cited, "title").as_ref());
        writer.some("text", present(&cited, "content").as_ref());
    });
    let source = object(|writer| {
        writer.field("type", "document");
        writer.field("id", &url);
        writer.field("document", &document);
    });
    Some(object(|writer| {
        writer.some("start", present(&cited, "start_index").as_ref());
        writer.some("end", present(&cited, "end_index").as_ref());
        writer.field("sources", &[source]);
        writer.field("type", TEXT);
    }))
}

const TEXT: &str = "TEXT_CONTENT";
