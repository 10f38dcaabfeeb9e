//! Annotations of the kind `file`: what was read of a file, given to the client, which sends it
//! back with the next turn so that nothing is read twice.

use crate::parsed::{Parsed, Picture};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_sdk::Message;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

/// The name of a file's bytes, whoever sends them.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The annotation of a file: its text, then its pictures.
pub(crate) fn write(hash: &str, name: &str, parsed: &Parsed) -> Value {
    let text = json!({"type": "text", "text": &parsed.text});
    let pictures = parsed.pictures.iter().map(|picture| {
        let url = format!("data:{};base64,{}", picture.mime, STANDARD.encode(&picture.bytes));
        json!({"type": "image_url", "image_url": {"url": url}})
    });
    let content: Vec<Value> = std::iter::once(text).chain(pictures).collect();
    json!({"type": "file", "file": {"hash": hash, "name": name, "content": content}})
}

/// What earlier replies said of files, by hash. It is taken out of the messages: models know
/// nothing of it.
pub(crate) fn take(messages: &mut [Message]) -> HashMap<String, Parsed> {
    let mut known = HashMap::new();
    for message in messages {
        let Ok(Some(annotations)) = message.extra_get::<Vec<Value>>(FIELD) else { continue };
        let (files, others): (Vec<Value>, Vec<Value>) =
            annotations.into_iter().partition(|it| it.get("type") == Some(&json!("file")));
        known.extend(files.iter().filter_map(read));
        message.extra.retain(|field| field.name != FIELD);
        if !others.is_empty() {
            message.extra_set(FIELD, others);
        }
    }
    known
}

fn read(annotation: &Value) -> Option<(String, Parsed)> {
    let file = annotation.get("file")?;
    let hash = file.get("hash")?.as_str()?.to_owned();
    let mut parsed = Parsed { page_count: 1, ..Parsed::default() };
    for part in file.get("content")?.as_array()? {
        if let Some(text) = part.get("text").and_then(Value::as_str) {
            if !parsed.text.is_empty() {
                parsed.text.push('\n');
            }
            parsed.text.push_str(text);
        }
        let url = part.pointer("/image_url/url").and_then(Value::as_str);
        parsed.pictures.extend(url.and_then(picture));
    }
    (!parsed.text.is_empty() || !parsed.pictures.is_empty()).then_some((hash, parsed))
}

/// The picture of a data URL.
pub(crate) fn picture(url: &str) -> Option<Picture> {
    let (mime, bytes) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some(Picture { mime: mime.to_owned(), bytes: STANDARD.decode(bytes).ok()? })
}

const FIELD: &str = "annotations";
