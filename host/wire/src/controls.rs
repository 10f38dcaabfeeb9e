//! OpenRouter's instructions to the gateway as top-level fields of a request, for dialects that are
//! extended by them as they are: the same names and forms everywhere.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::dialect::Target;
use crate::error::ReadError;
use crate::json::Object;
use crate::json_text::{ObjectWriter, keep, object, present, read as typed, required, shorten};
use crate::request::{Controls, PluginEntry};

/// Reads a field; `false` when it is not meant for the gateway.
pub(crate) fn read(
    controls: &mut Controls,
    key: &str,
    value: &RawValue,
) -> Result<bool, ReadError> {
    match key {
        "models" => controls.models = typed(value, key, "a list of model names")?,
        "provider" => {
            typed::<Object<'_>>(value, key, "an object")?;
            controls.provider = Some(keep(value));
        }
        "plugins" => {
            let items: Vec<&RawValue> = typed(value, key, "a list of plugins")?;
            let entries = items.into_iter().enumerate();
            let entries = entries.map(|(at, item)| plugin(item, &format!("plugins[{at}]")));
            controls.plugins = entries.collect::<Result<_, _>>()?;
        }
        "session_id" => {
            let id: String = typed(value, key, "a text")?;
            if id.chars().count() > SESSION_ID_CHARS_MAX {
                let expected = format!("at most {SESSION_ID_CHARS_MAX} characters");
                return Err(ReadError::new(key, expected, shorten(&id)));
            }
            controls.session_id = Some(id);
        }
        _ if REST.contains(&key) => controls.rest.push((key.to_owned(), keep(value))),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Whether a field is meant for the gateway and never sent upstream.
pub(crate) fn is_control(key: &str) -> bool {
    matches!(key, "models" | "provider" | "plugins" | "session_id") || REST.contains(&key)
}

fn plugin(item: &RawValue, path: &str) -> Result<PluginEntry, ReadError> {
    let fields: Object<'_> = typed(item, path, "a plugin (an object)")?;
    let enabled = present(&fields, "enabled");
    let enabled = enabled.map(|it| typed(it, &format!("{path}.enabled"), "true or false"));
    let is_option = |key: &str| key != "id" && key != "enabled";
    Ok(PluginEntry {
        id: required(&fields, "id", path, "a plugin's id")?,
        enabled: enabled.transpose()?.unwrap_or(true),
        options: object(|writer| {
            let options = fields.0.iter().filter(|(key, _)| is_option(key));
            options.for_each(|(key, value)| writer.raw(key, value.get()));
        }),
    })
}

const SESSION_ID_CHARS_MAX: usize = 256;

const REST: [&str; 10] = [
    "route",
    "transforms",
    "preset",
    "usage",
    "trace",
    "metadata",
    "debug",
    "max_tool_calls",
    "stop_server_tools_when",
    "deferred_tools",
];

/// A client's own bytes with our model and stream, and without what is for the gateway; none for
/// bytes that are no JSON object.
pub(crate) fn without(bytes: &Bytes, to: &Target<'_>) -> Option<Vec<u8>> {
    let fields = Object::parse(std::str::from_utf8(bytes).ok()?).ok()?;
    let mut out = Vec::with_capacity(bytes.len().saturating_add(64));
    let mut writer = ObjectWriter::open(&mut out);
    for (key, value) in &fields.0 {
        match key.as_ref() {
            "model" => writer.field("model", to.model),
            "stream" => writer.field("stream", &to.stream),
            key if is_control(key) => {}
            key => writer.raw(key, value.get()),
        }
    }
    if fields.field("model").is_none() {
        writer.field("model", to.model);
    }
    if fields.field("stream").is_none() {
        writer.field("stream", &to.stream);
    }
    writer.close();
    Some(out)
}
