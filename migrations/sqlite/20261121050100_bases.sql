-- The bases that the builds of tasks stand on, as last learned; times are milliseconds since 1970.
CREATE TABLE bases (
    task          TEXT NOT NULL,
    key           TEXT NOT NULL,
    is_runtime    INTEGER NOT NULL,
    stood_on      TEXT,
    learned_from  TEXT NOT NULL,
    learned_at    INTEGER NOT NULL,
    PRIMARY KEY (task, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX bases_by_key ON bases (key);

-- What is looked at in registries: the content of a tag, or the newest tag that a rule allows.
CREATE TABLE watches (
    key         TEXT PRIMARY KEY,
    repository  TEXT NOT NULL,
    rule        TEXT,
    seen        TEXT,
    etag        TEXT,
    prompt      TEXT, -- who asked for the next look
    next_at     INTEGER NOT NULL,
    held_until  INTEGER NOT NULL DEFAULT 0,
    looked_at   INTEGER,
    failures    INTEGER NOT NULL DEFAULT 0,
    problem     TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX watches_due ON watches (next_at);
CREATE INDEX watches_by_repository ON watches (repository);

-- What was seen to have moved, only ever added to.
CREATE TABLE observations (
    number    INTEGER PRIMARY KEY,
    key       TEXT NOT NULL,
    previous  TEXT,
    present   TEXT NOT NULL,
    how       TEXT NOT NULL,
    at        INTEGER NOT NULL
) STRICT;

-- What was decided about it, for each task that stands on it.
CREATE TABLE base_decisions (
    number       INTEGER PRIMARY KEY,
    observation  INTEGER NOT NULL REFERENCES observations (number),
    task         TEXT NOT NULL,
    due_at       INTEGER,
    run          TEXT,
    reason       TEXT NOT NULL,
    is_waiting   INTEGER NOT NULL -- for other bases to settle
) STRICT;
CREATE INDEX base_decisions_of_task ON base_decisions (task, number);
CREATE INDEX base_decisions_waiting ON base_decisions (due_at) WHERE is_waiting;
