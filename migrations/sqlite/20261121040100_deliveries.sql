-- Whether a person must approve a run first, and who did.
ALTER TABLE causes ADD COLUMN needs_approval INTEGER NOT NULL DEFAULT 0;
ALTER TABLE causes ADD COLUMN approved_by TEXT;

-- What code hosts delivered and proved to be theirs.
CREATE TABLE deliveries (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT NOT NULL UNIQUE,
    source         TEXT NOT NULL,
    task           TEXT,
    provider       TEXT NOT NULL,
    event          TEXT NOT NULL,
    headers        TEXT NOT NULL,
    body           BLOB NOT NULL,
    received_at    TEXT NOT NULL,
    claimed_until  INTEGER NOT NULL DEFAULT 0, -- milliseconds since 1970 by this database's clock
    decision       TEXT,
    replays        INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX deliveries_undecided ON deliveries (number) WHERE decision IS NULL;

-- Of what was refused, no more than this is kept.
CREATE TABLE rejections (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    at      TEXT NOT NULL,
    sender  TEXT NOT NULL,
    bytes   INTEGER NOT NULL,
    reason  TEXT NOT NULL
) STRICT;

-- Where references stand. A door of its own (scope) has its own view.
CREATE TABLE source_heads (
    scope       TEXT NOT NULL,
    repository  TEXT NOT NULL,
    reference   TEXT NOT NULL,
    head        TEXT,
    at          INTEGER, -- by the code host's clock
    moved_at    INTEGER NOT NULL,
    PRIMARY KEY (scope, repository, reference)
) STRICT, WITHOUT ROWID;

-- Every commit that a reference was heard to stand at, and how often.
CREATE TABLE source_commits (
    scope       TEXT NOT NULL,
    repository  TEXT NOT NULL,
    reference   TEXT NOT NULL,
    head        TEXT NOT NULL,
    visits      INTEGER NOT NULL,
    PRIMARY KEY (scope, repository, reference, head)
) STRICT, WITHOUT ROWID;

-- Who may deliver.
CREATE TABLE hook_sources (
    name             TEXT PRIMARY KEY,
    provider         TEXT NOT NULL,
    task             TEXT,
    key_id           TEXT NOT NULL,
    sealed           BLOB NOT NULL,
    previous_key_id  TEXT,
    previous_sealed  BLOB,
    previous_until   TEXT,
    token_key_id     TEXT,
    token_sealed     BLOB,
    api              TEXT,
    updated_at       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How runs go, to be told to code hosts.
CREATE TABLE reports (
    run            TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    target         TEXT NOT NULL,
    told           TEXT NOT NULL DEFAULT '',
    attempts       INTEGER NOT NULL DEFAULT 0,
    is_done        INTEGER NOT NULL DEFAULT 0,
    claimed_until  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX reports_open ON reports (claimed_until) WHERE is_done = 0;
