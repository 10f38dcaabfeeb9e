//! `options`: how tokens are drawn, in both directions. What no other dialect knows (`num_ctx`,
//! `mirostat`, …) is kept under the object's own name.

use serde_json::value::RawValue;

use crate::error::ReadError;
use crate::json::{Json, Object};
use crate::json_text::{ObjectWriter, object, read as typed};
use crate::request::Sampling;

/// Reads the object; what is left of it, if anything is.
pub(super) fn read(value: &RawValue, sampling: &mut Sampling) -> Result<Option<Json>, ReadError> {
    let fields: Object<'_> = typed(value, NAME, "an object")?;
    let mut rest = Vec::new();
    for (key, value) in fields.0.iter().filter(|(_, value)| value.get() != "null") {
        if !read_one(key, value, sampling)? {
            rest.push((key, value));
        }
    }
    let write = |writer: &mut ObjectWriter<'_>| {
        rest.iter().for_each(|(key, value)| writer.raw(key, value.get()));
    };
    Ok((!rest.is_empty()).then(|| object(write)))
}

fn read_one(key: &str, value: &RawValue, sampling: &mut Sampling) -> Result<bool, ReadError> {
    let path = format!("{NAME}.{key}");
    let number = || typed::<f64>(value, &path, "a number").map(Some);
    match key {
        "temperature" => sampling.temperature = number()?,
        "top_p" => sampling.top_p = number()?,
        "min_p" => sampling.min_p = number()?,
        "repeat_penalty" => sampling.repetition_penalty = number()?,
        "presence_penalty" => sampling.presence_penalty = number()?,
        "frequency_penalty" => sampling.frequency_penalty = number()?,
        "top_k" => match typed::<i64>(value, &path, "a whole number")? {
            // Below zero is Ollama's word for no limit.
            count if count < 0 => return Ok(false),
            count => sampling.top_k = u32::try_from(count).ok(),
        },
        "seed" => sampling.seed = Some(typed(value, &path, "a whole number")?),
        "num_predict" => match typed::<i64>(value, &path, "a whole number")? {
            // Likewise.
            count if count <= 0 => return Ok(false),
            count => sampling.max_tokens = Some(u32::try_from(count).unwrap_or(u32::MAX)),
        },
        "stop" if value.get().starts_with('"') => {
            sampling.stop = vec![typed(value, &path, "a text")?];
        }
        "stop" => sampling.stop = typed(value, &path, "a list of texts")?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Writes the object, unless it would be empty.
pub(super) fn write(writer: &mut ObjectWriter<'_>, sampling: &Sampling, rest: Option<&Json>) {
    let options = object(|options| {
        options.some("num_predict", sampling.max_tokens.as_ref());
        options.some("temperature", sampling.temperature.as_ref());
        options.some("top_p", sampling.top_p.as_ref());
        options.some("top_k", sampling.top_k.as_ref());
        options.some("min_p", sampling.min_p.as_ref());
        options.some("repeat_penalty", sampling.repetition_penalty.as_ref());
        options.some("presence_penalty", sampling.presence_penalty.as_ref());
        options.some("frequency_penalty", sampling.frequency_penalty.as_ref());
        options.some("seed", sampling.seed.as_ref());
        if !sampling.stop.is_empty() {
            options.field("stop", &sampling.stop);
        }
        let rest = rest.and_then(|rest| rest.read::<Object<'_>>().ok()).unwrap_or_default();
        rest.0.iter().for_each(|(key, value)| options.raw(key, value.get()));
    });
    if options.as_str() != "{}" {
        writer.field(NAME, &options);
    }
}

/// The field's name.
pub(super) const NAME: &str = "options";
