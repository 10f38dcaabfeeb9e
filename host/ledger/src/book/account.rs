//! A key's account: what it spent, in all and in the running windows, what it holds, and its
//! limit. Also the proof that all accounts add up.

use std::collections::HashMap;

use super::movement::{Hold, Id, Refusal};
use crate::money::Money;
use crate::window::{Reset, window_start};

/// What a key may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The most per window.
    pub amount: Money,
    /// When the count restarts; none: never.
    pub reset: Option<Reset>,
}

/// What a key spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spend {
    /// Ever.
    pub total: Money,
    /// Since midnight UTC.
    pub daily: Window,
    /// Since Monday.
    pub weekly: Window,
    /// Since the first of the month.
    pub monthly: Window,
}

/// What was spent since a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// The window's start in milliseconds since 1970.
    pub start_ms: u64,
    /// Spent since then.
    pub amount: Money,
}

/// A sum that is not what it must be: a programmer's error or a damaged store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the book does not balance: {what} is off by {off_nanos} nano-dollars")]
pub struct Imbalance {
    /// Which sum.
    pub what: String,
    /// By how much.
    pub off_nanos: i128,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) spend: Spend,
    pub(super) held: Money,
    pub(super) limit: Option<Limit>,
}

impl Account {
    /// Held amounts count, so requests at the same time can't pass the limit together.
    pub(super) fn check_limit(&self, asked: Money, now_ms: u64) -> Result<(), Refusal> {
        let (Some(limit), Some(left)) = (self.limit, self.remaining(now_ms)) else { return Ok(()) };
        let affordable = left.less_or_zero(self.held);
        if asked > affordable {
            return Err(Refusal::KeyLimit { asked, affordable, reset: limit.reset });
        }
        Ok(())
    }

    pub(super) fn remaining(&self, now_ms: u64) -> Option<Money> {
        let limit = self.limit?;
        let spend = self.spend.at(now_ms);
        let spent = match limit.reset {
            None => spend.total,
            Some(Reset::Daily) => spend.daily.amount,
            Some(Reset::Weekly) => spend.weekly.amount,
            Some(Reset::Monthly) => spend.monthly.amount,
        };
        Some(limit.amount.less_or_zero(spent))
    }
}

impl Spend {
    /// The same with windows that ended before `now_ms` restarted.
    #[must_use]
    pub fn at(mut self, now_ms: u64) -> Self {
        // All windows restart at midnight, so within the day there is nothing to do.
        if window_start(Reset::Daily, now_ms) <= self.daily.start_ms {
            return self;
        }
        let windows = [
            (&mut self.daily, Reset::Daily),
            (&mut self.weekly, Reset::Weekly),
            (&mut self.monthly, Reset::Monthly),
        ];
        for (window, reset) in windows {
            let start_ms = window_start(reset, now_ms);
            // A clock that was set back keeps counting in the later window: no limit is given twice.
            if start_ms > window.start_ms {
                *window = Window { start_ms, amount: Money::ZERO };
            }
        }
        self
    }

    /// The same with a charge more; none when a sum does not fit.
    pub fn plus(self, amount: Money, at_ms: u64) -> Option<Self> {
        let now = self.at(at_ms);
        let add =
            |window: Window| Some(Window { amount: window.amount.checked_add(amount)?, ..window });
        Some(Self {
            total: now.total.checked_add(amount)?,
            daily: add(now.daily)?,
            weekly: add(now.weekly)?,
            monthly: add(now.monthly)?,
        })
    }
}

pub(super) fn check_totals(
    (operator, credit, held): (Money, Money, Money),
    accounts: &HashMap<Id, Account>,
    open: &HashMap<Id, Hold>,
) -> Result<(), Imbalance> {
    let wide = |money: Money| i128::from(money.nanos());
    let must_be_zero = |what: &str, off_nanos: i128| match off_nanos {
        0 => Ok(()),
        _ => Err(Imbalance { what: what.to_owned(), off_nanos }),
    };
    let spent: i128 = accounts.values().map(|account| wide(account.spend.total)).sum();
    must_be_zero("the sum of all accounts", wide(operator) + wide(credit) + spent)?;
    let mut held_by_key: HashMap<&Id, i128> = HashMap::new();
    for hold in open.values() {
        *held_by_key.entry(&hold.key).or_default() += wide(hold.amount);
    }
    must_be_zero("what is held", wide(held) - held_by_key.values().sum::<i128>())?;
    for (key, account) in accounts {
        let expected = held_by_key.remove(key).unwrap_or(0);
        must_be_zero(&format!("what key {key} holds"), wide(account.held) - expected)?;
    }
    must_be_zero("what keys without an account hold", held_by_key.values().sum())
}
