//! Who owes what while generations run: `ledger`'s rules, written through `store`. The book is in
//! memory and answers at once; what it accepted is queued in the same moment, and a settlement is
//! over only when it is written.
//!
//! A hold lives for `billing.hold_ms` and is renewed while its [`Hold`] lives, so that a process
//! that is gone locks money no longer than that.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use anyhow::Context;
use ledger::{Book, Credits, Id, Limit, Mode, Money, Movement, Refusal, Spend};
use parking_lot::Mutex;
use wire::ErrorType;

use crate::clock;
use crate::config::{self, BillingMode};
use crate::error::Error;
use crate::store::{GenerationRecord, Pending, Store, StoreError, Write};

/// The book and the way to the store.
pub(crate) struct Billing {
    desk: Arc<Desk>,
    /// Deposits come one after the other: each is written before the book has it.
    deposits: tokio::sync::Mutex<()>,
}

struct Desk {
    open: Mutex<Open>,
    store: Arc<dyn Store>,
    hold_ms: u64,
}

struct Open {
    book: Book,
    /// The holds of this process whose generations run. Others are not renewed.
    live: HashMap<Id, Arc<Live>>,
}

/// A running generation.
#[derive(Default)]
struct Live {
    /// What was sent so far is worth, in nano-dollars.
    sent: AtomicI64,
    /// Whether the store knows of the hold. Most generations end before that is due, and a hold
    /// without anything sent would be voided after a crash as if it had never been.
    is_written: AtomicBool,
}

/// Money reserved for a running generation. It ends by [`Hold::settle`] or [`Hold::void`]; one
/// that is dropped instead is not renewed any more, and when its time is up it settles at what
/// was sent, or is voided when nothing was.
#[must_use]
pub(crate) struct Hold {
    desk: Arc<Desk>,
    id: Id,
    live: Arc<Live>,
}

/// What a key spent and may still spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// In all and in the running windows.
    pub(crate) spend: Spend,
    /// Held by its generations that run.
    pub(crate) held: Money,
    /// What its limit leaves in this window; none without a limit.
    pub(crate) limit_remaining: Option<Money>,
}

impl Billing {
    /// Restores the book from the store. Holds that an earlier process left behind settle or are
    /// voided if their time is up, and are kept until then if not.
    ///
    /// # Errors
    /// When the store can't be read, serves another process, or does not balance.
    pub(crate) async fn load(
        store: Arc<dyn Store>,
        config: &config::Billing,
    ) -> Result<Self, anyhow::Error> {
        let mode = match config.mode {
            BillingMode::Metered => Mode::Metered,
            BillingMode::Prepaid => Mode::Prepaid,
        };
        let state = store.book().await.context("the book could not be read")?;
        let book = Book::restore(mode, state).context("the store holds no valid book")?;
        book.check()?;
        tokio::spawn(audit(Arc::clone(&store)));
        let open = Mutex::new(Open { book, live: HashMap::new() });
        let desk = Arc::new(Desk { open, store, hold_ms: config.hold_ms });
        let billing = Self { desk, deposits: tokio::sync::Mutex::new(()) };
        billing.reload_limits().await.context("the keys could not be read")?;
        billing.upkeep(clock::unix_ms()).await;
        Ok(billing)
    }

    /// Reserves the most that a generation can cost. Answers at once: the check is in memory, and
    /// the hold is queued for the store without waiting.
    ///
    /// # Errors
    /// 402 when credit does not reach, 403 when the key's limit does not, 503 when the store is
    /// behind by as many writes as may wait.
    pub(crate) fn hold(
        &self,
        id: &str,
        key: &str,
        amount: Money,
        now_ms: u64,
    ) -> Result<Hold, Error> {
        let id = Id::from(id);
        let hold = ledger::Hold {
            id: id.clone(),
            key: key.into(),
            amount,
            sent: Money::ZERO,
            expires_ms: now_ms.saturating_add(self.desk.hold_ms),
        };
        let live = Arc::new(Live::default());
        let mut open = self.desk.open.lock();
        // A repeat would give two owners to one hold.
        let new = open.book.hold(hold, now_ms).and_then(|new| new.ok_or(Refusal::Reused));
        new.map_err(|refusal| match refusal {
            Refusal::Reused => Error::us(refusal),
            other => refused(other),
        })?;
        open.live.insert(id.clone(), Arc::clone(&live));
        Ok(Hold { desk: Arc::clone(&self.desk), id, live })
    }

