-- Money is in nano-dollars, time in milliseconds since 1970, booleans are 0 or 1.

-- What clients show us. Only the hash is kept, so a copy of this file opens nothing.
CREATE TABLE key (
    hash                 TEXT PRIMARY KEY NOT NULL,
    name                 TEXT NOT NULL,
    label                TEXT NOT NULL,
    is_management        INTEGER NOT NULL,
    is_disabled          INTEGER NOT NULL,
    limit_nanos          INTEGER,
    limit_reset          TEXT CHECK (limit_reset IN ('daily', 'weekly', 'monthly')),
    include_byok_in_limit INTEGER NOT NULL,
    created_at_ms        INTEGER NOT NULL,
    updated_at_ms        INTEGER NOT NULL,
    expires_at_ms        INTEGER
) STRICT, WITHOUT ROWID;

-- What each key spent. It outlives the key: its part of the sum stays.
CREATE TABLE account (
    key                  TEXT PRIMARY KEY NOT NULL,
    total_nanos          INTEGER NOT NULL,
    daily_start_ms       INTEGER NOT NULL,
    daily_nanos          INTEGER NOT NULL,
    weekly_start_ms      INTEGER NOT NULL,
    weekly_nanos         INTEGER NOT NULL,
    monthly_start_ms     INTEGER NOT NULL,
    monthly_nanos        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deposit (
    id                   TEXT PRIMARY KEY NOT NULL,
    amount_nanos         INTEGER NOT NULL CHECK (amount_nanos > 0)
) STRICT, WITHOUT ROWID;

-- Money reserved for generations that run, or ran in a process that is gone.
CREATE TABLE hold (
    id                   TEXT PRIMARY KEY NOT NULL,
    key                  TEXT NOT NULL,
    amount_nanos         INTEGER NOT NULL CHECK (amount_nanos >= 0),
    sent_nanos           INTEGER NOT NULL CHECK (sent_nanos >= 0),
    expires_ms           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How holds became charges. The id is the hold's, so that none does so twice.
CREATE TABLE settlement (
    id                   TEXT PRIMARY KEY NOT NULL,
    key                  TEXT NOT NULL,
    amount_nanos         INTEGER NOT NULL CHECK (amount_nanos >= 0),
    overrun_nanos        INTEGER NOT NULL CHECK (overrun_nanos >= 0),
    at_ms                INTEGER NOT NULL,
    is_expiry            INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was done. Columns are what sums are made of, `record` is everything, as JSON.
CREATE TABLE generation (
    id                   TEXT PRIMARY KEY NOT NULL,
    key                  TEXT NOT NULL,
    created_at_ms        INTEGER NOT NULL,
    model                TEXT NOT NULL,
    provider             TEXT,
    prompt_tokens        INTEGER NOT NULL,
    completion_tokens    INTEGER NOT NULL,
    reasoning_tokens     INTEGER NOT NULL,
    cost_nanos           INTEGER NOT NULL,
    record               TEXT NOT NULL
) STRICT;
