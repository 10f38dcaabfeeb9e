//! What is kept of a key and of a generation. Prompts and replies are not, but where a client asks
//! for it.

use ledger::{Limit, Money, Reset};
use serde::{Deserialize, Serialize};
use wire::PluginEntry;

/// A key that clients show us. The key itself is not kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct KeyRecord {
    /// SHA-256 of the key, in hex.
    pub(crate) hash: String,
    /// What people call it.
    pub(crate) name: String,
    /// The key with its middle left out, to tell it by.
    pub(crate) label: String,
    /// Whether it manages keys and credit, rather than asking for generations.
    pub(crate) is_management: bool,
    /// Whether it is refused.
    pub(crate) is_disabled: bool,
    /// The most it may spend.
    pub(crate) limit: Option<Money>,
    /// When that count restarts; none: never.
    pub(crate) limit_reset: Option<Reset>,
    /// Whether what is paid with a client's own credential counts, too.
    pub(crate) include_byok_in_limit: bool,
    /// Plugins of its requests, unless they say otherwise.
    pub(crate) plugins: Vec<PluginEntry>,
    /// When it was made, in milliseconds since 1970.
    pub(crate) created_at_ms: u64,
    /// When it was changed last, in milliseconds since 1970.
    pub(crate) updated_at_ms: u64,
    /// From when on it is refused, in milliseconds since 1970.
    pub(crate) expires_at_ms: Option<u64>,
}

impl KeyRecord {
    /// The limit in the ledger's form.
    pub(crate) fn spend_limit(&self) -> Option<Limit> {
        self.limit.map(|amount| Limit { amount, reset: self.limit_reset })
    }
}

/// A reply that a client asked to keep, with what it answered. Unlike every other record it holds
/// what was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ResponseRecord {
    /// `resp_…`
    pub(crate) id: String,
    /// The hash of the key that asked; nobody else may read it.
    pub(crate) key: String,
    /// The kept reply that it went on from.
    pub(crate) previous: Option<String>,
    /// From when on it is gone, in milliseconds since 1970.
    pub(crate) expires_at_ms: u64,
    /// What was asked in this turn: a JSON list of items.
    pub(crate) input: String,
    /// The reply, as the client saw it whole.
    pub(crate) body: String,
}

/// What is known of a generation after its end. Fields are OpenRouter's where it has them, with
/// units in their names; what does not apply is none or zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GenerationRecord {
    /// `gen-…`
    pub(crate) id: String,
    /// The hash of the key that asked.
    pub(crate) key: String,
    /// The provider's own id of the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upstream_id: Option<String>,
    /// When it began, in milliseconds since 1970.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) created_at_ms: u64,
    /// The model that answered.
    pub(crate) model: String,
    /// The display name of the provider that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) provider_name: Option<String>,
    /// Every attempt, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) provider_responses: Vec<ProviderResponse>,
    /// The plugins that took part, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) plugins: Vec<PluginUse>,
    /// What plugins asked of models, each with a record and a settlement of its own. Its cost is
    /// not in `total_cost`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) plugin_calls: Vec<PluginCall>,
    /// `completions`, `embeddings`, …
    pub(crate) api_type: String,
    /// Whether the client asked for a stream.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) streamed: bool,
    /// Whether the client left before the end.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) cancelled: bool,
    /// Why the model stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finish_reason: Option<String>,
    /// The same in the provider's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) native_finish_reason: Option<String>,
    /// What the client was told, when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// From the request to the first token, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_ms: Option<u64>,
    /// From the request to the end, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) generation_time_ms: Option<u64>,
    /// Tokens read, by the provider's count.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) native_tokens_prompt: u64,
    /// Tokens written, thought ones included.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) native_tokens_completion: u64,
    /// Of those: thought.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) native_tokens_reasoning: u64,
    /// Of those read: from the provider's cache.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) native_tokens_cached: u64,
    /// Of those read: written to the provider's cache, for however long.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) native_tokens_cache_write: u64,
    /// Of those written: pictures.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) native_tokens_completion_images: u64,
    /// Whether tokens were counted here, because the provider did not say.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) is_estimated: bool,
    /// Pictures and other media in the request.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) num_media_prompt: u64,
    /// Pictures and other media in the reply.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) num_media_completion: u64,
    /// Pieces of sound in the request.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) num_input_audio_prompt: u64,
    /// Web searches.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) num_search_results: u64,
    /// What was charged.
    #[serde(with = "nanos", skip_serializing_if = "is_default")]
    pub(crate) total_cost: Money,
    /// What the provider's cache saved; negative where writing it cost more.
    #[serde(with = "nanos", skip_serializing_if = "is_default")]
    pub(crate) cache_discount: Money,
    /// What the upstream charges the client directly, with the client's own credential.
    #[serde(with = "nanos", skip_serializing_if = "is_default")]
    pub(crate) upstream_inference_cost: Money,
    /// Whether the client's own credential was used.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) is_byok: bool,
    /// `HTTP-Referer` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http_referer: Option<String>,
    /// `X-Title` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app_title: Option<String>,
    /// `Origin` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<String>,
    /// `User-Agent` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_agent: Option<String>,
    /// The client's name for its user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_user: Option<String>,
    /// The client's name for its session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<String>,
    /// The tier that the provider served it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_tier: Option<String>,
}

/// One attempt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ProviderResponse {
    /// The provider's display name.
    pub(crate) provider_name: String,
    /// The model in the provider's words.
    pub(crate) model: String,
    /// The HTTP status; none when there was no reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// How long it took to begin or to fail, in milliseconds.
    pub(crate) latency_ms: u64,
    /// Whether the client's own credential was used.
    pub(crate) is_byok: bool,
}

/// A plugin that took part, exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PluginUse {
    /// Its id.
    pub(crate) id: String,
    /// Its version.
    pub(crate) version: String,
    /// SHA-256 of the `.wasm`, in hex.
    pub(crate) digest: String,
    /// Which installation since the gateway's start it was.
    pub(crate) generation: u64,
}

/// A model that a plugin asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PluginCall {
    /// The call's own id: the generation's with a number.
    pub(crate) id: String,
    /// The plugin.
    pub(crate) plugin: String,
    /// The model that answered.
    pub(crate) model: String,
    /// The display name of its provider.
    pub(crate) provider_name: String,
    /// Tokens read.
    pub(crate) tokens_prompt: u64,
    /// Tokens written.
    pub(crate) tokens_completion: u64,
    /// What was charged.
    #[serde(with = "nanos")]
    pub(crate) cost: Money,
}

/// What is left out of the kept text: most fields of most records.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Money as a whole number of nano-dollars.
mod nanos {
    use ledger::Money;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(money: &Money, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(money.nanos())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Money, D::Error> {
        i64::deserialize(from).map(Money::from_nanos)
    }
}
