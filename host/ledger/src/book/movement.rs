//! What changes a book, what a book is rebuilt from, and why a change is refused.

use std::sync::Arc;

use super::account::Spend;
use crate::money::Money;
use crate::window::Reset;

/// A name that the caller gave to a generation, a key or a deposit. Cheap to clone.
pub type Id = Arc<str>;

/// Money reserved for a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The generation.
    pub id: Id,
    /// The key that pays.
    pub key: Id,
    /// The most it was expected to cost.
    pub amount: Money,
    /// What the client was sent so far is worth; charged if the hold expires.
    pub sent: Money,
    /// When it expires, in milliseconds since 1970.
    pub expires_ms: u64,
}

/// A change that was made, as it is written down. A book that applies the same movements in the
/// same order is the same book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    /// Credit was put in.
    Deposit {
        /// The caller's name for it.
        id: Id,
        /// How much.
        amount: Money,
    },
    /// Money was reserved.
    Hold(Hold),
    /// A hold lives longer.
    Renew {
        /// Which.
        id: Id,
        /// Until when.
        expires_ms: u64,
    },
    /// More was sent under a hold.
    Progress {
        /// Which.
        id: Id,
        /// Worth how much in all.
        sent: Money,
    },
    /// A hold became a charge.
    Settle {
        /// Which.
        id: Id,
        /// Who paid.
        key: Id,
        /// How much.
        amount: Money,
        /// How much of it was above the hold.
        overrun: Money,
        /// When, in milliseconds since 1970.
        at_ms: u64,
        /// Whether its time was up, rather than its work done.
        is_expiry: bool,
    },
    /// A hold was given back.
    Void {
        /// Which.
        id: Id,
        /// Whose it was.
        key: Id,
        /// Whether its time was up.
        is_expiry: bool,
    },
}

/// What a book is restored from: balances and open holds, without history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Every deposit, so that a repeat is known as one.
    pub deposits: Vec<(Id, Money)>,
    /// What each key spent.
    pub accounts: Vec<(Id, Spend)>,
    /// Every open hold.
    pub holds: Vec<Hold>,
}

/// Why a change was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A charge or a hold is never less than nothing.
    #[error("the amount is negative")]
    Negative,
    /// A deposit puts something in.
    #[error("the amount must be above zero")]
    NotPositive,
    /// The id belongs to something else.
    #[error("the id was used before, for something else")]
    Reused,
    /// There is no such hold, or it was closed too long ago to be remembered.
    #[error("there is no such hold")]
    UnknownHold,
    /// The hold was settled.
    #[error("the hold was settled at {amount} USD")]
    Settled {
        /// What was charged.
        amount: Money,
    },
    /// The hold was given back.
    #[error("the hold was voided")]
    Voided,
    /// The hold's time was up, which closed it.
    #[error("the hold expired and {charged} USD were charged")]
    Expired {
        /// What was charged: what had been sent.
        charged: Money,
    },
    /// The key may not spend that much.
    #[error("the key's limit leaves {affordable} USD, and this may cost {asked} USD")]
    KeyLimit {
        /// What was to be held.
        asked: Money,
        /// What could be.
        affordable: Money,
        /// When the limit's count restarts.
        reset: Option<Reset>,
    },
    /// There is not that much credit.
    #[error("the credit leaves {affordable} USD, and this may cost {asked} USD")]
    Credit {
        /// What was to be held.
        asked: Money,
        /// What could be.
        affordable: Money,
    },
    /// A sum would not fit.
    #[error("the amount is too large for the book")]
    Overflow,
}

impl Hold {
    pub(super) fn settled(&self, amount: Money, at_ms: u64, is_expiry: bool) -> Movement {
        let overrun = amount.less_or_zero(self.amount);
        let (id, key) = (self.id.clone(), self.key.clone());
        Movement::Settle { id, key, amount, overrun, at_ms, is_expiry }
    }

    pub(super) fn voided(&self, is_expiry: bool) -> Movement {
        Movement::Void { id: self.id.clone(), key: self.key.clone(), is_expiry }
    }
}

impl Movement {
    /// The deposit's or the hold's id.
    pub fn id(&self) -> &Id {
        match self {
            Self::Hold(hold) => &hold.id,
            Self::Deposit { id, .. }
            | Self::Renew { id, .. }
            | Self::Progress { id, .. }
            | Self::Settle { id, .. }
            | Self::Void { id, .. } => id,
        }
    }
}
