//! The book: who put in how much, who holds how much, who spent how much. Every rule about money
//! and every refusal is here; a caller checks nothing and corrects nothing.
//!
//! Double entry: deposits move from the operator to the one credit account, settlements move from
//! credit to the key's account, so all balances add up to zero. A hold moves nothing yet; it is
//! counted against credit and against the key until it is settled or voided, exactly once.

use std::collections::HashMap;

use crate::money::Money;

mod account;
mod closed;
mod movement;

use account::{Account, check_totals};
pub use account::{Imbalance, Limit, Spend, Window};
use closed::{Closed, Outcome};
pub use movement::{Hold, Id, Movement, Refusal, State};

/// Whether service needs credit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything is counted and credit may go below zero.
    #[default]
    Metered,
    /// A hold needs credit that is not held yet.
    Prepaid,
}

/// Accounts, open holds, and what was closed lately.
///
/// Each change takes a caller's id and returns the [`Movement`] to write down, or none when the
/// same was already done. A refused change changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    mode: Mode,
    operator: Money,
    credit: Money,
    held: Money,
    accounts: HashMap<Id, Account>,
    open: HashMap<Id, Hold>,
    deposits: HashMap<Id, Money>,
    closed: Closed,
}

/// The account that everybody spends from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Credits {
    /// Put in so far.
    pub deposited: Money,
    /// Spent so far, by all keys.
    pub spent: Money,
    /// Held by generations that run.
    pub held: Money,
}

impl Book {
    /// An empty book.
    pub fn new(mode: Mode) -> Self {
        Self { mode, ..Self::default() }
    }

    /// A book as it was when this state was written down.
    ///
    /// # Errors
    /// When the state can't have come from a book: an id twice, or sums that do not fit.
    pub fn restore(mode: Mode, state: State) -> Result<Self, Refusal> {
        let mut book = Self::new(mode);
        for (id, amount) in state.deposits {
            book.apply(&Movement::Deposit { id, amount })?;
        }
        for (key, spend) in state.accounts {
            book.credit = book.credit.checked_sub(spend.total).ok_or(Refusal::Overflow)?;
            let account = Account { spend, ..Account::default() };
            if book.accounts.insert(key, account).is_some() {
                return Err(Refusal::Reused);
            }
        }
        for hold in state.holds {
            book.apply(&Movement::Hold(hold))?;
        }
        Ok(book)
    }

    /// What has to be written down to [`Book::restore`] this book. Limits are the keys' own and
    /// not in it, nor is what was closed.
    pub fn state(&self) -> State {
        let deposits = self.deposits.iter().map(|(id, amount)| (id.clone(), *amount));
        let accounts = self.accounts.iter().map(|(key, account)| (key.clone(), account.spend));
        State {
            deposits: deposits.collect(),
            accounts: accounts.collect(),
            holds: self.open.values().cloned().collect(),
        }
    }

    /// Sets or lifts what a key may spend. It binds holds to come, not those that are open.
    pub fn set_limit(&mut self, key: &str, limit: Option<Limit>) {
        self.account(&Id::from(key)).limit = limit;
    }

    /// Puts credit in.
    ///
    /// # Errors
    /// [`Refusal::NotPositive`], [`Refusal::Reused`] for a known id with another amount,
    /// [`Refusal::Overflow`].
    pub fn deposit(&mut self, id: &str, amount: Money) -> Result<Option<Movement>, Refusal> {
        match self.check_deposit(id, amount)? {
            true => self.record(Movement::Deposit { id: Id::from(id), amount }),
            false => Ok(None),
        }
    }

    /// Whether [`Book::deposit`] would put something in (or repeat what was), without doing it.
    ///
    /// # Errors
    /// As [`Book::deposit`].
    pub fn check_deposit(&self, id: &str, amount: Money) -> Result<bool, Refusal> {
        if amount <= Money::ZERO {
            return Err(Refusal::NotPositive);
        }
        match self.deposits.get(id) {
            Some(known) if *known == amount => Ok(false),
            Some(_) => Err(Refusal::Reused),
            None => self.after_deposit(amount).map(|_| true),
        }
    }

