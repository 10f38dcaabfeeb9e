//! Prices as the API shows them: USD per token or per unit, as exact decimal text. A kind without a
//! price of its own is left out; it costs what its general kind costs.

use ledger::Kind;
use serde_json::{Map, Value, json};

use crate::config::catalog::Endpoint;

/// An endpoint's prices by OpenRouter's names. Pictures read are tokens of the prompt, so `image`
/// is nothing beside them; an endpoint that is served without a price costs nothing.
pub(super) fn of(endpoint: Option<&Endpoint>) -> Value {
    let mut named = Map::new();
    for name in ["prompt", "completion", "request", "image"] {
        named.insert(name.to_owned(), json!("0"));
    }
    let Some((endpoint, price)) = endpoint.and_then(|it| Some((it, it.price.as_ref()?))) else {
        return Value::Object(named);
    };
    for (kind, name) in NAMES {
        if endpoint.offer.price.contains_key(kind.as_str()) {
            named.insert(name.to_owned(), Value::String(price.per_token_usd(kind)));
        }
    }
    Value::Object(named)
}

/// Prices compare as a million of them do.
pub(super) const MILLION: u64 = 1_000_000;

const NAMES: [(Kind, &str); 15] = [
    (Kind::Prompt, "prompt"),
    (Kind::Completion, "completion"),
    (Kind::Request, "request"),
    (Kind::ImageCompletion, "image_output"),
    (Kind::AudioPrompt, "audio"),
    (Kind::AudioCompletion, "audio_output"),
    (Kind::WebSearch, "web_search"),
    (Kind::InternalReasoning, "internal_reasoning"),
    (Kind::CacheRead, "input_cache_read"),
    (Kind::CacheWrite, "input_cache_write"),
    (Kind::CacheWrite1h, "input_cache_write_1h"),
    (Kind::Character, "character"),
    (Kind::Second, "second"),
    (Kind::Image, "output_image"),
    (Kind::SearchUnit, "search_unit"),
];
