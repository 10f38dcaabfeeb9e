//! Token counts. Bedrock counts what was read from and written to the cache beside `inputTokens`;
//! ours includes them.

use serde::Deserialize;

use crate::chunk::Usage;
use crate::json::Json;
use crate::json_text::object;

/// Reads a usage object; what is not a count is not reported.
pub(super) fn read(json: &str) -> Usage {
    let report: Report = serde_json::from_str(json).unwrap_or_default();
    let written = report.cache_write_input_tokens;
    let of_hour = report.cache_details.iter().flatten().filter(|row| row.ttl == "1h");
    let of_hour: Vec<u64> = of_hour.map(|row| row.input_tokens).collect();
    let hour = (!of_hour.is_empty())
        .then(|| of_hour.iter().fold(0u64, |sum, count| sum.saturating_add(*count)));
    // 5 minutes + 1 hour == written; a split that claims more is cut.
    let hour = hour.map(|hour| hour.min(written.unwrap_or(hour)));
    let beside = report.cache_read_input_tokens.unwrap_or(0).saturating_add(written.unwrap_or(0));
    Usage {
        prompt: report.input_tokens.map(|input| input.saturating_add(beside)),
        completion: report.output_tokens,
        cached: report.cache_read_input_tokens,
        cache_write: written.map(|all| all.saturating_sub(hour.unwrap_or(0))),
        cache_write_1h: hour,
        ..Usage::default()
    }
}

/// Writes a usage object.
pub(super) fn write(usage: &Usage) -> Json {
    let five_minutes = usage.cache_write.unwrap_or(0);
    let hour = usage.cache_write_1h.unwrap_or(0);
    let written = five_minutes.saturating_add(hour);
    let cached = usage.cached.unwrap_or(0);
    let prompt = usage.prompt.unwrap_or(0);
    let completion = usage.completion.unwrap_or(0);
    object(|writer| {
        let beside = cached.saturating_add(written);
        writer.field("inputTokens", &prompt.saturating_sub(beside));
        writer.field("outputTokens", &completion);
        writer.field("totalTokens", &prompt.saturating_add(completion));
        if usage.cached.is_some() || usage.cache_write.is_some() || usage.cache_write_1h.is_some() {
            writer.field("cacheReadInputTokens", &cached);
            writer.field("cacheWriteInputTokens", &written);
        }
        if written > 0 {
            let rows = [("1h", hour), ("5m", five_minutes)];
            let rows = rows.iter().filter(|(_, count)| *count > 0).map(|(ttl, count)| {
                object(|writer| {
                    writer.field("ttl", ttl);
                    writer.field("inputTokens", count);
                })
            });
            writer.field("cacheDetails", &rows.collect::<Vec<_>>());
        }
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Report {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
    cache_details: Option<Vec<Detail>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    ttl: String,
    input_tokens: u64,
}
