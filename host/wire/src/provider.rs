//! Providers are data: `providers/*.toml`, one file each, embedded. To add one that speaks a known
//! dialect, copy a neighbour; a wrong key fails `cargo test` with the list of valid ones.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::dialect::DIALECTS;
use crate::shipped::{DataError, shipped, unknown};

mod policy;

pub use policy::Policy;

/// The shipped providers, by slug.
pub fn providers() -> &'static [Provider] {
    &shipped().providers
}

/// A host that serves models over HTTP.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Lower-case name in routing preferences and configuration (`openai`).
    pub slug: String,
    /// Display name in replies (`OpenAI`).
    pub name: String,
    /// The dialect it speaks (`openai-chat`).
    pub dialect: String,
    /// Where paths begin, without a trailing slash (`https://api.openai.com/v1`). `{name}` stands
    /// for a variable, `{model}` for the upstream's name of the model.
    pub base_url: String,
    /// What stands in `base_url` and differs from one operator to the next, by name.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// Sent behind every path (`{ "api-version" = "2025-04-01-preview" }`).
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// How the credential is shown.
    #[serde(default)]
    pub auth: Auth,
    /// The environment variable people keep the credential in; several are tried in order.
    #[serde(default)]
    pub credential_env: Vec<String>,
    /// Whether closing the connection stops generation and billing.
    #[serde(default)]
    pub cancel: bool,
    /// What is odd about it.
    #[serde(default)]
    pub quirks: Quirks,
    /// What it does with what it is sent.
    #[serde(default)]
    pub policy: Policy,
}

impl Provider {
    /// Reads one provider's TOML and checks it.
    ///
    /// # Errors
    /// Names the key, what is wrong with it and the nearest valid one.
    pub fn parse(text: &str) -> Result<Self, DataError> {
        let provider: Self =
            toml::from_str(text).map_err(|error| DataError::of_toml(text, &error))?;
        provider.check()?;
        Ok(provider)
    }

    /// Checks what the types don't say.
    ///
    /// # Errors
    /// As [`Provider::parse`].
    pub fn check(&self) -> Result<(), DataError> {
        let wrong = |key: &str, problem: String| Err(DataError::new(key, problem));
        if !is_slug(&self.slug) {
            return wrong("slug", format!("`{}`: {SLUG_RULE}", self.slug));
        }
        if self.name.trim().is_empty() {
            return wrong("name", "must not be empty".to_owned());
        }
        let dialects = || DIALECTS.iter().map(|dialect| dialect.name());
        if !dialects().any(|name| name == self.dialect) {
            return wrong("dialect", unknown("dialect", &self.dialect, dialects()));
        }
        if let Some(problem) = wrong_url(&self.base_url) {
            return wrong("base_url", format!("`{}` {problem}", self.base_url));
        }
        for name in placeholders(&self.base_url) {
            if name != MODEL && !self.variables.contains_key(name) {
                return wrong("base_url", format!("`{{{name}}}` is none of `variables`"));
            }
        }
        for (name, variable) in &self.variables {
            if let Some(env) = variable.env.iter().find(|env| !is_variable(env)) {
                let key = format!("variables.{name}.env");
                return wrong(&key, format!("`{env}`: {VARIABLE_RULE}"));
            }
        }
        if let Auth::Header(name) = &self.auth
            && !is_header_name(name)
        {
            return wrong("auth.header", format!("`{name}` is no name of an HTTP header"));
        }
        for name in &self.credential_env {
            if !is_variable(name) {
                return wrong("credential_env", format!("`{name}`: {VARIABLE_RULE}"));
            }
        }
        for (name, value) in &self.quirks.headers {
            if !is_header_name(name) || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return wrong("quirks.headers", format!("`{name}: {value}` is no HTTP header"));
            }
        }
        if let Err((key, problem)) = self.policy.check() {
            return wrong(&format!("policy.{key}"), problem);
        }
        Ok(())
    }
}

/// How a credential is shown to a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// `Authorization: Bearer …`.
    #[default]
    Bearer,
    /// A header of this name.
    Header(String),
    /// Amazon's signature, version 4, for the region in the variable `region`. The credential is
    /// `ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]`; one without a colon is a key to show as it is.
    AwsSigv4 {
        /// The service's name in signatures (`bedrock`).
        service: String,
    },
    /// A token that Google gives for the credential, the JSON of a service account's key or the
    /// path of a file that holds it.
    GoogleServiceAccount,
    /// No credential.
    None,
}

/// A part of a provider's address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variable {
    /// Environment variables that people keep it in; several are tried in order.
    pub env: Vec<String>,
    /// What it is where nobody says.
    pub default: Option<String>,
}