    /// Puts credit in; returns when that is written. The same id and amount again do nothing.
    ///
    /// # Errors
    /// 400 for an amount that is not above zero or too large, 412 for an id that another amount
    /// was put in under.
    pub(crate) async fn deposit(&self, amount: Money, id: &str) -> Result<(), Error> {
        let _turn = self.deposits.lock().await;
        let is_new = self.desk.open.lock().book.check_deposit(id, amount).map_err(refused)?;
        if is_new {
            let movement = Movement::Deposit { id: id.into(), amount };
            self.desk.store.commit(Write::Movement(movement)).await.map_err(Error::us)?;
            self.desk.open.lock().book.deposit(id, amount).map_err(refused)?;
        }
        Ok(())
    }

    /// What was put in, spent and held, over all keys.
    pub(crate) fn credits(&self) -> Credits {
        self.desk.open.lock().book.credits()
    }

    /// What a key spent and may still spend.
    pub(crate) fn usage(&self, key: &str, now_ms: u64) -> Usage {
        let open = self.desk.open.lock();
        let (spend, held) = open.book.spend(key, now_ms);
        Usage { spend, held, limit_remaining: open.book.limit_remaining(key, now_ms) }
    }

    /// Sets or lifts what a key may spend, from the next hold on.
    pub(crate) fn set_limit(&self, key: &str, limit: Option<Limit>) {
        self.desk.open.lock().book.set_limit(key, limit);
    }

    /// Takes the keys' limits from the store, where another process may have changed them.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(crate) async fn reload_limits(&self) -> Result<(), StoreError> {
        let keys = self.desk.store.keys().await?;
        let mut open = self.desk.open.lock();
        for key in keys {
            open.book.set_limit(&key.hash, key.spend_limit());
        }
        Ok(())
    }

    /// Renews the holds of running generations, notes what they sent so far, and closes holds
    /// whose time is up. To be called several times within `billing.hold_ms`; returns when all
    /// of it is written.
    pub(crate) async fn upkeep(&self, now_ms: u64) {
        let mut written = Vec::new();
        let live: Vec<_> = {
            let open = self.desk.open.lock();
            open.live.iter().map(|(id, live)| (id.clone(), Arc::clone(live))).collect()
        };
        // The lock is let go now and then: requests wait for it.
        for part in live.chunks(LOCKED_MAX) {
            let mut open = self.desk.open.lock();
            for (id, live) in part {
                written.extend(self.desk.write(open.refresh(id, live, now_ms, self.desk.hold_ms)));
            }
        }
        {
            let mut open = self.desk.open.lock();
            let over = open.book.expire(now_ms);
            for movement in &over {
                tracing::warn!("the hold of {} expired", movement.id());
                open.live.remove(movement.id());
            }
            written.extend(self.desk.write(over));
        }
        for written in written {
            if let Err(error) = written.await {
                tracing::error!("a movement of money was not written: {error}");
            }
        }
    }
}

impl Hold {
    /// Notes what was sent so far is worth. It never goes down.
    pub(crate) fn progress(&self, sent: Money) {
        self.live.sent.fetch_max(sent.nanos(), Ordering::Relaxed);
    }

    /// Charges the true cost, gives the rest of the hold back and keeps the record. The charge is
    /// made by the call itself; the future ends when it is written, and says what was charged:
    /// for a hold that had expired, what it expired at.
    ///
    /// The future borrows nothing: spawn it, and it outlives the request.
    pub(crate) fn settle(
        self,
        actual: Money,
        mut record: GenerationRecord,
    ) -> impl Future<Output = Result<Money, Error>> + Send + 'static {
        let now_ms = clock::unix_ms();
        let charged = match self.end(|book, id| book.settle(id, actual, now_ms)) {
            Ok(movement) => Ok((actual, movement)),
            Err(Refusal::Expired { charged }) => Ok((charged, None)),
            Err(refusal) => Err(Error::us(refusal)),
        };
        let written = charged.map(|(charged, movement)| {
            record.total_cost = charged;
            let record = Box::new(record);
            let write = match movement {
                Some(movement) => Write::End(movement, record),
                None => Write::Generation(record),
            };
            (charged, self.desk.store.commit(write))
        });
        async move {
            let (charged, written) = written?;
            written.await.map_err(Error::us)?;
            Ok(charged)
        }
    }

    /// Gives the whole hold back. Waits for nothing: should the store never hear of it, the hold
    /// it has expires without a charge.
    pub(crate) fn void(self) {
        match self.end(|book, id| book.void(id)) {
            Ok(Some(movement)) if self.live.is_written.load(Ordering::Relaxed) => {
                if let Err(error) = self.desk.store.offer(Write::Movement(movement)) {
                    tracing::warn!("a voided hold was not written: {error}");
                }
            }
            Ok(_) => {}
            Err(refusal) => tracing::warn!("the hold of {} was not voided: {refusal}", self.id),
        }
    }

    /// Ends it in the book, if the book agrees, and in any case stops renewing it.
    fn end(
        &self,
        end: impl FnOnce(&mut Book, &str) -> Result<Option<Movement>, Refusal>,
    ) -> Result<Option<Movement>, Refusal> {
        let mut open = self.desk.open.lock();
        open.live.remove(&self.id);
        end(&mut open.book, &self.id)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut open = self.desk.open.lock();
        // One that ended is not live any more.
        if open.live.remove(&self.id).is_none() {
            return;
        }
        let now_ms = clock::unix_ms();
        for movement in open.refresh(&self.id, &self.live, now_ms, self.desk.hold_ms) {
            if let Err(error) = self.desk.store.offer(Write::Movement(movement)) {
                tracing::warn!("what {} sent was not written: {error}", self.id);
            }
        }
    }
}

