//! Records <-> rows, each table's columns in one place. Numbers that SQLite can't hold (above
//! 2⁶³) become its largest.

use ledger::{Hold, Id, Money, Movement, Spend, State, Window};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};

use crate::store::{GenerationRecord, KeyRecord, read_entries, write_entries};

/// Milliseconds (or a count) as SQLite keeps them.
pub(super) fn ms(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

fn money(row: &Row<'_>, column: &str) -> rusqlite::Result<Money> {
    Ok(Money::from_nanos(row.get(column)?))
}

fn id(row: &Row<'_>, column: &str) -> rusqlite::Result<Id> {
    Ok(Id::from(row.get::<_, String>(column)?))
}

/// JSON that is not what was written.
fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
}

// Keys.

/// Returns how many rows were made: none if there is such a key.
pub(super) fn insert_key(to: &Connection, key: &KeyRecord) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO key (hash, name, label, is_management, is_disabled, limit_nanos, \
               limit_reset, include_byok_in_limit, created_at_ms, updated_at_ms, expires_at_ms, \
               plugins) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING";
    write_key(to, key, sql)
}

/// Returns how many rows were changed.
pub(super) fn update_key(to: &Connection, key: &KeyRecord) -> rusqlite::Result<usize> {
    let sql = "UPDATE key SET name = ?2, label = ?3, is_management = ?4, is_disabled = ?5, \
               limit_nanos = ?6, limit_reset = ?7, include_byok_in_limit = ?8, \
               created_at_ms = ?9, updated_at_ms = ?10, expires_at_ms = ?11, plugins = ?12 \
               WHERE hash = ?1";
    write_key(to, key, sql)
}

fn write_key(to: &Connection, key: &KeyRecord, sql: &str) -> rusqlite::Result<usize> {
    to.prepare_cached(sql)?.execute(params![
        key.hash,
        key.name,
        key.label,
        key.is_management,
        key.is_disabled,
        key.limit.map(Money::nanos),
        key.limit_reset.map(ledger::Reset::as_str),
        key.include_byok_in_limit,
        ms(key.created_at_ms),
        ms(key.updated_at_ms),
        key.expires_at_ms.map(ms),
        write_entries(&key.plugins).to_string(),
    ])
}

/// Returns how many rows were removed.
pub(super) fn delete_key(to: &Connection, hash: &str) -> rusqlite::Result<usize> {
    to.prepare_cached("DELETE FROM key WHERE hash = ?1")?.execute([hash])
}

pub(super) fn read_keys(from: &Connection) -> rusqlite::Result<Vec<KeyRecord>> {
    let sql = "SELECT * FROM key ORDER BY created_at_ms, hash";
    from.prepare_cached(sql)?.query_map([], key)?.collect()
}

pub(super) fn read_key(from: &Connection, hash: &str) -> rusqlite::Result<Option<KeyRecord>> {
    let sql = "SELECT * FROM key WHERE hash = ?1";
    from.prepare_cached(sql)?.query_row([hash], key).optional()
}

fn key(row: &Row<'_>) -> rusqlite::Result<KeyRecord> {
    let limit_reset = row.get::<_, Option<String>>("limit_reset")?;
    let expires_at_ms = row.get::<_, Option<i64>>("expires_at_ms")?;
    let plugins = row.get::<_, String>("plugins")?;
    let plugins = serde_json::from_str(&plugins).map_err(unreadable)?;
    Ok(KeyRecord {
        hash: row.get("hash")?,
        name: row.get("name")?,
        label: row.get("label")?,
        is_management: row.get("is_management")?,
        is_disabled: row.get("is_disabled")?,
        limit: row.get::<_, Option<i64>>("limit_nanos")?.map(Money::from_nanos),
        limit_reset: limit_reset.and_then(|text| text.parse().ok()),
        include_byok_in_limit: row.get("include_byok_in_limit")?,
        plugins: read_entries(plugins).map_err(unreadable)?,
        created_at_ms: unsigned(row, "created_at_ms")?,
        updated_at_ms: unsigned(row, "updated_at_ms")?,
        expires_at_ms: expires_at_ms.map(|at| u64::try_from(at).unwrap_or(0)),
    })
}

// Generations.

pub(super) const INSERT_GENERATION: &str = "INSERT OR REPLACE INTO generation (id, key, created_at_ms, model, provider, \
     prompt_tokens, completion_tokens, reasoning_tokens, cost_nanos, record) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// Fills [`INSERT_GENERATION`].
pub(super) fn write_generation(
    insert: &mut Statement<'_>,
    record: &GenerationRecord,
) -> rusqlite::Result<()> {
    let text = serde_json::to_string(record)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    insert.execute(params![
        record.id,
        record.key,
        ms(record.created_at_ms),
        record.model,
        record.provider_name,
        ms(record.native_tokens_prompt),
        ms(record.native_tokens_completion),
        ms(record.native_tokens_reasoning),
        record.total_cost.nanos(),
        text,
    ])?;
    Ok(())
}

pub(super) fn read_generation(
    from: &Connection,
    id: &str,
) -> rusqlite::Result<Option<GenerationRecord>> {
    let sql = "SELECT record FROM generation WHERE id = ?1";
    let text = from.prepare_cached(sql)?.query_row([id], |row| row.get::<_, String>(0));
    text.optional()?.map(|text| serde_json::from_str(&text).map_err(unreadable)).transpose()
}

