//! When to try again, where the body says it.

use crate::dialects::openai_chat::shape::{list, word};
use crate::json::Object;

/// In fields of an error object: seconds, milliseconds, or Google's `RetryInfo`.
pub(super) fn in_fields(object: &Object<'_>) -> Option<u64> {
    let number = |name: &str, unit: f64| {
        let raw = object.field(name)?;
        let text = word(Some(raw)).unwrap_or_else(|| raw.get().to_owned());
        text.parse::<f64>().ok().and_then(|number| whole_ms(number * unit))
    };
    let google = || {
        list(object.field("details"))
            .into_iter()
            .find_map(|raw| duration_ms(&word(Object::parse(raw.get()).ok()?.field("retryDelay"))?))
    };
    number("retry_after_ms", 1.0)
        .or_else(|| number("retry_after", 1000.0))
        .or_else(|| number("retry_after_seconds", 1000.0))
        .or_else(google)
}

/// In words: `Please try again in 1m2.5s`.
pub(super) fn in_message(message: &str) -> Option<u64> {
    let lower = message.to_ascii_lowercase();
    let rest = PHRASES.iter().find_map(|phrase| lower.split_once(phrase)).map(|(_, rest)| rest)?;
    let text: String = rest.trim_start().chars().take(24).collect();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | ' ')));
    duration_ms(text.get(..end.unwrap_or(text.len()))?)
}

/// `34.4s`, `7m12s`, `20ms`, `3 seconds`; what follows the first that is no number ends it.
fn duration_ms(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: Option<f64> = None;
    loop {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let Ok(number) = rest.get(..digits)?.parse::<f64>() else { break };
        let tail = rest.get(digits..)?.trim_start();
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let unit = match tail.get(..letters)? {
            "ms" | "milliseconds" => 1.0,
            "s" | "sec" | "second" | "seconds" => 1000.0,
            "m" | "min" | "minute" | "minutes" => 60_000.0,
            "h" | "hour" | "hours" => 3_600_000.0,
            _ => break,
        };
        total = Some(total.unwrap_or(0.0) + number * unit);
        rest = tail.get(letters..)?.trim_start();
    }
    total.and_then(whole_ms)
}

/// Rounded up; nothing beyond a day is believed.
fn whole_ms(ms: f64) -> Option<u64> {
    let is_sane = (0.0..=86_400_000.0).contains(&ms);
    is_sane.then(|| format!("{:.0}", ms.ceil()).parse().ok()).flatten()
}

const PHRASES: [&str; 3] = ["try again in ", "retry after ", "retry in "];
