//! What a request wants of a search: the plugin's options, and over them what the tool or the
//! field of the request says.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use web_pages::Sites;

/// Options in OpenRouter's names. The schema is `options.json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) engine: Option<String>,
    pub(crate) mode: Option<String>,
    max_results: Option<usize>,
    pub(crate) max_uses: Option<usize>,
    max_total_results: Option<usize>,
    max_characters: Option<usize>,
    pub(crate) search_context_size: Option<String>,
    pub(crate) search_prompt: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) include_domains: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) exclude_domains: Vec<String>,
    pub(crate) user_location: Option<Location>,
    index: Option<String>,
    index_urls: BTreeMap<String, String>,
    pub(crate) query_model: Option<String>,
    pub(crate) searxng_url: Option<String>,
    fetch_pages: Option<usize>,
}

/// Roughly where a person is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<String>,
}

impl Settings {
    /// Reads `over` laid over `base`. Both are objects; fields that are no settings are passed over.
    ///
    /// # Errors
    /// A value that does not fit, in a sentence for the client.
    pub(crate) fn read(
        base: &Map<String, Value>,
        over: &Map<String, Value>,
    ) -> Result<Self, String> {
        let mut all = Map::new();
        for fields in [base, over] {
            for (name, value) in fields {
                if let Some((name, value)) = own(name, value) {
                    all.insert(name.to_owned(), value);
                }
            }
        }
        let settings: Self =
            serde_json::from_value(Value::Object(all)).map_err(|error| error.to_string())?;
        settings.check()?;
        Ok(settings)
    }

    /// The bounds of `options.json`, by which the host checks all but `web_search_options` and tools
    /// in other APIs' words.
    fn check(&self) -> Result<(), String> {
        within(&[
            ("max_results", self.max_results, 25),
            ("max_uses", self.max_uses, 30),
            ("max_total_results", self.max_total_results, 500),
            ("max_characters", self.max_characters, 100_000),
        ])?;
        match self.search_context_size.as_deref() {
            None | Some("low" | "medium" | "high") => Ok(()),
            Some(_) => Err("`search_context_size` must be `low`, `medium` or `high`".into()),
        }
    }

    /// Which sites may be used.
    ///
    /// # Errors
    /// A domain that is none.
    pub(crate) fn sites(&self) -> Result<Sites, String> {
        Sites::new(&self.include_domains, &self.exclude_domains)
    }

    pub(crate) fn max_results(&self) -> usize {
        self.max_results.unwrap_or(5).clamp(1, 25)
    }

    pub(crate) fn max_total_results(&self) -> usize {
        self.max_total_results.unwrap_or(50)
    }

    pub(crate) fn fetch_pages(&self) -> usize {
        self.fetch_pages.unwrap_or(5).min(10)
    }

    pub(crate) fn index(&self) -> &str {
        self.index.as_deref().unwrap_or("docs")
    }

    /// The address of a document of the index: of several that it begins with, the longest counts.
    pub(crate) fn index_url(&self, source: &str) -> String {
        let fits = |(begin, _): &(&String, &String)| source.starts_with(begin.as_str());
        let known = self.index_urls.iter().filter(fits).max_by_key(|(begin, _)| begin.len());
        let rest = known.and_then(|(begin, url)| Some((url, source.strip_prefix(begin.as_str())?)));
        rest.map_or_else(|| source.to_owned(), |(url, rest)| format!("{url}{rest}"))
    }

    /// Two letters, as engines want them.
    pub(crate) fn country(&self) -> Option<&str> {
        let country = self.user_location.as_ref()?.country.as_deref()?;
        (country.len() == 2 && country.is_ascii()).then_some(country)
    }

    /// Most characters of each of so many results.
    pub(crate) fn characters(&self, results: usize) -> usize {
        let all = match self.search_context_size.as_deref() {
            Some("low") => 5_000,
            Some("high") => 30_000,
            _ => 15_000_usize,
        };
        self.max_characters.unwrap_or(all / results.max(1))
    }
}

/// Whether each value is from 1 to its bound.
fn within(values: &[(&str, Option<usize>, usize)]) -> Result<(), String> {
    let is_out = |value: usize, most: usize| !(1..=most).contains(&value);
    match values.iter().find(|(_, value, most)| value.is_some_and(|value| is_out(value, *most))) {
        Some((name, _, most)) => Err(format!("`{name}` must be from 1 to {most}")),
        None => Ok(()),
    }
}

/// A field under our name for it.
fn own<'a>(name: &'a str, value: &Value) -> Option<(&'a str, Value)> {
    if value.is_null() {
        return None;
    }
    match name {
        "allowed_domains" => Some(("include_domains", value.clone())),
        "excluded_domains" | "blocked_domains" => Some(("exclude_domains", value.clone())),
        // The form of OpenAI's tool.
        "filters" => Some(("include_domains", value.get("allowed_domains")?.clone())),
        // Chat's own field has one level more.
        "user_location" => {
            let inner = value.get("approximate").filter(|inner| inner.is_object());
            Some((name, inner.unwrap_or(value).clone()))
        }
        "type" | "name" | "parameters" => None,
        _ => Some((name, value.clone())),
    }
}

fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