/// The names in `{…}` of a text, in order.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// What is odd about a provider, as a closed list; a dialect reads what concerns it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    /// openai-chat: the token limit is called `max_completion_tokens` (OpenAI's newer models
    /// refuse `max_tokens`).
    pub max_completion_tokens: bool,
    /// openai-chat: usage comes only when `stream_options.include_usage` asks for it.
    pub stream_options: bool,
    /// openai-chat: the role `developer` is not known; it becomes `system`.
    pub no_developer_role: bool,
    /// openai-chat: `response_format: json_schema` is not known.
    pub no_json_schema: bool,
    /// openai-chat: speaks OpenRouter's `reasoning` object and `reasoning_details`.
    pub openrouter_reasoning: bool,
    /// openai-chat: `reasoning_content` of earlier turns is refused and must be left out.
    pub no_reasoning_input: bool,
    /// openai-chat: `seed` and penalties outside the common set are refused.
    pub strict_parameters: bool,
    /// openai-chat: OpenAI's `verbosity` and `prompt_cache_key` are known, as they are wherever
    /// `max_completion_tokens` is set.
    pub openai_parameters: bool,
    /// openai-chat: names of tool calls must be nine letters or digits; others are renamed:
    /// Mistral's.
    pub short_call_ids: bool,
    /// openai-chat: `strict` schemas must demand every member and allow no other: OpenAI's.
    pub strict_schemas: bool,
    /// openai-chat: how the provider is told to search the web; none: it can't.
    pub web_search: Option<SearchForm>,
    /// openai-completions: how a conversation is written as one text; none: ChatML. An endpoint
    /// may say otherwise.
    pub chat_template: Option<ChatTemplate>,
    /// openai-chat: embeddings take `input_type` (OpenAI's own refuse it).
    pub embed_input_type: bool,
    /// openai-chat: what `response_format` of pictures must say to get them in base64 (`b64_json`
    /// for most, `base64` for Together); OpenAI's own models refuse the field.
    pub image_response_format: Option<String>,
    /// Every dialect: `n` is not known, or only as 1.
    pub no_n: bool,
    /// Every dialect: headers sent with each request, by name.
    pub headers: Vec<(String, String)>,
}

/// How a provider that speaks openai-chat is told to search the web. OpenRouter's own tool needs
/// no form of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchForm {
    /// By `web_search_options`.
    Options,
    /// By `web_search_options`, and only models with `-search` in their names: OpenAI's.
    SearchModels,
    /// By `web_search_options` beside a list of domains of its own: Perplexity's.
    Perplexity,
}

/// How a conversation becomes one text for a model that only completes text: the family's markers
/// between the turns. The token that begins a text is left to the host, which adds it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatTemplate {
    /// `<|im_start|>`, `<|im_end|>`: Qwen and many others; tools as Hermes writes them.
    #[default]
    Chatml,
    /// Llama 3 to 3.3; tools as in Llama 3.1.
    Llama3,
    /// Mistral's `[INST]` with spaces, up to Mistral 7B v0.3 and Mixtral: system prompts go into
    /// the last user turn.
    MistralV3,
    /// Mistral's `[SYSTEM_PROMPT]` and `[INST]` without spaces (Small 3 and later).
    MistralV7,
    /// Gemma 1 to 3: no tools, the system prompt goes into the first user turn.
    Gemma,
    /// DeepSeek V2.5 and V3: no tools.
    Deepseek,
    /// No markers: texts with an empty line between them.
    Raw,
}

/// Whether a name may stand in addresses and configuration as it is.
pub(crate) fn is_slug(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.bytes().all(inner) && !text.is_empty() && !text.starts_with('-') && !text.ends_with('-')
}

fn wrong_url(url: &str) -> Option<&'static str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else { return Some("must begin with https:// (or http://)") };
    if rest.is_empty() || rest.starts_with('/') {
        return Some("names no host");
    }
    if url.ends_with('/') {
        return Some("must not end with `/`: paths are appended to it");
    }
    let odd = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'?' | b'#' | b'@');
    url.bytes().any(odd).then_some("must be an address without user, query or fragment")
}

fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_variable(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    name.bytes().all(inner) && name.starts_with(|first: char| first.is_ascii_uppercase())
}

/// The placeholder that is filled in for each request.
const MODEL: &str = "model";

const VARIABLE_RULE: &str = "capital letters, digits and `_`, like OPENAI_API_KEY";

pub(crate) const SLUG_RULE: &str = "lower-case letters and digits, joined by `-`";

#[cfg(test)]
mod tests;