    /// Reserves the most that a generation can cost.
    ///
    /// # Errors
    /// In this order: [`Refusal::Negative`], [`Refusal::Reused`], [`Refusal::KeyLimit`],
    /// [`Refusal::Credit`], [`Refusal::Overflow`].
    pub fn hold(&mut self, hold: Hold, now_ms: u64) -> Result<Option<Movement>, Refusal> {
        if hold.amount.is_negative() || hold.sent.is_negative() {
            return Err(Refusal::Negative);
        }
        if let Some(open) = self.open.get(&hold.id) {
            // It may have been renewed since, so its expiry is not compared.
            let is_same = open.key == hold.key && open.amount == hold.amount;
            return if is_same { Ok(None) } else { Err(Refusal::Reused) };
        }
        if self.closed.find(&hold.id).is_some() {
            return Err(Refusal::Reused);
        }
        if let Some(account) = self.accounts.get(&hold.key) {
            account.check_limit(hold.amount, now_ms)?;
        }
        let free = self.credit.checked_sub(self.held).ok_or(Refusal::Overflow)?;
        // Below zero even what costs nothing is refused, as OpenRouter does.
        if self.mode == Mode::Prepaid && free < hold.amount {
            let affordable = free.max(Money::ZERO);
            return Err(Refusal::Credit { asked: hold.amount, affordable });
        }
        self.record(Movement::Hold(hold))
    }

    /// Lets an open hold live until `expires_ms`; an earlier moment than before changes nothing.
    ///
    /// # Errors
    /// [`Refusal::UnknownHold`] or how it was closed.
    pub fn renew(&mut self, id: &str, expires_ms: u64) -> Result<Option<Movement>, Refusal> {
        let hold = self.find(id)?;
        if expires_ms <= hold.expires_ms {
            return Ok(None);
        }
        let id = hold.id.clone();
        self.record(Movement::Renew { id, expires_ms })
    }

    /// Notes what the client was sent so far is worth: the hold settles at this if it expires.
    /// A smaller amount than before changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Negative`], [`Refusal::UnknownHold`] or how it was closed.
    pub fn progress(&mut self, id: &str, sent: Money) -> Result<Option<Movement>, Refusal> {
        if sent.is_negative() {
            return Err(Refusal::Negative);
        }
        let hold = self.find(id)?;
        if sent <= hold.sent {
            return Ok(None);
        }
        let id = hold.id.clone();
        self.record(Movement::Progress { id, sent })
    }

