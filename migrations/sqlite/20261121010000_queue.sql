-- Where a run waits; all of it is null for a run that its client drives itself.
ALTER TABLE runs ADD COLUMN pool TEXT;
ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN task TEXT;
ALTER TABLE runs ADD COLUMN concurrency_group TEXT;
ALTER TABLE runs ADD COLUMN group_policy TEXT;
ALTER TABLE runs ADD COLUMN on_worker_loss TEXT;
-- 'ready' to be claimed, 'waiting' for a limit, null when it does not wait.
ALTER TABLE runs ADD COLUMN queue_state TEXT;
ALTER TABLE runs ADD COLUMN lease_engine TEXT;
ALTER TABLE runs ADD COLUMN cancel_reason TEXT;
-- How many limits it counts towards.
ALTER TABLE runs ADD COLUMN slots INTEGER NOT NULL DEFAULT 0;

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

-- How many runs may be under way at once, by scope: global, pool:NAME, task:NAME, group:NAME.
CREATE TABLE limits (
    scope    TEXT PRIMARY KEY,
    allowed  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The runs under way that count towards a limit.
CREATE TABLE slots (
    scope  TEXT NOT NULL,
    run    TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (scope, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX slots_of_run ON slots (run);

-- The runs that a limit holds back, the next one first.
CREATE TABLE waits (
    scope   TEXT NOT NULL,
    rank    INTEGER NOT NULL, -- the priority, negated
    number  INTEGER NOT NULL,
    run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (scope, rank, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX waits_of_run ON waits (run);
