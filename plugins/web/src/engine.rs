//! Search engines behind one interface.
//!
//! To add one: a file in `engine/` with an `Engine`, its line in `OURS`, its name in
//! `options.json`, its host and secret in `describe`, and a case with a reply in its documented
//! format.

mod brave;
mod exa;
mod local;
mod searxng;
mod tavily;

use patchbay_sdk::catalog::Model;
use patchbay_sdk::http::Request;
use patchbay_sdk::{Error, secrets, warn};

use crate::settings::Settings;

/// Something that finds pages.
pub(crate) trait Engine {
    /// What requests and bills call it.
    fn name(&self) -> &'static str;

    /// The secret that it needs.
    fn secret(&self) -> Option<&'static str> {
        None
    }

    /// Whether it has all that it needs.
    fn is_ready(&self, _: &Settings) -> bool {
        self.secret().is_none_or(secrets::exists)
    }

    /// Whether its results may be files rather than pages of the web.
    fn finds_files(&self) -> bool {
        false
    }

    /// The best results first, about as many as asked for.
    ///
    /// # Errors
    /// Whatever kept it from searching.
    fn search(&self, ask: &Ask<'_>) -> Result<Vec<Found>, Error>;
}

/// A question to an engine.
pub(crate) struct Ask<'a> {
    pub(crate) query: &'a str,
    pub(crate) count: usize,
    pub(crate) settings: &'a Settings,
}

/// A result of an engine.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Found {
    pub(crate) url: String,
    pub(crate) title: String,
    /// What the engine gives of the page.
    pub(crate) text: String,
    /// Whether that is only a line or two, so that the page itself is worth fetching.
    pub(crate) is_snippet: bool,
    pub(crate) date: Option<String>,
}

/// Who searches.
pub(crate) enum Choice {
    /// The model's provider.
    Native,
    Ours(&'static dyn Engine),
}

/// Chooses who searches for this model. The tool falls back where the model can't, as it does at
/// OpenRouter; the plugin says so.
///
/// # Errors
/// A choice that nobody can follow, in a sentence that names the fix.
pub(crate) fn choose(
    settings: &Settings,
    model: Option<&Model>,
    is_tool: bool,
) -> Result<Choice, String> {
    let can_search = model.is_some_and(|model| model.supports("web_search_options"));
    let id = model.map_or("this model", |model| model.id.as_str());
    match settings.engine.as_deref().unwrap_or("auto") {
        "auto" if can_search && limits_natively(id, settings) => Ok(Choice::Native),
        "auto" => Ok(Choice::Ours(first(settings))),
        "native" if can_search && is_unlimited(id) && has_domains(settings) => Err(format!(
            "{id} searches everywhere: leave `include_domains` and `exclude_domains` out, or `engine`"
        )),
        "native" if can_search => Ok(Choice::Native),
        "native" if is_tool => Ok(Choice::Ours(first(settings))),
        "native" => {
            Err(format!("{id} does not search the web itself: leave `engine` out, or name another"))
        }
        name @ ("firecrawl" | "parallel" | "perplexity") => {
            Err(format!("the engine `{name}` is not available here: {NAMES}"))
        }
        name => {
            let engine = OURS.iter().copied().find(|engine| engine.name() == name);
            let engine = engine
                .ok_or_else(|| format!("there is no engine `{}`: {NAMES}", name.escape_debug()))?;
            if engine.is_ready(settings) {
                return Ok(Choice::Ours(engine));
            }
            Err(not_set_up(engine, settings))
        }
    }
}

/// Why an engine that was named can't be had, for the client. What to set is for the log.
fn not_set_up(engine: &dyn Engine, settings: &Settings) -> String {
    let name = engine.name();
    let fix = match engine.secret() {
        Some(secret) => {
            warn!("the engine `{name}` was asked for; it needs [plugin.web.secrets.{secret}]");
            "use"
        }
        None => "set `searxng_url`, or use",
    };
    let ready = OURS.iter().filter(|engine| engine.is_ready(settings));
    let ready: Vec<String> = ready.map(|engine| format!("`{}`", engine.name())).collect();
    format!(
        "the engine `{name}` is not set up here: {fix} {}, or leave `engine` out",
        ready.join(", ")
    )
}

/// The first that has what it needs. The local index needs nothing.
fn first(settings: &Settings) -> &'static dyn Engine {
    let ready = OURS.iter().copied().find(|engine| engine.is_ready(settings));
    ready.unwrap_or(&local::Local)
}

fn has_domains(settings: &Settings) -> bool {
    !settings.include_domains.is_empty() || !settings.exclude_domains.is_empty()
}

/// Whether the provider can be held to the sites that are wanted. Wildcards and paths it can't.
fn limits_natively(id: &str, settings: &Settings) -> bool {
    let lists = [&settings.include_domains, &settings.exclude_domains];
    let is_plain = lists.into_iter().flatten().all(|domain| !domain.contains(['*', '/']));
    let takes_lists = id.starts_with("anthropic/") || id.starts_with("perplexity/");
    let is_one = lists.into_iter().any(Vec::is_empty);
    !has_domains(settings) || (takes_lists && is_plain && is_one)
}

/// Google's search takes no domains.
fn is_unlimited(id: &str) -> bool {
    id.starts_with("google/")
}

/// A query that names sites the way search engines read it, for engines without a list of them.
fn with_sites(ask: &Ask<'_>) -> String {
    let bare = |domain: &String| domain.trim_start_matches("*.").to_owned();
    let only = ask.settings.include_domains.iter().take(SITES_MAX).map(bare);
    let only: Vec<String> = only.map(|domain| format!("site:{domain}")).collect();
    let never = ask.settings.exclude_domains.iter().take(SITES_MAX).map(bare);
    let mut query = ask.query.to_owned();
    match only.as_slice() {
        [] => {}
        [one] => query.push_str(&format!(" {one}")),
        several => query.push_str(&format!(" ({})", several.join(" OR "))),
    }
    never.for_each(|domain| query.push_str(&format!(" -site:{domain}")));
    query
}

/// A request to an engine, as patient and as bounded as all are.
fn bounded(request: Request) -> Request {
    request.timeout_ms(TIMEOUT_MS).response_bytes_max(REPLY_BYTES_MAX)
}

/// In the order in which `auto` tries them.
pub(crate) static OURS: [&(dyn Engine + Sync); 5] =
    [&exa::Exa, &brave::Brave, &tavily::Tavily, &searxng::SearXng, &local::Local];

const NAMES: &str = "use `auto`, `native`, `exa`, `brave`, `tavily`, `searxng` or `local`";

/// Queries have a length; results of other sites are left out afterwards anyway.
const SITES_MAX: usize = 6;

/// What an engine answers to one question is far less.
const REPLY_BYTES_MAX: u32 = 1 << 20;

const TIMEOUT_MS: u32 = 10_000;