impl Desk {
    /// Queues movements that the book made.
    fn write(&self, movements: impl IntoIterator<Item = Movement>) -> Vec<Pending<()>> {
        let queue = |movement| self.store.commit(Write::Movement(movement));
        movements.into_iter().map(queue).collect()
    }
}

impl Open {
    fn refresh(&mut self, id: &Id, live: &Live, now_ms: u64, hold_ms: u64) -> Vec<Movement> {
        let mut movements = Vec::new();
        // One that ended since the list was made is refused, which is right.
        let sent = Money::from_nanos(live.sent.load(Ordering::Relaxed));
        let progress = self.book.progress(id, sent).ok().flatten();
        match live.is_written.swap(true, Ordering::Relaxed) {
            true => movements.extend(progress),
            false => movements.extend(self.book.open(id).cloned().map(Movement::Hold)),
        }
        let expires_ms = self.book.open(id).map_or(u64::MAX, |hold| hold.expires_ms);
        if expires_ms.saturating_sub(now_ms) < hold_ms / 2 {
            let renewed = self.book.renew(id, now_ms.saturating_add(hold_ms));
            movements.extend(renewed.ok().flatten());
        }
        movements
    }
}

/// Proves the accounts against every settlement there is. That takes as long as there are many,
/// so it does not hold up the start.
async fn audit(store: Arc<dyn Store>) {
    match store.audit().await {
        Ok(()) => tracing::debug!("the accounts add up"),
        Err(error) => tracing::error!("the accounts were not proven: {error}"),
    }
}

/// A refusal as the client is told of it.
fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Credit { asked, affordable } if affordable > Money::ZERO => {
            let message = format!(
                "This request requires more credits, or fewer max_tokens. It may cost up to \
                 ${asked}, but only ${affordable} can be afforded. Add credit with POST \
                 /api/v1/credits"
            );
            Error::client(ErrorType::PaymentRequired, message)
        }
        Refusal::Credit { .. } => {
            let message = "Insufficient credits. Add more with POST /api/v1/credits";
            Error::client(ErrorType::PaymentRequired, message)
        }
        Refusal::KeyLimit { asked, affordable, reset } => {
            let name = reset.map_or("total", ledger::Reset::as_str);
            let message = format!(
                "Key limit exceeded ({name} limit). This request may cost up to ${asked}, and \
                 the limit leaves ${affordable}. Raise it with PATCH /api/v1/keys/{{hash}}"
            );
            Error::client(ErrorType::PermissionDenied, message)
        }
        Refusal::NotPositive => {
            Error::client(ErrorType::InvalidRequest, "amount: it must be above zero")
        }
        Refusal::Overflow => {
            Error::client(ErrorType::InvalidRequest, "The amount is too large for the book")
        }
        Refusal::Reused => Error::client(
            ErrorType::PreconditionFailed,
            "The id was used before, for something else",
        ),
        Refusal::Negative
        | Refusal::UnknownHold
        | Refusal::Settled { .. }
        | Refusal::Voided
        | Refusal::Expired { .. } => Error::us(refusal),
    }
}

/// Holds that are renewed in one go, with the book locked.
const LOCKED_MAX: usize = 256;

#[cfg(test)]
mod tests;
