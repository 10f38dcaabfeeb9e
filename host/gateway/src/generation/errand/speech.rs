//! A text read aloud: paid by the character, in full once there is something to hear.

use ledger::Counts;
use wire::{Modality, SpeechRequest, Units, Usage};

use super::{Done, Errand, Order, Task, Written};
use crate::config::catalog::Endpoint;
use crate::error::Error;
use crate::generation::meter::Metered;
use crate::upstream::{Sound, Upstream};

impl Errand for SpeechRequest {
    type Answer = Sound;

    async fn send(&self, upstream: &Upstream, endpoint: &Endpoint) -> Result<Sound, Error> {
        upstream.speak(endpoint, self).await
    }
}

impl Task for SpeechRequest {
    const API_TYPE: &'static str = "tts";
    const MAKES: Modality = Modality::Speech;

    fn order(&self) -> Order<'_> {
        Order {
            model: &self.model,
            user: self.user.as_deref(),
            provider: self.provider.as_ref(),
            stream: false,
        }
    }

    fn most(&self, _: &Endpoint) -> Counts {
        Counts { characters: self.characters(), requests: 1, ..Counts::default() }
    }

    async fn meter(&self, _: &Sound, _: &str) -> Metered {
        let units = Units { characters: self.characters(), ..Units::default() };
        Metered { usage: Usage::default(), units, is_estimated: false }
    }

    fn write(&self, done: Done<Sound>) -> Written {
        Written::Sound(self.format.mime(), done.answer)
    }
}
