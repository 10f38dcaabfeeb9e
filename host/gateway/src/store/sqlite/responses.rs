//! Kept replies <-> rows.

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::ms;
use crate::store::ResponseRecord;

/// Returns how many rows were made: none if there is such a reply.
pub(super) fn insert(to: &Connection, record: &ResponseRecord) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO response (id, key, previous, expires_at_ms, input, body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    let ResponseRecord { id, key, previous, expires_at_ms, input, body } = record;
    to.prepare_cached(sql)?.execute(params![id, key, previous, ms(*expires_at_ms), input, body])
}

/// Returns how many rows were removed.
pub(super) fn delete(to: &Connection, id: &str) -> rusqlite::Result<usize> {
    to.prepare_cached("DELETE FROM response WHERE id = ?1")?.execute([id])
}

/// Removes those whose time is over.
pub(super) fn delete_before(to: &Connection, now_ms: u64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM response WHERE expires_at_ms <= ?1";
    to.prepare_cached(sql)?.execute([ms(now_ms)]).map(drop)
}

pub(super) fn read(
    from: &Connection,
    id: &str,
    now_ms: u64,
) -> rusqlite::Result<Option<ResponseRecord>> {
    let sql = "SELECT id, key, previous, expires_at_ms, input, body FROM response \
               WHERE id = ?1 AND expires_at_ms > ?2";
    let row = |row: &rusqlite::Row<'_>| {
        Ok(ResponseRecord {
            id: row.get(0)?,
            key: row.get(1)?,
            previous: row.get(2)?,
            expires_at_ms: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            input: row.get(4)?,
            body: row.get(5)?,
        })
    };
    from.prepare_cached(sql)?.query_row(params![id, ms(now_ms)], row).optional()
}
