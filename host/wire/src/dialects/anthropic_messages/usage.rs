//! Token counts in both directions. Anthropic counts cached and written tokens beside
//! `input_tokens`; canonically they are part of the prompt. A count that is not a number counts
//! as not reported, for a wrong count must not end a good reply.

use serde::Deserialize;

use super::json_text::{ObjectWriter, object};
use crate::chunk::Usage;
use crate::dialect::Cost;
use crate::json::{Json, Object};

/// Puts together the counts of one reply: later reports replace what they name.
#[derive(Debug, Default)]
pub(super) struct Meter {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_creation: Option<u64>,
    one_hour: Option<u64>,
    thinking: Option<u64>,
    searches: Option<u64>,
    compaction: Iteration,
}

impl Meter {
    /// Takes a usage object and returns all that is known by now.
    pub(super) fn read(&mut self, json: &str) -> Usage {
        let report: Report = serde_json::from_str(json).unwrap_or_default();
        self.input = report.input_tokens.or(self.input);
        self.output = report.output_tokens.or(self.output);
        self.cache_read = report.cache_read_input_tokens.or(self.cache_read);
        self.cache_creation = report.cache_creation_input_tokens.or(self.cache_creation);
        let one_hour = report.cache_creation.and_then(|split| split.ephemeral_1h_input_tokens);
        self.one_hour = one_hour.or(self.one_hour);
        let thinking = report.output_tokens_details.and_then(|details| details.thinking_tokens);
        self.thinking = thinking.or(self.thinking);
        let searches = report.server_tool_use.and_then(|uses| uses.web_search_requests);
        self.searches = searches.or(self.searches);
        if let Some(iterations) = report.iterations {
            self.compaction = compaction_of(&iterations);
        }
        self.usage()
    }

    fn usage(&self) -> Usage {
        // The totals leave compaction out, though it is billed at the same price. Iterations by
        // other models (an advisor, a fallback) have prices of their own and stay out.
        let more = &self.compaction;
        let cached = sum(self.cache_read, more.cache_read_input_tokens);
        let written = sum(self.cache_creation, more.cache_creation_input_tokens);
        // 5 minutes + 1 hour == written; a split that claims more is cut.
        let one_hour = self.one_hour.map(|hour| hour.min(written.unwrap_or(hour)));
        let beside = cached.unwrap_or(0).saturating_add(written.unwrap_or(0));
        let input = sum(self.input, more.input_tokens);
        Usage {
            prompt: input.map(|input| input.saturating_add(beside)),
            completion: sum(self.output, more.output_tokens),
            cached,
            cache_write: written.map(|all| all.saturating_sub(one_hour.unwrap_or(0))),
            cache_write_1h: one_hour,
            reasoning: self.thinking,
            web_searches: self.searches,
            ..Usage::default()
        }
    }
}

