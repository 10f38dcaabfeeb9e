//! Pictures made from a prompt: paid by tokens or by the piece, all of them or none. A client that
//! leaves before they are there pays nothing.

use ledger::Counts;
use wire::{ImageReply, ImageRequest, Modality, surface};

use super::{Done, Errand, Order, Task, Written};
use crate::config::catalog::Endpoint;
use crate::error::Error;
use crate::generation::meter::Metered;
use crate::routing::{IMAGE_MAX, MARKS_MAX};
use crate::tokens;
use crate::upstream::Upstream;

impl Errand for ImageRequest {
    const IS_ALL_OR_NOTHING: bool = true;

    type Answer = ImageReply;

    async fn send(&self, upstream: &Upstream, endpoint: &Endpoint) -> Result<ImageReply, Error> {
        upstream.draw(endpoint, self).await
    }
}

impl Task for ImageRequest {
    const API_TYPE: &'static str = "image";
    const MAKES: Modality = Modality::Image;

    fn order(&self) -> Order<'_> {
        Order {
            model: &self.model,
            user: self.user.as_deref(),
            provider: self.provider.as_ref(),
            stream: self.stream,
        }
    }

    fn most(&self, endpoint: &Endpoint) -> Counts {
        let references = u64::try_from(self.references.len()).unwrap_or(u64::MAX);
        let words = tokens::at_most(self.prompt.len()).saturating_add(MARKS_MAX);
        let of_one = endpoint.max_output_tokens.map_or(PICTURE_TOKENS_MAX, u64::from);
        let images = u64::from(self.n);
        Counts {
            prompt: references.saturating_mul(IMAGE_MAX).saturating_add(words),
            completion: images.saturating_mul(of_one),
            images,
            requests: 1,
            ..Counts::default()
        }
    }

    async fn meter(&self, answer: &ImageReply, _: &str) -> Metered {
        // What reports no tokens is paid by the piece, which is counted.
        Metered { usage: answer.usage.clone(), units: answer.units, is_estimated: false }
    }

    fn write(&self, Done { mut answer, head, billed }: Done<ImageReply>) -> Written {
        answer.usage = billed.metered.usage;
        match self.stream {
            true => Written::Events(surface::write_image_events(&answer, &head, &billed.cost)),
            false => Written::Whole(surface::write_image(&answer, &head, &billed.cost)),
        }
    }
}

/// More tokens than a picture is made of: GPT Image 1 takes 6,208 for its largest.
const PICTURE_TOKENS_MAX: u64 = 16_384;
