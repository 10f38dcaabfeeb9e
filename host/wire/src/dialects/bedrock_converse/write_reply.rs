//! Writes whole replies: the upstream's own bytes, or a body from the canonical form. The dialect
//! knows one choice and no sound, no names and no costs; those are left out.

use super::thought::{block, pieces};
use super::{
    NAME, OTHER_BLOCK, OTHER_CITATION, OTHER_ENDING, OTHER_METADATA, REASONS, citation, usage,
};
use crate::json::{Json, Object};
use crate::json_text::{ObjectWriter, input_of, object};
use crate::reply::{Choice, Reply};
use crate::source::Source;

/// Writes a body.
pub(super) fn write_reply(reply: &Reply) -> Vec<u8> {
    if let Some(bytes) = Source::of_dialect(&reply.source, NAME) {
        return bytes.to_vec();
    }
    let none = Choice::default();
    let choice = reply.choices.first().unwrap_or(&none);
    let content = content(choice);
    let message = object(|writer| {
        writer.field("role", "assistant");
        writer.field("content", &content);
    });
    let output = object(|writer| writer.field("message", &message));
    let reason = REASONS.end(choice.finish.as_ref(), !choice.tool_calls.is_empty());
    let metadata = other_of(&reply.other, OTHER_METADATA);
    let metadata = metadata.and_then(|json| json.read::<Object<'_>>().ok()).unwrap_or_default();
    let ending = other_of(&choice.other, OTHER_ENDING);
    let ending = ending.and_then(|json| json.read::<Object<'_>>().ok()).unwrap_or_default();
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    writer.field("output", &output);
    writer.field("stopReason", reason);
    // The upstream's own counts know more than the canonical ones.
    if metadata.field("usage").is_none() {
        writer.field("usage", &usage::write(&reply.usage));
    }
    for (key, value) in ending.0.iter().chain(&metadata.0) {
        writer.raw(key, value.get());
    }
    writer.close();
    out
}

/// The blocks: thought, what only this dialect knows, words, pictures, calls. The fold does not know
/// in which order they came, and this one is the usual.
fn content(choice: &Choice) -> Vec<Json> {
    let thoughts = choice.reasoning.iter();
    let mut blocks: Vec<Json> = thoughts
        .flat_map(|(text, detail)| pieces(text, detail.as_ref()))
        .map(|piece| block(&piece))
        .collect();
    let others = |kind: &'static str| choice.other.iter().filter(move |(known, _)| known == kind);
    blocks.extend(others(OTHER_BLOCK).map(|(_, json)| json.clone()));
    if !choice.text.is_empty() {
        let mut citations: Vec<Json> =
            choice.annotations.iter().filter_map(citation::write).collect();
        citations.extend(others(OTHER_CITATION).map(|(_, json)| json.clone()));
        blocks.push(text_block(&choice.text, &citations));
    }
    if !choice.refusal.is_empty() {
        blocks.push(text_block(&choice.refusal, &[]));
    }
    blocks.extend(choice.images.iter().filter_map(|image| {
        let (format, base64) = image_of(image)?;
        let source = object(|writer| writer.field("bytes", &base64));
        let image = object(|writer| {
            writer.field("format", &format);
            writer.field("source", &source);
        });
        Some(object(|writer| writer.field("image", &image)))
    }));
    blocks.extend(choice.tool_calls.iter().map(|call| {
        let call = object(|writer| {
            writer.field("toolUseId", &call.id);
            writer.field("name", &call.name);
            writer.raw("input", &input_of(&call.arguments));
        });
        object(|writer| writer.field("toolUse", &call))
    }));
    blocks
}

fn text_block(text: &str, citations: &[Json]) -> Json {
    let words = object(|writer| writer.field("text", text));
    if citations.is_empty() {
        return words;
    }
    let cited = object(|writer| {
        writer.field("content", &[words]);
        writer.field("citations", citations);
    });
    object(|writer| writer.field("citationsContent", &cited))
}

/// Format and base64 text of a picture in OpenRouter's form; none for one at an address.
pub(super) fn image_of(image: &Json) -> Option<(String, String)> {
    let fields = image.read::<Object<'_>>().ok()?;
    let inner = Object::parse(fields.field("image_url")?.get()).ok()?;
    let url = crate::json_text::text_of(&inner, "url")?;
    let (format, base64) = url.strip_prefix("data:image/")?.split_once(";base64,")?;
    Some((format.to_owned(), base64.to_owned()))
}

/// The last of a kind.
pub(super) fn other_of<'a>(others: &'a [(String, Json)], kind: &str) -> Option<&'a Json> {
    others.iter().rev().find(|(known, _)| known == kind).map(|(_, json)| json)
}
