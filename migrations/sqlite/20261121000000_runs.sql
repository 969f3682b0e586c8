-- The random id that is part of every name on an engine.
CREATE TABLE store (
    id TEXT NOT NULL
) STRICT;
INSERT INTO store (id) VALUES (lower(hex(randomblob(5))));

-- The summary of each run and the claim on it. Rewritten by every record, so it stays small.
CREATE TABLE runs (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    cause        TEXT NOT NULL,
    status       TEXT NOT NULL,
    reason       TEXT,
    rerun_of     TEXT,
    created_at   TEXT NOT NULL,
    started_at   TEXT,
    ended_at     TEXT,
    steps        INTEGER NOT NULL DEFAULT 0,
    steps_ended  INTEGER NOT NULL DEFAULT 0,
    generation   INTEGER NOT NULL DEFAULT 1,
    last_event   INTEGER NOT NULL DEFAULT 0,
    lease_owner  TEXT,
    lease_token  INTEGER NOT NULL DEFAULT 0,
    lease_until  INTEGER NOT NULL DEFAULT 0 -- milliseconds since 1970 by this database's clock
) STRICT;
CREATE INDEX runs_unfinished ON runs (number) WHERE status IN ('queued', 'preparing', 'running');

-- The long texts of a run, apart because they hardly change.
CREATE TABLE documents (
    run       TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    request   TEXT NOT NULL,
    prepared  TEXT NOT NULL DEFAULT 'null'
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
    run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    run         TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    generation  INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    at          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (run, generation, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE steps (
    run         TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    generation  INTEGER NOT NULL,
    step        INTEGER NOT NULL,
    id          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    status      TEXT NOT NULL,
    ignored     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    exit_code   INTEGER,
    reason      TEXT,
    started_at  TEXT,
    ended_at    TEXT,
    images      TEXT NOT NULL,
    PRIMARY KEY (run, generation, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    run         TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    generation  INTEGER NOT NULL,
    step        INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    container   TEXT,
    outcome     TEXT,
    exit_code   INTEGER,
    started_at  TEXT NOT NULL,
    ended_at    TEXT,
    PRIMARY KEY (run, generation, step, attempt)
) STRICT, WITHOUT ROWID;