    /// Charges the true cost and gives the rest of the hold back.
    ///
    /// The overrun rule: a cost above the hold is charged in full, because the upstream charges it
    /// in full, and the movement says by how much; credit may go below zero by that.
    ///
    /// A hold that expired was settled by that, and stays so: settling it late is refused with
    /// what was charged.
    ///
    /// # Errors
    /// [`Refusal::Negative`], [`Refusal::UnknownHold`], [`Refusal::Overflow`], or how it was
    /// closed when that differs.
    pub fn settle(
        &mut self,
        id: &str,
        actual: Money,
        now_ms: u64,
    ) -> Result<Option<Movement>, Refusal> {
        if actual.is_negative() {
            return Err(Refusal::Negative);
        }
        match self.find(id) {
            Ok(hold) => {
                let movement = hold.settled(actual, now_ms, false);
                self.record(movement)
            }
            Err(Refusal::Settled { amount }) if amount == actual => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Gives the whole hold back: nothing is charged. For a hold that expired without a charge
    /// this is a repeat.
    ///
    /// # Errors
    /// [`Refusal::UnknownHold`], or how it was settled.
    pub fn void(&mut self, id: &str) -> Result<Option<Movement>, Refusal> {
        match self.find(id) {
            Ok(hold) => {
                let movement = hold.voided(false);
                self.record(movement)
            }
            Err(Refusal::Voided | Refusal::Expired { charged: Money::ZERO }) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Closes every hold whose time is up: at what was sent, or without a charge when nothing was.
    /// A hold that can't be closed because a sum would not fit stays open.
    pub fn expire(&mut self, now_ms: u64) -> Vec<Movement> {
        let is_over = |hold: &&Hold| hold.expires_ms <= now_ms;
        let mut over: Vec<Movement> = self
            .open
            .values()
            .filter(is_over)
            .map(|hold| match hold.sent {
                Money::ZERO => hold.voided(true),
                sent => hold.settled(sent, now_ms, true),
            })
            .collect();
        over.sort_by(|a, b| a.id().cmp(b.id()));
        over.retain(|movement| self.apply(movement).is_ok());
        over
    }

    /// Makes a movement that a book accepted before: credit and limits are not asked again.
    ///
    /// # Errors
    /// When it does not fit: [`Refusal::Reused`], [`Refusal::UnknownHold`], how the hold was
    /// closed, [`Refusal::Overflow`]. The book is unchanged then.
    pub fn apply(&mut self, movement: &Movement) -> Result<(), Refusal> {
        match movement {
            Movement::Deposit { id, amount } => self.put_in(id, *amount),
            Movement::Hold(hold) => self.put_aside(hold),
            Movement::Renew { id, expires_ms } => {
                self.find_mut(id)?.expires_ms = *expires_ms;
                Ok(())
            }
            Movement::Progress { id, sent } => {
                self.find_mut(id)?.sent = *sent;
                Ok(())
            }
            Movement::Settle { id, amount, at_ms, is_expiry, .. } => {
                let outcome = match is_expiry {
                    false => Outcome::Settled(*amount),
                    true => Outcome::Expired(*amount),
                };
                self.close(id, (*amount, *at_ms), outcome)
            }
            Movement::Void { id, is_expiry, .. } => {
                let outcome =
                    if *is_expiry { Outcome::Expired(Money::ZERO) } else { Outcome::Voided };
                self.close(id, (Money::ZERO, 0), outcome)
            }
        }
    }

    /// The account that everybody spends from.
    pub fn credits(&self) -> Credits {
        let deposited = Money::ZERO.less_or_zero(self.operator);
        let spent = deposited.checked_sub(self.credit).unwrap_or(Money::MAX);
        Credits { deposited, spent, held: self.held }
    }

    /// What a key spent, its windows as of `now_ms`, and what it holds. Nothing for a key that
    /// never spent.
    pub fn spend(&self, key: &str, now_ms: u64) -> (Spend, Money) {
        let account = self.accounts.get(key).copied().unwrap_or_default();
        (account.spend.at(now_ms), account.held)
    }

    /// What a key may still spend in its window; none without a limit.
    pub fn limit_remaining(&self, key: &str, now_ms: u64) -> Option<Money> {
        self.accounts.get(key)?.remaining(now_ms)
    }

    /// An open hold.
    pub fn open(&self, id: &str) -> Option<&Hold> {
        self.open.get(id)
    }

    /// Proves the invariants: all balances add up to zero, and what accounts say is held is what
    /// the open holds hold. Walks everything.
    ///
    /// # Errors
    /// The first sum that is wrong.
    pub fn check(&self) -> Result<(), Imbalance> {
        check_totals((self.operator, self.credit, self.held), &self.accounts, &self.open)
    }

    fn record(&mut self, movement: Movement) -> Result<Option<Movement>, Refusal> {
        self.apply(&movement)?;
        Ok(Some(movement))
    }

    fn put_in(&mut self, id: &Id, amount: Money) -> Result<(), Refusal> {
        if self.deposits.contains_key(id) {
            return Err(Refusal::Reused);
        }
        (self.operator, self.credit) = self.after_deposit(amount)?;
        self.deposits.insert(id.clone(), amount);
        Ok(())
    }

    fn after_deposit(&self, amount: Money) -> Result<(Money, Money), Refusal> {
        let operator = self.operator.checked_sub(amount).ok_or(Refusal::Overflow)?;
        let credit = self.credit.checked_add(amount).ok_or(Refusal::Overflow)?;
        Ok((operator, credit))
    }

    fn put_aside(&mut self, hold: &Hold) -> Result<(), Refusal> {
        if self.open.contains_key(&hold.id) {
            return Err(Refusal::Reused);
        }
        let held = self.held.checked_add(hold.amount).ok_or(Refusal::Overflow)?;
        let account = self.account(&hold.key);
        // No account holds more than all together, so this fits if the sum does.
        account.held = account.held.checked_add(hold.amount).ok_or(Refusal::Overflow)?;
        self.held = held;
        self.open.insert(hold.id.clone(), hold.clone());
        Ok(())
    }

    /// The only end of a hold. All sums are made before anything changes.
    fn close(
        &mut self,
        id: &Id,
        (charge, at_ms): (Money, u64),
        outcome: Outcome,
    ) -> Result<(), Refusal> {
        let hold = self.find(id)?.clone();
        let held = self.held.checked_sub(hold.amount).ok_or(Refusal::Overflow)?;
        let credit = self.credit.checked_sub(charge).ok_or(Refusal::Overflow)?;
        let account = self.account(&hold.key);
        let account_held = account.held.checked_sub(hold.amount).ok_or(Refusal::Overflow)?;
        if charge != Money::ZERO {
            account.spend = account.spend.plus(charge, at_ms).ok_or(Refusal::Overflow)?;
        }
        account.held = account_held;
        (self.held, self.credit) = (held, credit);
        self.open.remove(id);
        self.closed.add(id.clone(), outcome);
        Ok(())
    }

    fn account(&mut self, key: &Id) -> &mut Account {
        self.accounts.entry(key.clone()).or_default()
    }

    fn find(&self, id: &str) -> Result<&Hold, Refusal> {
        self.open.get(id).ok_or_else(|| self.closed.refusal(id))
    }

    fn find_mut(&mut self, id: &str) -> Result<&mut Hold, Refusal> {
        self.open.get_mut(id).ok_or_else(|| self.closed.refusal(id))
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