/// Writes the usage object of a finished reply, with what it costs. `upstream` is the upstream's
/// own object where it spoke this dialect: it knows more than the canonical counts.
pub(super) fn usage_with_cost(usage: &Usage, upstream: Option<&Json>, cost: &Cost) -> Json {
    let upstream = upstream.and_then(|json| json.read::<Object<'_>>().ok());
    object(|writer| {
        match upstream {
            Some(fields) => {
                let own = |key: &str| COST_FIELDS.contains(&key);
                let theirs = fields.0.iter().filter(|(key, _)| !own(key));
                theirs.for_each(|(key, value)| writer.raw(key, value.get()));
            }
            None => counts(writer, usage),
        }
        number(writer, "cost", &cost.total);
        writer.field("is_byok", &cost.is_byok);
        let details = object(|writer| {
            // What the upstream charges is told only where the account pays it directly.
            let upstream = cost.is_byok.then(|| add(&cost.prompt, &cost.completion)).flatten();
            writer.raw("upstream_inference_cost", upstream.as_deref().unwrap_or("null"));
            number(writer, "upstream_inference_prompt_cost", &cost.prompt);
            number(writer, "upstream_inference_completions_cost", &cost.completion);
        });
        writer.field("cost_details", &details);
    })
}

/// Writes the usage object of a `message_start`.
pub(super) fn usage_so_far(usage: &Usage) -> Json {
    object(|writer| counts(writer, usage))
}

fn counts(writer: &mut ObjectWriter<'_>, usage: &Usage) {
    let five_minutes = usage.cache_write.unwrap_or(0);
    let one_hour = usage.cache_write_1h.unwrap_or(0);
    let written = five_minutes.saturating_add(one_hour);
    let cached = usage.cached.unwrap_or(0);
    let beside = cached.saturating_add(written);
    writer.field("input_tokens", &usage.prompt.unwrap_or(0).saturating_sub(beside));
    writer.field("cache_creation_input_tokens", &written);
    writer.field("cache_read_input_tokens", &cached);
    let split = object(|writer| {
        writer.field("ephemeral_5m_input_tokens", &five_minutes);
        writer.field("ephemeral_1h_input_tokens", &one_hour);
    });
    writer.field("cache_creation", &split);
    writer.field("output_tokens", &usage.completion.unwrap_or(0));
    let details = usage
        .reasoning
        .map(|reasoning| object(|writer| writer.field("thinking_tokens", &reasoning)));
    writer.field("output_tokens_details", &details);
    let uses = usage.web_searches.map(|searches| {
        object(|writer| {
            writer.field("web_search_requests", &searches);
            writer.field("web_fetch_requests", &0);
        })
    });
    writer.field("server_tool_use", &uses);
    writer.raw("inference_geo", "null");
    writer.field("service_tier", "standard");
}

/// A decimal text as a JSON number, digits unchanged; `0` if it isn't one.
fn number(writer: &mut ObjectWriter<'_>, key: &str, decimal: &str) {
    let is_number = serde_json::from_str::<serde_json::Number>(decimal).is_ok();
    writer.raw(key, if is_number { decimal } else { "0" });
}

/// The sum of two decimal texts, exactly; `None` for signs, exponents and more than 38 digits.
fn add(left: &str, right: &str) -> Option<String> {
    let split = |text: &str| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_decimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let fits = !whole.is_empty() && is_decimal(whole) && is_decimal(fraction);
        fits.then(|| (whole.to_owned(), fraction.to_owned()))
    };
    let ((left, left_fraction), (right, right_fraction)) = (split(left)?, split(right)?);
    let places = left_fraction.len().max(right_fraction.len());
    let scaled = |whole: &str, fraction: &str| format!("{whole}{fraction:0<places$}").parse().ok();
    let left: u128 = scaled(&left, &left_fraction)?;
    let total = left.checked_add(scaled(&right, &right_fraction)?)?;
    let digits = format!("{total:0>width$}", width = places.saturating_add(1));
    let (whole, fraction) = digits.split_at_checked(digits.len().saturating_sub(places))?;
    Some(if places == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

fn sum(count: Option<u64>, more: Option<u64>) -> Option<u64> {
    match (count, more) {
        (Some(count), Some(more)) => Some(count.saturating_add(more)),
        (count, more) => count.or(more),
    }
}

fn compaction_of(iterations: &[Iteration]) -> Iteration {
    let mut total = Iteration::default();
    for one in iterations.iter().filter(|one| one.kind.as_deref() == Some("compaction")) {
        total.input_tokens = sum(total.input_tokens, one.input_tokens);
        total.output_tokens = sum(total.output_tokens, one.output_tokens);
        total.cache_read_input_tokens =
            sum(total.cache_read_input_tokens, one.cache_read_input_tokens);
        total.cache_creation_input_tokens =
            sum(total.cache_creation_input_tokens, one.cache_creation_input_tokens);
    }
    total
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Report {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens_details: Option<OutputDetails>,
    server_tool_use: Option<ServerToolUse>,
    iterations: Option<Vec<Iteration>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServerToolUse {
    web_search_requests: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Iteration {
    #[serde(rename = "type")]
    kind: Option<String>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

/// What the gateway says about money; an upstream's own word about it is not repeated.
const COST_FIELDS: [&str; 3] = ["cost", "cost_details", "is_byok"];

#[cfg(test)]
mod tests {
    use super::add;

    #[test]
    fn decimals_are_added_exactly() {
        let cases = [
            ("0.001", "0.0020", Some("0.0030")),
            ("0.1", "0.2", Some("0.3")),
            ("9.99", "0.01", Some("10.00")),
            ("3", "4", Some("7")),
            ("0", "0.5", Some("0.5")),
            ("1e3", "1", None),
            ("", "1", None),
        ];
        for (left, right, expected) in cases {
            assert_eq!(add(left, right).as_deref(), expected, "{left} + {right}");
        }
    }
}
