//! The gateway's own index of documents (`patchbay index add`). Passages of one document are one
//! result.

use patchbay_sdk::{Error, search};

use super::{Ask, Engine, Found};

pub(super) struct Local;

impl Engine for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn finds_files(&self) -> bool {
        true
    }

    fn search(&self, ask: &Ask<'_>) -> Result<Vec<Found>, Error> {
        // Several of the best passages are often of one document.
        let count = ask.count.saturating_mul(PASSAGES_PER_DOCUMENT);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let mut documents: Vec<Found> = Vec::new();
        for hit in search::query(ask.settings.index(), ask.query, count)? {
            let mut text = hit.headings.join(" > ");
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&hit.text);
            let url = ask.settings.index_url(&hit.source);
            match documents.iter_mut().find(|known| known.url == url) {
                Some(known) => {
                    known.text.push_str("\n\n");
                    known.text.push_str(&text);
                }
                None => documents.push(Found {
                    url,
                    title: hit.title,
                    text,
                    is_snippet: false,
                    date: None,
                }),
            }
        }
        Ok(documents)
    }
}

const PASSAGES_PER_DOCUMENT: usize = 2;