// Money.

pub(super) const INSERT_SETTLEMENT: &str = "INSERT INTO settlement (id, key, amount_nanos, overrun_nanos, at_ms, is_expiry) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

/// Fills [`INSERT_SETTLEMENT`]. Returns whether it was new.
pub(super) fn insert_settlement(
    insert: &mut Statement<'_>,
    movement: &Movement,
) -> rusqlite::Result<bool> {
    let Movement::Settle { id, key, amount, overrun, at_ms, is_expiry } = movement else {
        return Ok(false);
    };
    let made = insert.execute(params![
        &**id,
        &**key,
        amount.nanos(),
        overrun.nanos(),
        ms(*at_ms),
        is_expiry,
    ])?;
    Ok(made > 0)
}

pub(super) const INSERT_HOLD: &str = "INSERT INTO hold (id, key, amount_nanos, sent_nanos, expires_ms) \
     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";

/// Fills [`INSERT_HOLD`].
pub(super) fn insert_hold(insert: &mut Statement<'_>, hold: &Hold) -> rusqlite::Result<()> {
    insert.execute(params![
        &*hold.id,
        &*hold.key,
        hold.amount.nanos(),
        hold.sent.nanos(),
        ms(hold.expires_ms),
    ])?;
    Ok(())
}

/// Adds to an account; windows that ended restart, as `ledger` does it.
pub(super) fn add_spend(to: &Connection, key: &str, spend: &Spend) -> rusqlite::Result<()> {
    let sql = "INSERT INTO account (key, total_nanos, daily_start_ms, daily_nanos, \
               weekly_start_ms, weekly_nanos, monthly_start_ms, monthly_nanos) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
               ON CONFLICT (key) DO UPDATE SET total_nanos = total_nanos + ?2, \
               daily_nanos = iif(daily_start_ms < ?3, 0, daily_nanos) + ?4, \
               daily_start_ms = max(daily_start_ms, ?3), \
               weekly_nanos = iif(weekly_start_ms < ?5, 0, weekly_nanos) + ?6, \
               weekly_start_ms = max(weekly_start_ms, ?5), \
               monthly_nanos = iif(monthly_start_ms < ?7, 0, monthly_nanos) + ?8, \
               monthly_start_ms = max(monthly_start_ms, ?7)";
    to.prepare_cached(sql)?.execute(params![
        key,
        spend.total.nanos(),
        ms(spend.daily.start_ms),
        spend.daily.amount.nanos(),
        ms(spend.weekly.start_ms),
        spend.weekly.amount.nanos(),
        ms(spend.monthly.start_ms),
        spend.monthly.amount.nanos(),
    ])?;
    Ok(())
}

/// Everything that a book is restored from, as of one moment.
pub(super) fn read_state(from: &Connection) -> rusqlite::Result<State> {
    let snapshot = from.unchecked_transaction()?;
    let deposits = snapshot
        .prepare("SELECT * FROM deposit")?
        .query_map([], |row| Ok((id(row, "id")?, money(row, "amount_nanos")?)))?
        .collect::<rusqlite::Result<_>>()?;
    let accounts = snapshot
        .prepare("SELECT * FROM account")?
        .query_map([], |row| Ok((id(row, "key")?, spend(row)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let holds = snapshot
        .prepare("SELECT * FROM hold")?
        .query_map([], hold)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(State { deposits, accounts, holds })
}

fn spend(row: &Row<'_>) -> rusqlite::Result<Spend> {
    let window = |start: &str, amount: &str| {
        Ok::<_, rusqlite::Error>(Window {
            start_ms: unsigned(row, start)?,
            amount: money(row, amount)?,
        })
    };
    Ok(Spend {
        total: money(row, "total_nanos")?,
        daily: window("daily_start_ms", "daily_nanos")?,
        weekly: window("weekly_start_ms", "weekly_nanos")?,
        monthly: window("monthly_start_ms", "monthly_nanos")?,
    })
}

fn hold(row: &Row<'_>) -> rusqlite::Result<Hold> {
    Ok(Hold {
        id: id(row, "id")?,
        key: id(row, "key")?,
        amount: money(row, "amount_nanos")?,
        sent: money(row, "sent_nanos")?,
        expires_ms: unsigned(row, "expires_ms")?,
    })
}

/// An account whose total is not the sum of its settlements: the key, the total, the sum.
pub(super) fn find_wrong_account(
    from: &Connection,
) -> rusqlite::Result<Option<(String, Money, Money)>> {
    let sql = "WITH settled AS (SELECT key, sum(amount_nanos) AS nanos FROM settlement GROUP BY key), \
               total AS (SELECT key, total_nanos AS nanos FROM account) \
               SELECT coalesce(total.key, settled.key) AS key, \
               coalesce(total.nanos, 0) AS total_nanos, coalesce(settled.nanos, 0) AS settled_nanos \
               FROM total FULL JOIN settled ON total.key = settled.key \
               WHERE total_nanos <> settled_nanos LIMIT 1";
    from.prepare(sql)?
        .query_row([], |row| {
            Ok((row.get("key")?, money(row, "total_nanos")?, money(row, "settled_nanos")?))
        })
        .optional()
}
