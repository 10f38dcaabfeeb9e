//! What the operator decides: a TOML file, the environment, and defaults that serve without
//! either. Invalid states do not parse; every limit is here.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Deserializer};

mod address;
pub mod catalog;
pub(crate) mod nearest;
mod plugins;

pub use plugins::{Breaker, OnError, PluginLimits, PluginSecret, PluginTable, Plugins};

/// Everything the operator decides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where and how clients are served.
    pub server: Server,
    /// How providers are reached.
    pub upstream: Upstream,
    /// Where keys, money and records are kept.
    pub store: Store,
    /// Who pays and when it is refused.
    pub billing: Billing,
    /// How often a key may ask.
    pub limits: Limits,
    /// Where plugins are and what they may use.
    pub plugins: Plugins,
    /// Documents that plugins may search.
    pub index: Index,
    /// One table per plugin, by id.
    pub plugin: BTreeMap<String, PluginTable>,
    /// Providers beside the shipped ones, and changes to those.
    pub provider: Vec<ProviderTable>,
    /// Models beside the shipped ones; one with a shipped model's id replaces it.
    pub model: Vec<wire::Model>,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Threads that serve, each with its own listener; 0 means one per core.
    pub threads: usize,
    /// Largest request body in bytes.
    pub body_bytes_max: usize,
    /// Largest form with a file (sound to write down) in bytes.
    pub upload_bytes_max: usize,
    /// Largest request head in bytes.
    pub head_bytes_max: usize,
    /// How long a client may take to send a request's head, and how long a connection may lie
    /// unused between two requests: HTTP/1 can't tell the two apart. Longer than clients keep
    /// theirs (90 s is usual), or they meet a closed one.
    pub head_ms: u64,
    /// How long a client may take to send a request's body.
    pub body_ms: u64,
    /// How long headers wait for a reply to begin before a comment is sent instead.
    pub first_comment_ms: u64,
    /// The pause between comments while nothing else is sent.
    pub comment_ms: u64,
    /// How long a client may take nothing of what is ready before it counts as gone.
    pub client_stall_ms: u64,
    /// Most requests in flight; one more is told to come back.
    pub requests_max: usize,
    /// How long running replies may go on after a stop signal.
    pub drain_ms: u64,
    /// Origins that browsers may call from; `*` is any.
    pub cors_origins: Vec<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            threads: 0,
            body_bytes_max: 32 << 20,
            upload_bytes_max: 25 << 20,
            head_bytes_max: 64 << 10,
            head_ms: 120_000,
            body_ms: 60_000,
            first_comment_ms: 2_000,
            comment_ms: 2_000,
            client_stall_ms: 60_000,
            requests_max: 20_000,
            drain_ms: 30_000,
            cors_origins: vec!["*".to_owned()],
        }
    }
}

/// `[upstream]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Upstream {
    /// How long a connection may take.
    pub connect_ms: u64,
    /// How long a reply's first event (or whole body) may take.
    pub first_token_ms: u64,
    /// How long a transcription may take.
    pub transcription_ms: u64,
    /// The longest silence within a reply.
    pub idle_ms: u64,
    /// The longest a whole generation may take.
    pub total_ms: u64,
    /// Largest event of a stream in bytes.
    pub event_bytes_max: usize,
    /// Largest reply that is not streamed in bytes.
    pub reply_bytes_max: usize,
    /// How long a reply whose client left is still read, where the provider bills it anyway.
    pub drain_ms: u64,
    /// Most requests that one with `n` becomes where the provider makes one reply at a time.
    pub fan_out_max: u32,
    /// A proxy for outbound requests (`http://…`, `https://…`, `socks5://…`); without it the
    /// usual environment variables count.
    pub proxy: Option<String>,
    /// A PEM file with further certificate authorities.
    pub ca_file: Option<PathBuf>,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            connect_ms: 10_000,
            first_token_ms: 300_000,
            transcription_ms: 60_000,
            idle_ms: 120_000,
            total_ms: 1_800_000,
            event_bytes_max: 16 << 20,
            reply_bytes_max: 64 << 20,
            drain_ms: 120_000,
            fan_out_max: 8,
            proxy: None,
            ca_file: None,
        }
    }
}

/// `[store]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// `sqlite:<file>`.
    pub url: String,
    /// Most writes that wait; more make their callers wait.
    pub queue_max: usize,
    /// How many days a reply is kept that a client asked to keep (`store: true` of the Responses
    /// API); 0: such requests are refused.
    pub responses_days: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self { url: "sqlite:patchbay.db".to_owned(), queue_max: 16_384, responses_days: 30 }
    }
}

