//! Token probabilities: Cohere tells a piece of text with the tokens it is made of.

use serde_json::value::RawValue;

use crate::chunk::Delta;
use crate::json::{Json, Object};
use crate::json_text::{object, present, text_of};
use crate::logprobs;

/// Reads one item or a list of them; `None` for what holds no probability.
pub(super) fn read(value: &RawValue) -> Option<Delta> {
    let items: Vec<&RawValue> = match value.get().starts_with('[') {
        true => serde_json::from_str(value.get()).ok()?,
        false => vec![value],
    };
    let tokens: Vec<Json> = items.into_iter().filter_map(token).collect();
    (!tokens.is_empty()).then(|| logprobs::delta(tokens.iter().map(Json::as_str)))
}

/// A piece as one token. Where it is several, their probabilities multiply: the logarithms add up.
fn token(item: &RawValue) -> Option<Json> {
    let fields = Object::parse(item.get()).ok()?;
    let numbers: Vec<&RawValue> = serde_json::from_str(fields.field("logprobs")?.get()).ok()?;
    let logprob = match numbers.as_slice() {
        [] => return None,
        [one] => (*one).get().to_owned(),
        several => {
            let sum: f64 = several.iter().filter_map(|it| it.get().parse::<f64>().ok()).sum();
            Json::of(&sum).as_str().to_owned()
        }
    };
    let text = text_of(&fields, "text").unwrap_or_default();
    Some(object(|writer| {
        writer.field("token", &text);
        writer.raw("logprob", &logprob);
        writer.field("bytes", text.as_bytes());
        writer.raw("top_logprobs", "[]");
    }))
}

/// The items to write for a delta's value. The tokens' numbers are not known.
pub(super) fn write(value: &Json) -> Vec<Json> {
    let item = |token: &RawValue| {
        let fields = Object::parse(token.get()).ok()?;
        let logprob = present(&fields, "logprob")?;
        Some(object(|writer| {
            writer.field("text", &text_of(&fields, "token").unwrap_or_default());
            writer.raw("token_ids", "[]");
            writer.field("logprobs", &[logprob]);
        }))
    };
    logprobs::tokens(value).into_iter().filter_map(item).collect()
}
