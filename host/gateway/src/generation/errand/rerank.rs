//! Documents put in order: paid by the search unit, as Cohere counts, or by tokens.

use ledger::Counts;
use wire::{Document, Modality, RerankReply, RerankRequest, surface};

use super::{Done, Errand, Order, Task, Written};
use crate::config::catalog::Endpoint;
use crate::error::Error;
use crate::generation::meter::Metered;
use crate::routing::{IMAGE_MAX, MARKS_MAX};
use crate::tokens;
use crate::upstream::Upstream;

impl Errand for RerankRequest {
    type Answer = RerankReply;

    async fn send(&self, upstream: &Upstream, endpoint: &Endpoint) -> Result<RerankReply, Error> {
        upstream.rerank(endpoint, self).await
    }
}

impl Task for RerankRequest {
    const API_TYPE: &'static str = "rerank";
    const MAKES: Modality = Modality::Rerank;

    fn order(&self) -> Order<'_> {
        Order {
            model: &self.model,
            user: self.user.as_deref(),
            provider: self.provider.as_ref(),
            stream: false,
        }
    }

    fn most(&self, endpoint: &Endpoint) -> Counts {
        let context = u64::from(endpoint.context_length);
        let query = tokens::at_most(self.query.len()).saturating_add(MARKS_MAX);
        // The query is read with each document.
        let whole = |document: &Document| tokens_max(document).saturating_add(query);
        let prompt = self.documents.iter().map(|document| whole(document).min(context));
        // A long document counts as several, each with the query.
        let room = PIECE_TOKENS.saturating_sub(query).max(PIECE_TOKENS / 10);
        let pieces = self.documents.iter().map(|it| tokens_max(it).min(context).div_ceil(room));
        let pieces = pieces.map(|pieces| pieces.max(1)).fold(0, u64::saturating_add);
        Counts {
            prompt: prompt.fold(0, u64::saturating_add),
            search_units: pieces.div_ceil(UNIT_DOCUMENTS),
            requests: 1,
            ..Counts::default()
        }
    }

    async fn meter(&self, answer: &RerankReply, model: &str) -> Metered {
        let (mut usage, mut units) = (answer.usage.clone(), answer.units);
        usage.completion = None;
        let is_estimated = usage.prompt.is_none() && units.search_units.is_none();
        if is_estimated {
            let documents = u64::try_from(self.documents.len()).unwrap_or(u64::MAX);
            units.search_units = Some(documents.div_ceil(UNIT_DOCUMENTS));
            let texts = self.documents.iter().filter_map(|document| document.text.clone());
            let texts = texts.chain([self.query.clone()]).collect();
            usage.prompt = Some(super::count(model, texts).await);
        }
        Metered { usage, units, is_estimated }
    }

    fn write(&self, Done { mut answer, head, billed }: Done<RerankReply>) -> Written {
        answer.usage = billed.metered.usage;
        answer.units = billed.metered.units;
        Written::Whole(surface::write_rerank(&answer, self, &head, &billed.cost))
    }
}

fn tokens_max(document: &Document) -> u64 {
    let text = document.text.as_ref().map_or(0, |text| tokens::at_most(text.len()));
    let image = if document.image.is_some() { IMAGE_MAX } else { 0 };
    text.saturating_add(image).saturating_add(MARKS_MAX)
}

/// Cohere's unit is a query with up to so many documents, a document's pieces of up to so many
/// tokens, the query's among them, each counted as one. <https://cohere.com/pricing>
const UNIT_DOCUMENTS: u64 = 100;
const PIECE_TOKENS: u64 = 500;
