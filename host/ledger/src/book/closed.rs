//! How the latest holds ended, so that a repeat is told from a mistake. Bounded: money never
//! depends on it, since only an open hold can be closed.

use std::collections::{HashMap, VecDeque};

use super::movement::{Id, Refusal};
use crate::money::Money;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Settled(Money),
    Voided,
    Expired(Money),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Closed {
    outcomes: HashMap<Id, Outcome>,
    oldest_first: VecDeque<Id>,
}

impl Closed {
    pub(super) fn add(&mut self, id: Id, outcome: Outcome) {
        if self.oldest_first.len() >= CLOSED_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.outcomes.remove(&oldest);
        }
        self.outcomes.insert(id.clone(), outcome);
        self.oldest_first.push_back(id);
    }

    pub(super) fn find(&self, id: &str) -> Option<Outcome> {
        self.outcomes.get(id).copied()
    }

    /// Why a hold that is not open can't be changed.
    pub(super) fn refusal(&self, id: &str) -> Refusal {
        match self.find(id) {
            None => Refusal::UnknownHold,
            Some(Outcome::Settled(amount)) => Refusal::Settled { amount },
            Some(Outcome::Voided) => Refusal::Voided,
            Some(Outcome::Expired(charged)) => Refusal::Expired { charged },
        }
    }
}

/// Ends that are remembered: some seconds' worth at full load, about two megabytes.
const CLOSED_MAX: usize = 16_384;
