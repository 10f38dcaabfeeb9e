//! What ends a reply, streamed or not: the finish reason, tokens, and fields that are not known.
//! `billed_units` are what is paid for, and what is counted; `tokens`, with Cohere's own prompt, stay
//! beside them as the upstream wrote them.

use serde_json::value::RawValue;

use super::{OTHER_ENDING, OTHER_USAGE, REASONS};
use crate::chunk::{Delta, FinishReason, Usage};
use crate::dialect::Cost;
use crate::error::{ErrorType, Failure, StreamError};
use crate::json::{Json, Object};
use crate::json_text::{ObjectWriter, object, present, text_of};

/// Reads the fields of an ending but those that are `known` otherwise. One that tells of an error
/// is the upstream's failure.
pub(super) fn read(
    fields: &Object<'_>,
    known: &[&str],
    deltas: &mut Vec<Delta>,
) -> Result<(), StreamError> {
    let native = text_of(fields, "finish_reason");
    if let Some(message) = text_of(fields, "error").filter(|message| !message.is_empty()) {
        return Err(StreamError::Upstream(failure(native, message)));
    }
    let is_known = |key: &str| known.contains(&key) || KNOWN.contains(&key);
    if let Some(json) = rest(fields, is_known) {
        deltas.push(Delta::Other { choice: Some(0), kind: OTHER_ENDING.to_owned(), json });
    }
    if let Some(usage) = present(fields, "usage") {
        let json = Json::from(usage);
        deltas.push(Delta::Usage(counts(usage)));
        deltas.push(Delta::Other { choice: None, kind: OTHER_USAGE.to_owned(), json });
    }
    if let Some(native) = native {
        let reason = REASONS.read(&native);
        deltas.push(Delta::Finish { choice: 0, reason, native: Some(native) });
    }
    Ok(())
}

/// The fields that are not known, as an object; `None` where there are none.
pub(super) fn rest(fields: &Object<'_>, is_known: impl Fn(&str) -> bool) -> Option<Json> {
    let rest = fields.0.iter().filter(|(key, value)| !is_known(key) && value.get() != "null");
    let mut rest = rest.peekable();
    rest.peek()?;
    Some(object(|writer| rest.for_each(|(key, value)| writer.raw(key, value.get()))))
}

fn failure(native: Option<String>, message: String) -> Failure {
    let error_type = match native.as_deref() {
        Some("TIMEOUT") => ErrorType::Timeout,
        Some("ERROR_TOXIC") => ErrorType::ContentPolicyViolation,
        _ => ErrorType::ProviderUnavailable,
    };
    let mut failure = Failure::new(error_type, message);
    failure.provider_code = native;
    failure
}

fn counts(usage: &RawValue) -> Usage {
    let usage = Object::parse(usage.get()).unwrap_or_default();
    let inner = |key: &str| {
        let inner = present(&usage, key).and_then(|raw| Object::parse(raw.get()).ok());
        inner.unwrap_or_default()
    };
    let (tokens, billed) = (inner("tokens"), inner("billed_units"));
    let count = |fields: &Object<'_>, key: &str| -> Option<u64> {
        // Cohere's own types say `number`, and some gateways write `12.0`.
        let text = present(fields, key)?.get();
        text.strip_suffix(".0").unwrap_or(text).parse().ok()
    };
    let of_either = |key| count(&billed, key).or_else(|| count(&tokens, key));
    let prompt = of_either("input_tokens");
    // Cohere's own prompt is cached too. More than is paid for is no part of it.
    let cached = count(&usage, "cached_tokens").filter(|cached| prompt >= Some(*cached));
    Usage {
        prompt,
        completion: of_either("output_tokens"),
        cached,
        web_searches: count(&billed, "search_units"),
        ..Usage::default()
    }
}

/// The finish reason to write; a reply that never ended ends like a good one.
pub(super) fn reason(finish: Option<&(FinishReason, Option<String>)>, has_calls: bool) -> &str {
    REASONS.end(finish, has_calls)
}

/// Writes the usage object: the upstream's own with our cost, or one of the counts.
pub(super) fn usage(usage: &Usage, upstream: Option<&Json>, cost: &Cost) -> Json {
    let upstream = upstream.and_then(|json| json.read::<Object<'_>>().ok());
    object(|writer| {
        match upstream {
            Some(fields) => {
                let theirs = fields.0.iter().filter(|(key, _)| !OURS.contains(&key.as_ref()));
                theirs.for_each(|(key, value)| writer.raw(key, value.get()));
            }
            None => {
                let tokens = |writer: &mut ObjectWriter<'_>| {
                    writer.field("input_tokens", &usage.prompt.unwrap_or(0));
                    writer.field("output_tokens", &usage.completion.unwrap_or(0));
                };
                let billed = object(|writer| {
                    tokens(writer);
                    writer.some("search_units", usage.web_searches.as_ref());
                });
                writer.field("billed_units", &billed);
                writer.field("tokens", &object(tokens));
                writer.some("cached_tokens", usage.cached.as_ref());
            }
        }
        let is_number = serde_json::from_str::<serde_json::Number>(&cost.total).is_ok();
        writer.raw("cost", if is_number { &cost.total } else { "0" });
        writer.field("is_byok", &cost.is_byok);
    })
}

/// The fields of an upstream's ending that have no canonical place.
pub(super) fn write_rest(writer: &mut ObjectWriter<'_>, other: &[(String, Json)], kind: &str) {
    for (_, json) in other.iter().filter(|(known, _)| known == kind) {
        let fields = json.read::<Object<'_>>().unwrap_or_default();
        fields.0.iter().for_each(|(key, value)| writer.raw(key, value.get()));
    }
}

const KNOWN: [&str; 3] = ["finish_reason", "usage", "error"];

/// What the gateway says of money; an upstream's own word about it is not repeated.
const OURS: [&str; 2] = ["cost", "is_byok"];
