//! Brave: <https://api-dashboard.search.brave.com/api-reference/web/search/get>. Snippets only, so
//! pages are fetched.

use patchbay_sdk::{Error, http};
use serde::Deserialize;

use super::{Ask, Engine, Found};

pub(super) struct Brave;

#[derive(Deserialize)]
struct Reply {
    /// Absent when nothing was found.
    web: Option<Web>,
}

#[derive(Deserialize)]
struct Web {
    #[serde(default)]
    results: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    url: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    extra_snippets: Vec<String>,
    page_age: Option<String>,
}

impl Engine for Brave {
    fn name(&self) -> &'static str {
        "brave"
    }

    fn secret(&self) -> Option<&'static str> {
        Some(SECRET)
    }

    fn search(&self, ask: &Ask<'_>) -> Result<Vec<Found>, Error> {
        let count = ask.count.min(COUNT_MAX).to_string();
        let mut request = http::get("https://api.search.brave.com/res/v1/web/search")
            .query("q", &super::with_sites(ask))
            .query("count", &count)
            .query("text_decorations", "false");
        if let Some(country) = ask.settings.country() {
            request = request.query("country", &country.to_ascii_uppercase());
        }
        let request = request
            .header("accept", "application/json")
            .secret_header("x-subscription-token", SECRET);
        let reply: Reply = super::bounded(request).send()?.ok()?.json()?;
        Ok(reply.web.into_iter().flat_map(|web| web.results).map(found).collect())
    }
}

fn found(item: Item) -> Found {
    let mut lines = vec![item.description];
    lines.extend(item.extra_snippets);
    Found {
        url: item.url,
        title: item.title,
        text: lines.join("\n"),
        is_snippet: true,
        date: item.page_age,
    }
}

const SECRET: &str = "BRAVE_API_KEY";

const COUNT_MAX: usize = 20;
