//! What the operator decides about plugins: where they are, what each may use, call and reach.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Secret, nearest};

/// `[plugins]`: where plugins are and how they are loaded.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plugins {
    /// The watched folder; an empty name watches none.
    pub dir: PathBuf,
    /// Where compiled plugins are kept, readable by this user alone; without it
    /// `$XDG_CACHE_HOME/patchbay` or `~/.cache/patchbay`. An empty name keeps none.
    pub cache_dir: Option<PathBuf>,
    /// Plugin instances alive at once, over all generations.
    pub instances_max: u32,
    /// Of those: instances of plugins that may wait, which each have a stack of their own.
    pub waiting_max: u32,
    /// Instances alive at once of a plugin that may use more memory than the others: it has a
    /// pool of its own.
    pub large_instances_max: u32,
    /// Largest `.wasm` in bytes.
    pub wasm_bytes_max: usize,
    /// How long compiling a plugin may take.
    pub compile_ms: u64,
    /// Memory that compiling a plugin may take, in bytes.
    pub compile_bytes_max: u64,
    /// How long a plugin's own cases may run before it is installed.
    pub self_test_ms: u64,
    /// Most plugins on one request.
    pub per_request_max: usize,
    /// Most calls of tools that plugins run on one request; `max_tool_calls` asks for fewer.
    pub tool_calls_max: u32,
    /// Versions kept of each plugin, the current one included: for requests in flight, for going
    /// back, and for when the current one breaks.
    pub generations_kept: usize,
    /// When a version of a plugin counts as broken.
    pub breaker: Breaker,
    /// What each plugin may use; `[plugin.<id>.limits]` changes it for one.
    pub limits: PluginLimits,
}

impl Default for Plugins {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("plugins.d"),
            cache_dir: None,
            instances_max: 4_000,
            waiting_max: 1_000,
            large_instances_max: 64,
            wasm_bytes_max: 32 << 20,
            compile_ms: 30_000,
            compile_bytes_max: 2 << 30,
            self_test_ms: 10_000,
            per_request_max: 16,
            tool_calls_max: 30,
            generations_kept: 3,
            breaker: Breaker::default(),
            limits: PluginLimits::default(),
        }
    }
}

/// `[plugins.breaker]`: a version that fails that often is passed over for the one before it, or
/// for a while when there is none.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Breaker {
    /// So many generations must have failed within the window…
    pub failures: u16,
    /// …and so many of a hundred.
    pub percent: u8,
    /// The window.
    pub window_ms: u32,
    /// How long a broken version without one before it is passed over until it is tried again.
    pub pause_ms: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 5, percent: 50, window_ms: 10_000, pause_ms: 30_000 }
    }
}

/// `[plugins.limits]` and `[plugin.<id>.limits]`: what an instance, which lives for one
/// generation, may use. A plugin may ask for less in its description (`cpu-ms`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PluginLimits {
    /// CPU per hook call.
    pub cpu_ms: u64,
    /// How long a hook call that waits (for `http`, `models`, `search`) may take in all.
    pub wall_ms: u64,
    /// Linear memory in bytes.
    pub memory_bytes: u64,
    /// Entries in its tables of functions.
    pub table_elements: u64,
    /// Handles it may hold at once.
    pub handles: u64,
    /// Bytes that one call to the host may carry.
    pub call_bytes: u64,
    /// Bytes a stream hook may hold back.
    pub held_bytes: u64,
    /// How long a stream hook may hold something back.
    pub held_ms: u64,
    /// A hook's output in bytes, as a multiple of its input plus 64 KiB.
    pub expansion: u64,
    /// Log lines.
    pub log_lines: u64,
    /// Bytes per log line.
    pub log_line_bytes: u64,
    /// Bytes of state, over all instances of the plugin.
    pub state_bytes: u64,
    /// Bytes of one state value.
    pub state_value_bytes: u64,
    /// Requests by `http`, redirects included.
    pub http_calls: u64,
    /// Bytes that one of them may bring.
    pub http_bytes: u64,
    /// How long one of them may take.
    pub http_ms: u64,
    /// Calls by `models`.
    pub model_calls: u64,
    /// What they may cost, in nano-dollars.
    pub model_nanos: u64,
    /// Queries by `search`.
    pub searches: u64,
    /// Entries by `report`; what is over is dropped.
    pub stages: u64,
    /// What it may charge by `bill`, in nano-dollars.
    pub charge_nanos: u64,
}

