//! Who of several people speaks: OpenAI's `name`, which other models are told in front of the words
//! instead (`ann: Hello.`).

use serde_json::value::RawValue;

use super::emit::{self, Object as Writer};
use super::message_write::Rules;
use super::shape::{list, text};
use crate::chunk::Role;
use crate::json::{Json, Object};
use crate::request::{Content, Message, Part};

/// The name to put in front; none where there is none or the upstream knows names. Tools and the
/// assistant are named for other reasons.
pub(super) fn of<'m>(message: &'m Message, rules: &Rules<'_>) -> Option<&'m str> {
    let knows = rules.is_openrouter() || rules.to.quirks.max_completion_tokens;
    message.name.as_deref().filter(|_| message.role == Role::User && !knows)
}

/// The part with the name in front, if it is of words.
pub(super) fn named(part: &Part, name: &str) -> Option<Part> {
    match &part.content {
        Content::Text(text) => {
            let content = Content::Text(format!("{name}: {text}"));
            Some(Part { content, cache_control: part.cache_control.clone() })
        }
        _ => None,
    }
}

/// A client's `content` with the name in front of its first words.
pub(super) fn patch(content: &RawValue, name: &str) -> String {
    let said = |text: &str| Json::of(&format!("{name}: {text}")).as_str().to_owned();
    if let Some(text) = text(Some(content)) {
        return said(&text);
    }
    let mut is_said = false;
    let mut out = Vec::new();
    emit::list(&mut out, list(Some(content)), |part, out| {
        let fields = Object::parse(part.get()).unwrap_or_default();
        let words = text(fields.field("text")).filter(|_| !is_said);
        let Some(words) = words else { return out.extend_from_slice(part.get().as_bytes()) };
        is_said = true;
        let mut object = Writer::begin(out);
        for (key, value) in &fields.0 {
            match &**key {
                "text" => object.raw(key, &said(&words)),
                _ => object.raw(key, value.get()),
            }
        }
        object.end();
    });
    String::from_utf8(out).unwrap_or_default()
}
