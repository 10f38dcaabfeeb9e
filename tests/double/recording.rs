//! Reads a recorded reply from a file: `*.json` is a whole body, `*.chunks.txt` one SSE payload
//! a line. Event names and the closing `[DONE]`, which the files leave out, follow from what the
//! payloads look like.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

use crate::event_stream;
use crate::script::Event;

/// What a file holds.
pub(crate) enum Recording {
    /// A reply that was not streamed.
    Whole(String),
    /// A stream's events in order.
    Stream(Vec<Event>),
}

/// Reads a recording; a relative path is taken from `wire/` in the folder that
/// `PATCHBAY_FIXTURES` names.
///
/// # Errors
/// When the file can't be read, or a payload is no JSON.
pub(crate) fn read(path: &Path) -> Result<Recording, anyhow::Error> {
    let path = resolve(path)?;
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("can't read the recording {}", path.display()))?;
    if !path.to_string_lossy().ends_with(".chunks.txt") {
        return Ok(Recording::Whole(text));
    }
    let mut events = Vec::new();
    let mut speaks_chat = false;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let payload: Value = serde_json::from_str(line)
            .with_context(|| format!("{} line {}", path.display(), at + 1))?;
        speaks_chat |= payload.get("choices").is_some();
        events.push(match payload.as_object().map(|fields| (fields.len(), fields.iter().next())) {
            // Amazon's messages are binary; what is in them stands under their name.
            Some((1, Some((name, data)))) if data.is_object() => {
                Event::Framed(event_stream::frame(name, data, name.ends_with("Exception")))
            }
            _ => {
                let name = payload.get("type").and_then(Value::as_str).map(str::to_owned);
                Event::Data { name, payload: line.to_owned() }
            }
        });
    }
    if speaks_chat {
        events.push(Event::Data { name: None, payload: "[DONE]".to_owned() });
    }
    Ok(Recording::Stream(events))
}

fn resolve(path: &Path) -> Result<PathBuf, anyhow::Error> {
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    let folder = std::env::var_os("PATCHBAY_FIXTURES")
        .context("`recording` is a relative path, so PATCHBAY_FIXTURES must name its folder")?;
    Ok(Path::new(&folder).join("wire").join(path))
}
