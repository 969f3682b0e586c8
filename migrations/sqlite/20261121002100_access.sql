-- Tokens by the hash of their secret; the secret itself is nowhere.
CREATE TABLE tokens (
    hash          TEXT PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    expires_at    TEXT,
    last_used_at  TEXT,
    revoked_at    TEXT
) STRICT, WITHOUT ROWID;

-- Who did what through the server.
CREATE TABLE audit (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    at       TEXT NOT NULL,
    who      TEXT NOT NULL,
    action   TEXT NOT NULL,
    status   INTEGER NOT NULL,
    address  TEXT NOT NULL
) STRICT;

-- Requests that may come again, with the answer that each was given; without one it is under way.
CREATE TABLE requests (
    key          TEXT PRIMARY KEY,
    fingerprint  TEXT NOT NULL,
    began_at     TEXT NOT NULL,
    status       INTEGER,
    body         TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_age ON requests (began_at);
