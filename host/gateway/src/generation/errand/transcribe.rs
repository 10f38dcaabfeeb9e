//! Sound written down: paid by the second, or by tokens.

use ledger::Counts;
use wire::{Modality, TranscribeReply, TranscribeRequest, surface};

use super::{Done, Errand, Order, Task, Written};
use crate::config::catalog::Endpoint;
use crate::error::Error;
use crate::generation::meter::Metered;
use crate::upstream::Upstream;

impl Errand for TranscribeRequest {
    type Answer = TranscribeReply;

    async fn send(
        &self,
        upstream: &Upstream,
        endpoint: &Endpoint,
    ) -> Result<TranscribeReply, Error> {
        upstream.transcribe(endpoint, self).await
    }
}

impl Task for TranscribeRequest {
    const API_TYPE: &'static str = "stt";
    const MAKES: Modality = Modality::Transcription;

    fn order(&self) -> Order<'_> {
        Order {
            model: &self.model,
            user: self.user.as_deref(),
            provider: self.provider.as_ref(),
            stream: false,
        }
    }

    fn most(&self, endpoint: &Endpoint) -> Counts {
        // Nothing but the context bounds the tokens of a sound.
        let context = endpoint.context_length;
        Counts {
            prompt: u64::from(context),
            completion: u64::from(endpoint.max_output_tokens.unwrap_or(context)),
            sound_ms: self.length().most_ms,
            requests: 1,
            ..Counts::default()
        }
    }

    async fn meter(&self, answer: &TranscribeReply, _: &str) -> Metered {
        let (mut usage, mut units) = (answer.usage.clone(), answer.units);
        usage.completion = usage.completion.filter(|tokens| *tokens > 0);
        let is_estimated = usage.prompt.is_none() && units.sound_ms.is_none();
        if is_estimated {
            units.sound_ms = Some(self.length().about_ms);
        }
        Metered { usage, units, is_estimated }
    }

    fn write(&self, Done { mut answer, billed, .. }: Done<TranscribeReply>) -> Written {
        answer.usage = billed.metered.usage;
        answer.units = billed.metered.units;
        Written::Whole(surface::write_transcribe(&answer, self, &billed.cost))
    }
}
