//! Exa: <https://docs.exa.ai/reference/search>. Excerpts come with the results.

use patchbay_sdk::{Error, http};
use serde::Deserialize;
use serde_json::json;

use super::{Ask, Engine, Found};

pub(super) struct Exa;

#[derive(Deserialize)]
struct Reply {
    results: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    url: String,
    title: Option<String>,
    published_date: Option<String>,
    #[serde(default)]
    highlights: Vec<String>,
    text: Option<String>,
    summary: Option<String>,
}

impl Engine for Exa {
    fn name(&self) -> &'static str {
        "exa"
    }

    fn secret(&self) -> Option<&'static str> {
        Some(SECRET)
    }

    fn search(&self, ask: &Ask<'_>) -> Result<Vec<Found>, Error> {
        let Ask { query, count, settings } = ask;
        let mut body = json!({
            "query": query,
            "type": settings.mode.as_deref().unwrap_or("auto"),
            "numResults": count,
            "contents": {"highlights": true},
        });
        if let Some(body) = body.as_object_mut() {
            for (name, domains) in [
                ("includeDomains", &settings.include_domains),
                ("excludeDomains", &settings.exclude_domains),
            ] {
                if !domains.is_empty() {
                    body.insert(name.into(), json!(domains));
                }
            }
            if let Some(country) = settings.country() {
                body.insert("userLocation".into(), json!(country.to_ascii_uppercase()));
            }
        }
        let request = http::post("https://api.exa.ai/search").secret_header("x-api-key", SECRET);
        let reply: Reply =
            request.json(&body).timeout_ms(super::TIMEOUT_MS).send()?.ok()?.json()?;
        Ok(reply.results.into_iter().map(found).collect())
    }
}

fn found(item: Item) -> Found {
    let excerpts = item.highlights.join("\n[...]\n");
    let text = [Some(excerpts), item.text, item.summary];
    let text = text.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or_default();
    Found {
        url: item.url,
        title: item.title.unwrap_or_default(),
        is_snippet: text.is_empty(),
        text,
        date: item.published_date,
    }
}

const SECRET: &str = "EXA_API_KEY";
