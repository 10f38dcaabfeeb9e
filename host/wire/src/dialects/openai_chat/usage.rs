//! Token counts: read in every host's variant, written in OpenRouter's full form with cost.

use serde_json::value::RawValue;

use super::emit::Object as Writer;
use super::shape::{Value, count};
use crate::chunk::Usage;
use crate::dialect::Cost;
use crate::json::Object;

/// Reads a `usage` object; `None` when it counts nothing.
pub(super) fn read(value: &RawValue) -> Option<Usage> {
    let usage = Object::parse(value.get()).ok()?;
    let inner = |name: &str| {
        let object = usage.field(name).and_then(|raw| Object::parse(raw.get()).ok());
        object.unwrap_or_default()
    };
    let (prompt, completion) = (inner("prompt_tokens_details"), inner("completion_tokens_details"));
    let tools = [inner("server_tool_use_details"), inner("server_tool_use")];
    let first = |values: &[Value<'_>]| values.iter().find_map(|value| count(*value));
    let mut read = Usage {
        prompt: first(&[usage.field("prompt_tokens"), usage.field("input_tokens")]),
        completion: first(&[usage.field("completion_tokens"), usage.field("output_tokens")]),
        // DeepSeek counts hits beside the details, Moonshot writes `cached_tokens` outside of them.
        cached: first(&[
            prompt.field("cached_tokens"),
            usage.field("prompt_cache_hit_tokens"),
            usage.field("cached_tokens"),
        ]),
        cache_write: first(&[prompt.field("cache_write_tokens")]),
        cache_write_1h: None,
        reasoning: first(&[completion.field("reasoning_tokens"), usage.field("reasoning_tokens")]),
        audio_prompt: first(&[prompt.field("audio_tokens")]),
        audio_completion: first(&[completion.field("audio_tokens")]),
        image_completion: first(&[completion.field("image_tokens")]),
        web_searches: first(&[
            tools[0].field("web_search_requests"),
            tools[1].field("web_search_requests"),
            usage.field("num_search_queries"),
        ]),
    };
    // xAI's completion leaves out the thought, which its total shows: total = prompt + completion
    // + reasoning.
    if let (Some(total), Some(prompt), Some(completion), Some(reasoning)) =
        (count(usage.field("total_tokens")), read.prompt, read.completion, read.reasoning)
        && reasoning > 0
        && total.checked_sub(prompt).and_then(|rest| rest.checked_sub(completion))
            == Some(reasoning)
    {
        read.completion = Some(completion + reasoning);
    }
    (read != Usage::default()).then_some(read)
}

/// Appends the `usage` object's fields.
pub(super) fn write(usage: &Usage, cost: &Cost, out: &mut Vec<u8>) {
    let (prompt, completion) = (usage.prompt.unwrap_or(0), usage.completion.unwrap_or(0));
    let written = usage.cache_write.unwrap_or(0).saturating_add(usage.cache_write_1h.unwrap_or(0));
    let mut object = Writer::begin(out);
    object.value("prompt_tokens", &prompt);
    object.value("completion_tokens", &completion);
    object.value("total_tokens", &prompt.saturating_add(completion));
    object.object("prompt_tokens_details", |details| {
        details.value("cached_tokens", &usage.cached.unwrap_or(0));
        details.value("cache_write_tokens", &written);
        details.optional("audio_tokens", usage.audio_prompt.as_ref());
    });
    object.object("completion_tokens_details", |details| {
        details.value("reasoning_tokens", &usage.reasoning.unwrap_or(0));
        details.optional("audio_tokens", usage.audio_completion.as_ref());
        details.optional("image_tokens", usage.image_completion.as_ref());
    });
    write_cost(cost, &mut object);
    if let Some(searches) = usage.web_searches.filter(|searches| *searches > 0) {
        object.object("server_tool_use_details", |details| {
            details.value("web_search_requests", &searches);
        });
    }
    object.end();
}

/// Appends the fields of a cost.
pub(super) fn write_cost(cost: &Cost, object: &mut Writer<'_>) {
    object.raw("cost", number(&cost.total));
    object.value("is_byok", &cost.is_byok);
    object.object("cost_details", |details| {
        // What the upstream charges by itself is known only when the account pays it directly.
        let upstream = cost.is_byok.then(|| sum(&cost.prompt, &cost.completion)).flatten();
        details.raw("upstream_inference_cost", upstream.as_deref().unwrap_or("null"));
        details.raw("upstream_inference_prompt_cost", number(&cost.prompt));
        details.raw("upstream_inference_completions_cost", number(&cost.completion));
    });
}

/// A decimal text as it stands, which is how money stays exact; `0` for what is no JSON number.
pub(in crate::dialects) fn number(text: &str) -> &str {
    let is_number = text.bytes().next().is_some_and(|byte| byte == b'-' || byte.is_ascii_digit())
        && serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get().len() == text.len());
    if is_number { text } else { "0" }
}

/// The sum of two plain decimal texts, exactly; `None` for what is too long or no plain decimal.
pub(in crate::dialects) fn sum(left: &str, right: &str) -> Option<String> {
    let ((left, left_scale), (right, right_scale)) = (scaled(left)?, scaled(right)?);
    let scale = left_scale.max(right_scale);
    let widen = |units: u128, from: u32| units.checked_mul(10u128.checked_pow(scale - from)?);
    let total = widen(left, left_scale)?.checked_add(widen(right, right_scale)?)?;
    let one = 10u128.checked_pow(scale)?;
    let (whole, fraction) = (total / one, total % one);
    if fraction == 0 {
        return Some(whole.to_string());
    }
    let width = usize::try_from(scale).ok()?;
    let digits = format!("{fraction:0width$}");
    Some(format!("{whole}.{}", digits.trim_end_matches('0')))
}

/// A plain decimal as units and how many digits stand after its point.
fn scaled(text: &str) -> Option<(u128, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    Some((format!("{whole}{fraction}").parse().ok()?, u32::try_from(fraction.len()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_keep_their_text_and_add_up_exactly() {
        assert_eq!(sum("0.1", "0.02").as_deref(), Some("0.12"));
        assert_eq!(sum("1", "0.00000000000000000001").as_deref(), Some("1.00000000000000000001"));
        assert_eq!(sum("0.5", "1.50").as_deref(), Some("2"));
        assert_eq!(sum("1e-6", "1"), None);
        assert_eq!(number("0.0000125000"), "0.0000125000");
        assert_eq!(number("NaN"), "0");
        assert_eq!(number(""), "0");
        assert_eq!(number("1,2"), "0");
    }

    #[test]
    fn every_hosts_usage_is_read() {
        let read = |text: &str| read(serde_json::from_str(text).unwrap());
        let usage = read(
            r#"{"prompt_tokens":12,"completion_tokens":2,"total_tokens":354,
                "completion_tokens_details":{"reasoning_tokens":340}}"#,
        );
        assert_eq!(usage.unwrap().completion, Some(342), "reasoning outside of the completion");
        let usage = read(r#"{"prompt_tokens":18.0,"completion_tokens":null,"cached_tokens":4}"#);
        let expected = Usage { prompt: Some(18), cached: Some(4), ..Usage::default() };
        assert_eq!(usage, Some(expected));
        assert_eq!(read(r#"{"queue_time":0.1}"#), None);
        assert_eq!(read("[]"), None);
    }
}