/// `[billing]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Billing {
    /// Whether service needs credit.
    pub mode: BillingMode,
    /// How long a hold lives without being renewed.
    pub hold_ms: u64,
    /// Whether a model without a price may be used, for nothing.
    pub allow_unpriced: bool,
    /// Tokens assumed for a reply's worst case where neither request nor endpoint has a limit.
    pub output_tokens_assumed: u32,
}

impl Default for Billing {
    fn default() -> Self {
        Self {
            mode: BillingMode::Metered,
            hold_ms: 120_000,
            allow_unpriced: false,
            output_tokens_assumed: 16_384,
        }
    }
}

/// Whether service needs credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillingMode {
    /// Everything is counted, nothing is refused for want of credit.
    Metered,
    /// No credit, no service.
    Prepaid,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Generations a key may begin per window; 0 means no limit.
    pub requests: u32,
    /// The window in seconds.
    pub window_s: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests: 40, window_s: 10 }
    }
}

/// `[index]`: documents that plugins may search, indexed by `patchbay index add`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Index {
    /// The folder of the indexes.
    pub dir: PathBuf,
    /// Larger documents are refused, in bytes.
    pub document_bytes_max: u64,
    /// A passage is cut at the last border before this many characters.
    pub passage_chars: usize,
    /// Sentences of at most this many characters stand in both passages where a paragraph is cut.
    pub overlap_chars: usize,
    /// Memory that adding documents may take, in bytes.
    pub writer_bytes: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("index.d"),
            document_bytes_max: 16 << 20,
            passage_chars: 1_000,
            overlap_chars: 150,
            writer_bytes: 50_000_000,
        }
    }
}

/// `[[provider]]`: a new provider, or a change to a shipped one (then all but `slug` is optional).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `wire::Provider`")]
pub struct ProviderTable {
    pub slug: String,
    pub name: Option<String>,
    pub dialect: Option<String>,
    pub base_url: Option<String>,
    /// What stands in `base_url` as `{name}`.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    pub query: Option<BTreeMap<String, String>>,
    pub auth: Option<wire::Auth>,
    /// `env:NAME`, the credential itself, or `none`.
    pub credential: Option<Secret>,
    pub cancel: Option<bool>,
    pub quirks: Option<wire::Quirks>,
    /// Changes the shipped one key by key.
    pub policy: Option<wire::Policy>,
}

/// A secret: read from the environment when written `env:NAME`, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let Some(name) = text.strip_prefix("env:") else { return Ok(Self(text)) };
        let missing = || {
            let fix = "set it, or write the credential itself";
            serde::de::Error::custom(format!("the environment variable {name} is not set: {fix}"))
        };
        std::env::var(name).map(Self).map_err(|_| missing())
    }
}

impl Config {
    /// Reads a file; without one, the defaults.
    ///
    /// # Errors
    /// Names the file, the line, the key and the nearest valid one.
    pub fn read(path: Option<&Path>) -> Result<Self, anyhow::Error> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("can't read the configuration {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in the configuration {}", path.display()))
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// Names the line, the key and the nearest valid one.
    pub fn parse(text: &str) -> Result<Self, anyhow::Error> {
        let config: Self = toml::from_str(text)
            .map_err(|error| anyhow::anyhow!("{}", nearest::explain(&error.to_string())))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), anyhow::Error> {
        let positive = [
            ("server.requests_max", self.server.requests_max),
            ("server.body_bytes_max", self.server.body_bytes_max),
            ("server.upload_bytes_max", self.server.upload_bytes_max),
            ("upstream.event_bytes_max", self.upstream.event_bytes_max),
            ("store.queue_max", self.store.queue_max),
            ("plugins.generations_kept", self.plugins.generations_kept),
            ("plugins.per_request_max", self.plugins.per_request_max),
        ];
        for (name, value) in positive {
            anyhow::ensure!(value > 0, "{name} must be at least 1");
        }
        anyhow::ensure!(
            self.server.head_bytes_max >= 8192,
            "server.head_bytes_max must be at least 8192"
        );
        anyhow::ensure!(
            self.billing.hold_ms >= 1000,
            "billing.hold_ms must be at least 1000: a hold is renewed while its generation runs"
        );
        anyhow::ensure!(self.limits.window_s > 0, "limits.window_s must be at least 1");
        for (id, table) in &self.plugin {
            let limits = self.plugins.limits.with(&table.limits);
            limits.map_err(|error| anyhow::anyhow!("[plugin.{id}.limits]: {error}"))?;
            // Which of the two was meant, nobody can know: one refuses every request.
            let runs = [("always", table.always), ("default", table.default)];
            if let Some((name, _)) = runs.iter().find(|(_, is)| *is && table.enabled == Some(false))
            {
                anyhow::bail!(
                    "[plugin.{id}]: `{name} = true` runs it on every request, and `enabled = \
                     false` switches it off: remove one of them"
                );
            }
        }
        Ok(())
    }
}
