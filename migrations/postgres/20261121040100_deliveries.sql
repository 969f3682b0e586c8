-- Whether a person must approve a run first, and who did.
ALTER TABLE causes ADD COLUMN needs_approval BIGINT NOT NULL DEFAULT 0;
ALTER TABLE causes ADD COLUMN approved_by TEXT;

-- What code hosts delivered and proved to be theirs.
CREATE TABLE deliveries (
    number         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    source         TEXT NOT NULL,
    task           TEXT,
    provider       TEXT NOT NULL,
    event          TEXT NOT NULL,
    headers        TEXT NOT NULL,
    body           BYTEA NOT NULL,
    received_at    TEXT NOT NULL,
    claimed_until  BIGINT NOT NULL DEFAULT 0, -- milliseconds since 1970 by this database's clock
    decision       TEXT,
    replays        BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX deliveries_undecided ON deliveries (number) WHERE decision IS NULL;

-- Of what was refused, no more than this is kept.
CREATE TABLE rejections (
    number  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      TEXT NOT NULL,
    sender  TEXT NOT NULL,
    bytes   BIGINT NOT NULL,
    reason  TEXT NOT NULL
);

-- Where references stand. A door of its own (scope) has its own view.
CREATE TABLE source_heads (
    scope       TEXT NOT NULL,
    repository  TEXT NOT NULL,
    reference   TEXT NOT NULL,
    head        TEXT,
    at          BIGINT, -- by the code host's clock
    moved_at    BIGINT NOT NULL,
    PRIMARY KEY (scope, repository, reference)
);

-- Every commit that a reference was heard to stand at, and how often.
CREATE TABLE source_commits (
    scope       TEXT NOT NULL,
    repository  TEXT NOT NULL,
    reference   TEXT NOT NULL,
    head        TEXT NOT NULL,
    visits      BIGINT NOT NULL,
    PRIMARY KEY (scope, repository, reference, head)
);

-- Who may deliver.
CREATE TABLE hook_sources (
    name             TEXT PRIMARY KEY,
    provider         TEXT NOT NULL,
    task             TEXT,
    key_id           TEXT NOT NULL,
    sealed           BYTEA NOT NULL,
    previous_key_id  TEXT,
    previous_sealed  BYTEA,
    previous_until   TEXT,
    token_key_id     TEXT,
    token_sealed     BYTEA,
    api              TEXT,
    updated_at       TEXT NOT NULL
);

-- How runs go, to be told to code hosts.
CREATE TABLE reports (
    run            TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    target         TEXT NOT NULL,
    told           TEXT NOT NULL DEFAULT '',
    attempts       BIGINT NOT NULL DEFAULT 0,
    is_done        BIGINT NOT NULL DEFAULT 0,
    claimed_until  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX reports_open ON reports (claimed_until) WHERE is_done = 0;
