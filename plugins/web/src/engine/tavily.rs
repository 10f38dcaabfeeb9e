//! Tavily: <https://docs.tavily.com/documentation/api-reference/endpoint/search>. Excerpts come
//! with the results.

use patchbay_sdk::{Error, http};
use serde::Deserialize;
use serde_json::json;

use super::{Ask, Engine, Found};

pub(super) struct Tavily;

#[derive(Deserialize)]
struct Reply {
    results: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    url: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    content: String,
    raw_content: Option<String>,
    published_date: Option<String>,
}

impl Engine for Tavily {
    fn name(&self) -> &'static str {
        "tavily"
    }

    fn secret(&self) -> Option<&'static str> {
        Some(SECRET)
    }

    fn search(&self, ask: &Ask<'_>) -> Result<Vec<Found>, Error> {
        let Ask { query, count, settings } = ask;
        let mut body = json!({"query": query, "max_results": count.min(&COUNT_MAX)});
        if let Some(body) = body.as_object_mut() {
            for (name, domains) in [
                ("include_domains", &settings.include_domains),
                ("exclude_domains", &settings.exclude_domains),
            ] {
                if !domains.is_empty() {
                    body.insert(name.into(), json!(domains));
                }
            }
        }
        let request = http::post("https://api.tavily.com/search").bearer(SECRET);
        let reply: Reply =
            request.json(&body).timeout_ms(super::TIMEOUT_MS).send()?.ok()?.json()?;
        Ok(reply.results.into_iter().map(found).collect())
    }
}

fn found(item: Item) -> Found {
    let text = item.raw_content.filter(|raw| !raw.is_empty()).unwrap_or(item.content);
    Found {
        url: item.url,
        title: item.title,
        is_snippet: text.is_empty(),
        text,
        date: item.published_date,
    }
}

const SECRET: &str = "TAVILY_API_KEY";

const COUNT_MAX: usize = 20;
