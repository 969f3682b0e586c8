-- The bases that the builds of tasks stand on, as last learned; times are milliseconds since 1970.
CREATE TABLE bases (
    task          TEXT COLLATE "C" NOT NULL,
    key           TEXT COLLATE "C" NOT NULL,
    is_runtime    BOOLEAN NOT NULL,
    stood_on      TEXT,
    learned_from  TEXT NOT NULL,
    learned_at    BIGINT NOT NULL,
    PRIMARY KEY (task, key)
);
CREATE INDEX bases_by_key ON bases (key);

-- What is looked at in registries: the content of a tag, or the newest tag that a rule allows.
CREATE TABLE watches (
    key         TEXT COLLATE "C" PRIMARY KEY,
    repository  TEXT NOT NULL,
    rule        TEXT,
    seen        TEXT,
    etag        TEXT,
    prompt      TEXT, -- who asked for the next look
    next_at     BIGINT NOT NULL,
    held_until  BIGINT NOT NULL DEFAULT 0,
    looked_at   BIGINT,
    failures    BIGINT NOT NULL DEFAULT 0,
    problem     TEXT
);
CREATE INDEX watches_due ON watches (next_at);
CREATE INDEX watches_by_repository ON watches (repository);

-- What was seen to have moved, only ever added to.
CREATE TABLE observations (
    number    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key       TEXT COLLATE "C" NOT NULL,
    previous  TEXT,
    present   TEXT NOT NULL,
    how       TEXT NOT NULL,
    at        BIGINT NOT NULL
);

-- What was decided about it, for each task that stands on it.
CREATE TABLE base_decisions (
    number       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    observation  BIGINT NOT NULL REFERENCES observations (number),
    task         TEXT COLLATE "C" NOT NULL,
    due_at       BIGINT,
    run          TEXT,
    reason       TEXT NOT NULL,
    is_waiting   BOOLEAN NOT NULL -- for other bases to settle
);
CREATE INDEX base_decisions_of_task ON base_decisions (task, number);
CREATE INDEX base_decisions_waiting ON base_decisions (due_at) WHERE is_waiting;
