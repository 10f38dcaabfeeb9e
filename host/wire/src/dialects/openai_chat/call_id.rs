//! Names of tool calls for hosts that are particular about them. A call and its result are renamed
//! alike, and the same name becomes the same wherever it stands, so that prompt caches hold.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::emit::{self, Object as Writer};
use super::message_write::Rules;
use super::shape::{list, text};
use crate::json::{Json, Object};

/// The name that the upstream is told.
pub(super) fn write<'i>(id: &'i str, rules: &Rules<'_>) -> Cow<'i, str> {
    let is_fit = id.len() == LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_fit || !rules.to.quirks.short_call_ids {
        return Cow::Borrowed(id);
    }
    // FNV-1a: 64 bits are more than nine letters hold, and a conversation has few calls.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut rest = hash;
    let mut name = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        let digit = usize::try_from(rest % 62).unwrap_or_default();
        name.push(char::from(DIGITS.get(digit).copied().unwrap_or(b'0')));
        rest /= 62;
    }
    Cow::Owned(name)
}

/// A client's `tool_call_id` or `tool_calls` with the names that the upstream is told; `None` when
/// they stay.
pub(super) fn patch(field: &str, value: &RawValue, rules: &Rules<'_>) -> Option<String> {
    if !rules.to.quirks.short_call_ids {
        return None;
    }
    match field {
        "tool_call_id" => renamed(value, rules),
        "tool_calls" => {
            let calls = list(Some(value));
            let mut is_changed = false;
            let mut out = Vec::new();
            emit::list(&mut out, calls, |call, out| {
                let fields = Object::parse(call.get()).unwrap_or_default();
                let id = fields.field("id").and_then(|id| renamed(id, rules));
                is_changed |= id.is_some();
                let mut object = Writer::begin(out);
                for (name, value) in &fields.0 {
                    let id = id.as_deref().filter(|_| name == "id");
                    object.raw(name, id.unwrap_or(value.get()));
                }
                object.end();
            });
            String::from_utf8(out).ok().filter(|_| is_changed)
        }
        _ => None,
    }
}

fn renamed(value: &RawValue, rules: &Rules<'_>) -> Option<String> {
    let id = text(Some(value))?;
    let new = write(&id, rules);
    (new != id).then(|| Json::of(&new).as_str().to_owned())
}

/// Mistral's length: <https://docs.mistral.ai/capabilities/function_calling>.
const LENGTH: usize = 9;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
