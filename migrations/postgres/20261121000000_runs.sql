-- The random id that is part of every name on an engine.
CREATE TABLE store (
    id TEXT NOT NULL
);
INSERT INTO store (id) SELECT left(replace(gen_random_uuid()::text, '-', ''), 10);

-- Milliseconds since 1970 by this database's clock, which goes on within a transaction.
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
    $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

-- The summary of each run, the claim on it and where it waits. Rewritten by every record, so it stays small, and its
-- pages keep room for new versions of its rows.
CREATE TABLE runs (
    number             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id                 TEXT COLLATE "C" NOT NULL UNIQUE,
    name               TEXT NOT NULL,
    cause              TEXT NOT NULL,
    status             TEXT NOT NULL,
    reason             TEXT,
    rerun_of           TEXT,
    created_at         TEXT NOT NULL,
    started_at         TEXT,
    ended_at           TEXT,
    steps              BIGINT NOT NULL DEFAULT 0,
    steps_ended        BIGINT NOT NULL DEFAULT 0,
    generation         BIGINT NOT NULL DEFAULT 1,
    last_event         BIGINT NOT NULL DEFAULT 0,
    lease_owner        TEXT,
    lease_engine       TEXT,
    lease_token        BIGINT NOT NULL DEFAULT 0,
    lease_until        BIGINT NOT NULL DEFAULT 0, -- as now_ms() counts
    -- Where it waits; null for a run that its client drives itself.
    pool               TEXT,
    priority           BIGINT NOT NULL DEFAULT 0,
    task               TEXT,
    concurrency_group  TEXT,
    group_policy       TEXT,
    on_worker_loss     TEXT,
    -- 'ready' to be claimed, 'waiting' for a limit, null when it does not wait.
    queue_state        TEXT,
    cancel_reason      TEXT,
    -- How many limits it counts towards.
    slots              BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
CREATE INDEX runs_unfinished ON runs (number) WHERE status IN ('queued', 'preparing', 'running');
CREATE INDEX runs_queue ON runs (pool, queue_state, priority DESC, number) WHERE queue_state IS NOT NULL;
CREATE INDEX runs_held ON runs (pool, lease_until)
    WHERE pool IS NOT NULL AND queue_state IS NULL AND status IN ('queued', 'preparing', 'running');
CREATE INDEX runs_to_cancel ON runs (lease_owner)
    WHERE cancel_reason IS NOT NULL AND status IN ('queued', 'preparing', 'running');
CREATE INDEX runs_in_group ON runs (concurrency_group)
    WHERE concurrency_group IS NOT NULL AND status IN ('queued', 'preparing', 'running');
CREATE INDEX runs_by_status ON runs (status, number);
CREATE INDEX runs_by_name ON runs (name, number);
CREATE INDEX runs_by_task ON runs (task, number) WHERE task IS NOT NULL;

-- The long texts of a run, apart because they hardly change. JSON as text: it keeps the order of keys and any character.
CREATE TABLE documents (
    run       TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    request   TEXT NOT NULL,
    prepared  TEXT NOT NULL DEFAULT 'null'
);

CREATE TABLE secrets (
    run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    sealed  BYTEA NOT NULL,
    PRIMARY KEY (run, name)
);

CREATE TABLE events (
    run         TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    generation  BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    at          TEXT NOT NULL, -- RFC 3339, to the nanosecond
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (run, generation, seq)
);

CREATE TABLE steps (
    run         TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    generation  BIGINT NOT NULL,
    step        BIGINT NOT NULL,
    id          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    status      TEXT NOT NULL,
    ignored     BOOLEAN NOT NULL,
    attempts    BIGINT NOT NULL,
    exit_code   BIGINT,
    reason      TEXT,
    started_at  TEXT,
    ended_at    TEXT,
    images      TEXT NOT NULL,
    PRIMARY KEY (run, generation, step)
);

CREATE TABLE attempts (
    run         TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    generation  BIGINT NOT NULL,
    step        BIGINT NOT NULL,
    attempt     BIGINT NOT NULL,
    container   TEXT,
    outcome     TEXT,
    exit_code   BIGINT,
    started_at  TEXT NOT NULL,
    ended_at    TEXT,
    PRIMARY KEY (run, generation, step, attempt)
);

-- How many runs may be under way at once, by scope: global, pool:NAME, task:NAME, group:NAME.
CREATE TABLE limits (
    scope    TEXT PRIMARY KEY,
    allowed  BIGINT NOT NULL
);

-- The runs under way that count towards a limit.
CREATE TABLE slots (
    scope  TEXT NOT NULL,
    run    TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (scope, run)
);
CREATE INDEX slots_of_run ON slots (run);

-- The runs that a limit holds back, the next one first.
CREATE TABLE waits (
    scope   TEXT NOT NULL,
    rank    BIGINT NOT NULL, -- the priority, negated
    number  BIGINT NOT NULL,
    run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (scope, rank, number)
);
CREATE INDEX waits_of_run ON waits (run);

-- The compressed frames of each log: small ones here, large ones in the object store.
CREATE TABLE log_tail (
    run            TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    generation     BIGINT NOT NULL,
    step           BIGINT NOT NULL,
    attempt        BIGINT NOT NULL,
    first_line     BIGINT NOT NULL,
    lines          BIGINT NOT NULL,
    first_at       BIGINT NOT NULL, -- nanoseconds since 1970, as all stamps of log lines
    raw_bytes      BIGINT NOT NULL,
    length         BIGINT NOT NULL,
    stdout_at      BIGINT NOT NULL,
    stdout_bytes   BIGINT NOT NULL,
    stderr_at      BIGINT NOT NULL,
    stderr_bytes   BIGINT NOT NULL,
    data           BYTEA, -- null when the frame is an object of its own
    PRIMARY KEY (run, generation, step, attempt, first_line)
);
