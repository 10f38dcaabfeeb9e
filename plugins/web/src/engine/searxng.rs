//! SearXNG: <https://docs.searxng.org/dev/search_api.html>. Its operator must allow the format
//! `json`. Snippets only, so pages are fetched.

use patchbay_sdk::{Error, http};
use serde::Deserialize;

use super::{Ask, Engine, Found};
use crate::settings::Settings;

pub(super) struct SearXng;

#[derive(Deserialize)]
struct Reply {
    results: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    url: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    content: Option<String>,
    #[serde(rename = "publishedDate")]
    published_date: Option<String>,
}

impl Engine for SearXng {
    fn name(&self) -> &'static str {
        "searxng"
    }

    fn is_ready(&self, settings: &Settings) -> bool {
        settings.searxng_url.is_some()
    }

    fn search(&self, ask: &Ask<'_>) -> Result<Vec<Found>, Error> {
        let base = ask.settings.searxng_url.as_deref().unwrap_or_default().trim_end_matches('/');
        let request = http::get(&format!("{base}/search"))
            .query("q", &super::with_sites(ask))
            .query("format", "json");
        let reply: Reply = super::bounded(request).send()?.ok()?.json()?;
        Ok(reply.results.into_iter().map(found).collect())
    }
}

fn found(item: Item) -> Found {
    Found {
        url: item.url,
        title: item.title.unwrap_or_default(),
        text: item.content.unwrap_or_default(),
        is_snippet: true,
        date: item.published_date,
    }
}