impl Default for PluginLimits {
    fn default() -> Self {
        Self {
            cpu_ms: 50,
            wall_ms: 30_000,
            memory_bytes: 64 << 20,
            table_elements: 20_000,
            handles: 1_000,
            call_bytes: 64 << 20,
            held_bytes: 64 << 10,
            held_ms: 10_000,
            expansion: 16,
            log_lines: 64,
            log_line_bytes: 8 << 10,
            state_bytes: 1 << 20,
            state_value_bytes: 64 << 10,
            http_calls: 16,
            http_bytes: 4 << 20,
            http_ms: 10_000,
            model_calls: 8,
            model_nanos: 100_000_000,
            searches: 16,
            stages: 32,
            charge_nanos: 1_000_000_000,
        }
    }
}

impl PluginLimits {
    /// These, with what one plugin's table changes.
    ///
    /// # Errors
    /// Names what is no limit, with the nearest one that is.
    pub fn with(&self, changes: &toml::Table) -> Result<Self, String> {
        let mut all = toml::Table::try_from(self).map_err(|error| error.to_string())?;
        all.extend(changes.clone());
        all.try_into().map_err(|error: toml::de::Error| nearest::explain(&error.to_string()))
    }

    /// Lowers a limit to what a plugin asked for, by the name in its description (`cpu-ms`).
    /// A higher value changes nothing.
    ///
    /// # Errors
    /// Names what is no limit.
    pub fn lower(&self, name: &str, value: u64) -> Result<Self, String> {
        let all = toml::Table::try_from(self).map_err(|error| error.to_string())?;
        let now = all.get(&name.replace('-', "_")).and_then(toml::Value::as_integer);
        let now = now.and_then(|now| u64::try_from(now).ok()).unwrap_or(0);
        self.set(name, value.min(now))
    }

    /// Sets a limit, by the same name.
    ///
    /// # Errors
    /// Names what is no limit.
    pub fn set(&self, name: &str, value: u64) -> Result<Self, String> {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.with(&toml::Table::from_iter([(name.replace('-', "_"), value.into())]))
    }
}

/// `[plugin.<id>]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PluginTable {
    /// Runs on every request; a request can't switch it off.
    pub always: bool,
    /// Runs on every request that does not switch it off.
    pub default: bool,
    /// `false` refuses requests that name it.
    pub enabled: Option<bool>,
    /// Options under those of the request. A plugin that they do not fit is not loaded.
    pub options: toml::Table,
    /// What its failure means; without it `closed` for a guard, else `open`.
    pub on_error: Option<OnError>,
    /// What it may reach, of what it wants: `http=https://api.exa.ai`, `secrets=EXA_KEY`,
    /// `models=openai/*`, `search=docs`. Where it is left out, a shipped plugin may reach what it
    /// wants, and any other nothing.
    pub grant: Option<Vec<String>>,
    /// Secrets, by the name that the plugin uses.
    pub secrets: BTreeMap<String, PluginSecret>,
    /// What its own units cost the client, in USD each (`search-exa = "0.007"`).
    pub prices: BTreeMap<String, String>,
    /// Where its limits differ from `[plugins.limits]`.
    pub limits: toml::Table,
}

/// What a plugin's failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// The generation goes on without it.
    Open,
    /// The generation ends with an error.
    Closed,
}

/// A secret that the host puts into a plugin's outgoing requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginSecret {
    /// `env:NAME`, or the secret itself.
    pub value: Secret,
    /// Where it may be sent: `https://api.exa.ai`.
    pub hosts: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugins_table_changes_the_limits_it_names() {
        let all = PluginLimits::default();
        let one = all.with(&toml::from_str("cpu_ms = 900").unwrap()).unwrap();
        assert_eq!(one, PluginLimits { cpu_ms: 900, ..all.clone() });
        let error = all.with(&toml::from_str("cpu_s = 1").unwrap()).unwrap_err();
        assert!(error.contains("did you mean `cpu_ms`?"), "{error}");
    }

    #[test]
    fn a_plugin_can_only_ask_for_less() {
        let all = PluginLimits::default();
        assert_eq!(all.lower("cpu-ms", 5).unwrap().cpu_ms, 5);
        assert_eq!(all.lower("cpu-ms", u64::MAX).unwrap(), all);
        assert!(all.lower("luck", 1).unwrap_err().contains("`luck`"));
    }
}
