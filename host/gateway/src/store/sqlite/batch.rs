//! One transaction of writes. A hold that ends within it is never written, and each account is
//! written once, however many settlements it has.

use std::collections::HashMap;

use ledger::{Hold, Id, Money, Movement, Spend};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::responses;
use super::rows::{self, ms};
use crate::store::{StoreError, Write};

/// A transaction that is being filled.
pub(super) struct Batch<'a> {
    to: &'a Connection,
    // What every generation needs: to look a statement up costs as much as to fill it.
    holds: CachedStatement<'a>,
    ends: CachedStatement<'a>,
    settlements: CachedStatement<'a>,
    generations: CachedStatement<'a>,
    /// Holds that began in this batch and are still open.
    begun: HashMap<Id, Hold>,
    /// What was spent in this batch.
    spent: HashMap<Id, Spend>,
}

/// What became of a write: a conflict is its own fault and leaves the transaction as it was.
type Kept = Result<(), StoreError>;

impl<'a> Batch<'a> {
    pub(super) fn new(to: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            to,
            holds: to.prepare_cached(rows::INSERT_HOLD)?,
            ends: to.prepare_cached("DELETE FROM hold WHERE id = ?1")?,
            settlements: to.prepare_cached(rows::INSERT_SETTLEMENT)?,
            generations: to.prepare_cached(rows::INSERT_GENERATION)?,
            begun: HashMap::new(),
            spent: HashMap::new(),
        })
    }

    /// Makes one write.
    ///
    /// # Errors
    /// When the whole transaction has to be given up.
    pub(super) fn write(&mut self, write: &Write) -> rusqlite::Result<Kept> {
        match write {
            Write::Movement(movement) => self.movement(movement),
            Write::End(movement, record) => match self.movement(movement)? {
                Ok(()) => rows::write_generation(&mut self.generations, record).map(Ok),
                refused => Ok(refused),
            },
            Write::Generation(record) => {
                rows::write_generation(&mut self.generations, record).map(Ok)
            }
            Write::NewKey(record) => match rows::insert_key(self.to, record)? {
                0 => Ok(Err(StoreError::Conflict { id: record.hash.clone() })),
                _ => Ok(Ok(())),
            },
            Write::Key(record) => Ok(known(rows::update_key(self.to, record)?, &record.hash)),
            Write::NoKey(hash) => Ok(known(rows::delete_key(self.to, hash)?, hash)),
            Write::Response(record) => match responses::insert(self.to, record)? {
                0 => Ok(Err(StoreError::Conflict { id: record.id.clone() })),
                _ => Ok(Ok(())),
            },
            Write::NoResponse(id) => Ok(known(responses::delete(self.to, id)?, id)),
            Write::NoResponsesBefore(now_ms) => responses::delete_before(self.to, *now_ms).map(Ok),
        }
    }

    /// Writes what was put off.
    pub(super) fn finish(mut self) -> rusqlite::Result<()> {
        for hold in self.begun.values() {
            rows::insert_hold(&mut self.holds, hold)?;
        }
        for (key, spend) in &self.spent {
            rows::add_spend(self.to, key, spend)?;
        }
        Ok(())
    }

    fn movement(&mut self, movement: &Movement) -> rusqlite::Result<Kept> {
        match movement {
            Movement::Deposit { id, amount } => self.deposit(id, *amount),
            Movement::Hold(hold) => {
                self.begun.insert(hold.id.clone(), hold.clone());
                Ok(Ok(()))
            }
            Movement::Renew { id, expires_ms } => {
                if let Some(hold) = self.begun.get_mut(id) {
                    hold.expires_ms = hold.expires_ms.max(*expires_ms);
                    return Ok(Ok(()));
                }
                // No row is no fault: the hold may have ended meanwhile.
                let sql = "UPDATE hold SET expires_ms = max(expires_ms, ?2) WHERE id = ?1";
                self.to.prepare_cached(sql)?.execute(params![&**id, ms(*expires_ms)])?;
                Ok(Ok(()))
            }
            Movement::Progress { id, sent } => {
                if let Some(hold) = self.begun.get_mut(id) {
                    hold.sent = hold.sent.max(*sent);
                    return Ok(Ok(()));
                }
                let sql = "UPDATE hold SET sent_nanos = max(sent_nanos, ?2) WHERE id = ?1";
                self.to.prepare_cached(sql)?.execute(params![&**id, sent.nanos()])?;
                Ok(Ok(()))
            }
            Movement::Settle { .. } => self.settle(movement),
            Movement::Void { id, .. } => self.end(id).map(Ok),
        }
    }

    fn deposit(&self, id: &Id, amount: Money) -> rusqlite::Result<Kept> {
        let sql = "INSERT INTO deposit (id, amount_nanos) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        if self.to.prepare_cached(sql)?.execute(params![&**id, amount.nanos()])? > 0 {
            return Ok(Ok(()));
        }
        let sql = "SELECT amount_nanos FROM deposit WHERE id = ?1";
        let known: i64 = self.to.prepare_cached(sql)?.query_row([&**id], |row| row.get(0))?;
        Ok(same(known == amount.nanos(), id))
    }

    fn settle(&mut self, movement: &Movement) -> rusqlite::Result<Kept> {
        let Movement::Settle { id, key, amount, at_ms, .. } = movement else { return Ok(Ok(())) };
        if !rows::insert_settlement(&mut self.settlements, movement)? {
            let sql = "SELECT key, amount_nanos FROM settlement WHERE id = ?1";
            let known: Option<(String, i64)> = self
                .to
                .prepare_cached(sql)?
                .query_row([&**id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            return Ok(same(known == Some((key.to_string(), amount.nanos())), id));
        }
        let spend = self.spent.entry(key.clone()).or_default();
        match spend.plus(*amount, *at_ms) {
            Some(sum) => *spend = sum,
            // A batch that adds up to more than fits is written in two goes.
            None => {
                let full = std::mem::take(spend);
                rows::add_spend(self.to, key, &full)?;
                *spend = Spend::default().plus(*amount, *at_ms).unwrap_or_default();
            }
        }
        self.end(id)?;
        Ok(Ok(()))
    }

    /// Takes a hold away.
    fn end(&mut self, id: &Id) -> rusqlite::Result<()> {
        if self.begun.remove(id).is_none() {
            self.ends.execute([&**id])?;
        }
        Ok(())
    }
}

fn same(is_same: bool, id: &str) -> Kept {
    if is_same { Ok(()) } else { Err(StoreError::Conflict { id: id.to_owned() }) }
}

fn known(rows: usize, id: &str) -> Kept {
    if rows > 0 { Ok(()) } else { Err(StoreError::Unknown { id: id.to_owned() }) }
}
