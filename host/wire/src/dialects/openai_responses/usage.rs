//! Token counts: read in OpenAI's and xAI's form, written in OpenRouter's with cost.

use serde_json::value::RawValue;

use crate::chunk::Usage;
use crate::dialect::Cost;
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::dialects::openai_chat::shape::count;
use crate::dialects::openai_chat::usage::{number, sum};
use crate::json::Object;

/// Reads a `usage` object; `None` when it counts nothing.
pub(super) fn read(value: &RawValue) -> Option<Usage> {
    let usage = Object::parse(value.get()).ok()?;
    let inner = |name: &str| {
        let object = usage.field(name).and_then(|raw| Object::parse(raw.get()).ok());
        object.unwrap_or_default()
    };
    let (input, output) = (inner("input_tokens_details"), inner("output_tokens_details"));
    let searches = [
        inner("server_tool_use_details").field("web_search_requests"),
        inner("server_tool_use").field("web_search_requests"),
        inner("server_side_tool_usage_details").field("web_search_calls"),
    ];
    let mut read = Usage {
        prompt: count(usage.field("input_tokens")),
        completion: count(usage.field("output_tokens")),
        cached: count(input.field("cached_tokens")),
        cache_write: count(input.field("cache_write_tokens")),
        cache_write_1h: None,
        reasoning: count(output.field("reasoning_tokens")),
        audio_prompt: count(input.field("audio_tokens")),
        audio_completion: count(output.field("audio_tokens")),
        image_completion: count(output.field("image_tokens")),
        web_searches: searches.into_iter().find_map(count),
    };
    // Some of xAI's counts leave the thought out, which the total shows.
    if let (Some(total), Some(prompt), Some(completion), Some(reasoning)) =
        (count(usage.field("total_tokens")), read.prompt, read.completion, read.reasoning)
        && reasoning > 0
        && total.checked_sub(prompt).and_then(|rest| rest.checked_sub(completion))
            == Some(reasoning)
    {
        read.completion = Some(completion.saturating_add(reasoning));
    }
    (read != Usage::default()).then_some(read)
}

/// Appends the `usage` object.
pub(super) fn write(usage: &Usage, cost: &Cost, out: &mut Vec<u8>) {
    let (input, output) = (usage.prompt.unwrap_or(0), usage.completion.unwrap_or(0));
    let written = usage.cache_write.unwrap_or(0).saturating_add(usage.cache_write_1h.unwrap_or(0));
    let mut object = Writer::begin(out);
    object.value("input_tokens", &input);
    object.object("input_tokens_details", |details| {
        details.value("cached_tokens", &usage.cached.unwrap_or(0));
        details.value("cache_write_tokens", &written);
        details.optional("audio_tokens", usage.audio_prompt.as_ref());
    });
    object.value("output_tokens", &output);
    object.object("output_tokens_details", |details| {
        details.value("reasoning_tokens", &usage.reasoning.unwrap_or(0));
        details.optional("audio_tokens", usage.audio_completion.as_ref());
        details.optional("image_tokens", usage.image_completion.as_ref());
    });
    object.value("total_tokens", &input.saturating_add(output));
    object.raw("cost", number(&cost.total));
    object.value("is_byok", &cost.is_byok);
    object.object("cost_details", |details| {
        // What the upstream charges by itself is known only when the account pays it directly.
        let upstream = cost.is_byok.then(|| sum(&cost.prompt, &cost.completion)).flatten();
        details.raw("upstream_inference_cost", upstream.as_deref().unwrap_or("null"));
        details.raw("upstream_inference_input_cost", number(&cost.prompt));
        details.raw("upstream_inference_output_cost", number(&cost.completion));
    });
    if let Some(searches) = usage.web_searches.filter(|searches| *searches > 0) {
        object.object("server_tool_use_details", |details| {
            details.value("web_search_requests", &searches);
        });
    }
    object.end();
}
