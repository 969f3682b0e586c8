-- What a run demands of its worker, as JSON with sorted keys: runs that demand the same wait in one lane.
ALTER TABLE runs ADD COLUMN needs TEXT NOT NULL DEFAULT '{}';
CREATE INDEX runs_lanes ON runs (pool, queue_state, needs, priority DESC, number) WHERE queue_state IS NOT NULL;
DROP INDEX runs_queue;

-- The workers that were heard of lately.
CREATE TABLE workers (
    name     TEXT PRIMARY KEY,
    pool     TEXT NOT NULL,
    facts    TEXT NOT NULL, -- what it says of itself, as JSON
    state    TEXT NOT NULL,
    seen_at  INTEGER NOT NULL -- milliseconds since 1970
) STRICT, WITHOUT ROWID;
