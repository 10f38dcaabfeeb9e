//! One search: the engine asked, its pages fetched and read, what fits picked.

use patchbay_sdk::{Error, bill};
use web_pages::{Question, Sites, Source, fetch, url};

use crate::engine::{Ask, Engine, Found};
use crate::settings::Settings;

/// What a search gave.
pub(crate) struct Outcome {
    pub(crate) sources: Vec<Source>,
    /// How many pages were fetched and read.
    pub(crate) pages: usize,
}

/// Searches, and charges for it.
///
/// # Errors
/// The engine's, or what kept it from being paid.
pub(crate) fn run(
    engine: &dyn Engine,
    query: &str,
    count: usize,
    settings: &Settings,
) -> Result<Outcome, Error> {
    let sites = settings.sites().map_err(Error::Options)?;
    let found = engine.search(&Ask { query, count, settings })?;
    bill::charge(&format!("search-{}", engine.name()), 1)?;
    let mut kept: Vec<Found> = Vec::new();
    for item in found {
        let is_known = kept.iter().any(|known| known.url == item.url);
        // A client shows it as a link, and `javascript:…` would be one.
        let is_address = item.url.len() <= URL_BYTES_MAX
            && (engine.finds_files() || url::host(&item.url).is_some());
        if kept.len() < count && !is_known && is_address && sites.allow(&item.url) {
            kept.push(item);
        }
    }
    let question = Question::new(query);
    let characters = settings.characters(kept.len());
    let pages = read_pages(&mut kept, settings.fetch_pages(), &sites);
    let count = kept.len();
    kept.iter_mut().for_each(|item| fetch::shorten(&mut item.text, count));
    let sources = kept.into_iter().map(|item| Source {
        text: question.pick(&item.text, characters),
        title: title(&item),
        url: item.url,
        date: item.date,
    });
    Ok(Outcome { sources: sources.collect(), pages })
}

/// Puts pages in the place of snippets. One that can't be read keeps its snippet.
fn read_pages(found: &mut [Found], most: usize, sites: &Sites) -> usize {
    let mut wanting: Vec<&mut Found> = found
        .iter_mut()
        .filter(|item| item.is_snippet && url::host(&item.url).is_some())
        .take(most)
        .collect();
    let urls: Vec<String> = wanting.iter().map(|item| item.url.clone()).collect();
    let mut pages = 0_usize;
    for (item, fetched) in wanting.iter_mut().zip(fetch::all(&urls)) {
        // A redirect may lead to a site that is not wanted.
        let Ok(fetched) = fetched else { continue };
        if sites.allow(&fetched.url) && fetched.page.text.len() > item.text.len() {
            item.text = fetched.page.text;
            if item.title.is_empty() {
                item.title = fetched.page.title;
            }
            pages = pages.saturating_add(1);
        }
    }
    pages
}

fn title(item: &Found) -> String {
    match item.title.trim() {
        "" => url::host(&item.url).unwrap_or(&item.url).to_owned(),
        title => title.to_owned(),
    }
}

/// Longer ones are searches and sessions.
const URL_BYTES_MAX: usize = 1000;
