-- Replies that clients asked to keep (`store: true` of the Responses API), each with what it
-- answered, so that a later request can go on from it.
CREATE TABLE response (
    id                   TEXT PRIMARY KEY NOT NULL,
    key                  TEXT NOT NULL,
    previous             TEXT,
    expires_at_ms        INTEGER NOT NULL,
    input                TEXT NOT NULL,
    body                 TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX response_by_expiry ON response (expires_at_ms);
