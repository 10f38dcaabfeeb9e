//! Token probabilities: text completions keep a list for each column, chat (and the canonical
//! form) an object for each token.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::super::openai_chat::emit::{self, Object as Writer};
use crate::json::{Json, Object};

/// The canonical form of a choice's `logprobs`; nothing for what is not in columns.
pub(super) fn read(json: &Json) -> Option<Json> {
    let fields = Object::parse(json.as_str()).ok()?;
    let column = |name: &str| -> Vec<&RawValue> {
        let list = fields.field(name).and_then(|raw| serde_json::from_str(raw.get()).ok());
        list.unwrap_or_default()
    };
    fields.field("tokens")?;
    let (chances, others) = (column("token_logprobs"), column("top_logprobs"));
    let offsets = column("text_offset");
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    object.list("content", column("tokens").into_iter().enumerate(), |(row, token), out| {
        let mut element = Writer::begin(out);
        write_token(token, chances.get(row).copied(), &mut element);
        let tops = others.get(row).and_then(|raw| Object::parse(raw.get()).ok());
        element.list("top_logprobs", tops.unwrap_or_default().0, |(token, chance), out| {
            let mut top = Writer::begin(out);
            let token = Json::of(&token);
            if let Ok(token) = token.read::<&RawValue>() {
                write_token(token, Some(chance), &mut top);
            }
            top.end();
        });
        element.optional("text_offset", offsets.get(row));
        element.end();
    });
    object.raw("refusal", "null");
    object.end();
    String::from_utf8(out).ok().and_then(|text| Json::parse(text).ok())
}

fn write_token(token: &RawValue, chance: Option<&RawValue>, element: &mut Writer<'_>) {
    element.raw("token", token.get());
    element.raw("logprob", chance.map_or("null", RawValue::get));
    let text: Option<Cow<'_, str>> = serde_json::from_str(token.get()).ok();
    // Part of a character has no text; its bytes are spelled out.
    let text = text.filter(|text| !text.starts_with("bytes:"));
    element.value("bytes", &text.as_ref().map(|text| text.as_bytes()));
}

/// Appends the columns of what the canonical form says; `null` where it says no tokens. `offset`
/// is how many characters the choice's tokens had before, and then have.
pub(super) fn write(canonical: &RawValue, offset: &mut usize, out: &mut Vec<u8>) {
    let rows = Object::parse(canonical.get()).ok().and_then(|fields| {
        let content = fields.field("content").filter(|raw| raw.get() != "null")?;
        serde_json::from_str::<Vec<Object<'_>>>(content.get()).ok()
    });
    let Some(rows) = rows else { return out.extend_from_slice(b"null") };
    let raw =
        |row: &Object<'_>, name: &str| row.field(name).map_or("null", RawValue::get).to_owned();
    let tops: Vec<Vec<Object<'_>>> = rows.iter().map(alternatives).collect();
    let mut columns = Writer::begin(out);
    columns.list("tokens", &rows, |row, out| out.extend_from_slice(raw(row, "token").as_bytes()));
    columns.list("token_logprobs", &rows, |row, out| {
        out.extend_from_slice(raw(row, "logprob").as_bytes());
    });
    if tops.iter().all(Vec::is_empty) {
        columns.raw("top_logprobs", "null");
    } else {
        columns.list("top_logprobs", &tops, |tops, out| write_alternatives(tops, out));
    }
    columns.list("text_offset", &rows, |row, out| {
        let own = row.field("text_offset").and_then(|raw| raw.get().parse().ok());
        let at = own.unwrap_or(*offset);
        emit::write(out, &at);
        *offset = at + text(row).chars().count();
    });
    columns.end();
}

fn alternatives<'a>(row: &Object<'a>) -> Vec<Object<'a>> {
    let tops = row.field("top_logprobs").and_then(|raw| serde_json::from_str(raw.get()).ok());
    tops.unwrap_or_default()
}

/// An object of tokens; one that stands twice (part of a character) counts once.
fn write_alternatives(tops: &[Object<'_>], out: &mut Vec<u8>) {
    if tops.is_empty() {
        return out.extend_from_slice(b"null");
    }
    let mut known: Vec<String> = Vec::new();
    let mut object = Writer::begin(out);
    for top in tops {
        let token = text(top);
        if !known.contains(&token) {
            object.raw(&token, top.field("logprob").map_or("null", RawValue::get));
            known.push(token);
        }
    }
    object.end();
}

fn text(row: &Object<'_>) -> String {
    row.field("token").and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}
