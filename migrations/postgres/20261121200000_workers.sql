-- What a run demands of its worker, as JSON with sorted keys: runs that demand the same wait in one lane.
ALTER TABLE runs ADD COLUMN needs TEXT COLLATE "C" NOT NULL DEFAULT '{}';
CREATE INDEX runs_lanes ON runs (pool, queue_state, needs, priority DESC, number) WHERE queue_state IS NOT NULL;
DROP INDEX runs_queue;

-- Whether what is demanded is no more than what a worker has left.
CREATE FUNCTION fits(needs text, has jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT needs = '{}' OR (
        coalesce((needs::jsonb ->> 'cpu_millis')::numeric, 0) <= (has ->> 'cpu_millis')::numeric
        AND coalesce((needs::jsonb ->> 'memory_bytes')::numeric, 0) <= (has ->> 'memory_bytes')::numeric
        AND (needs::jsonb ->> 'platform' IS NULL OR has -> 'platforms' ? (needs::jsonb ->> 'platform'))
        AND coalesce(needs::jsonb -> 'labels', '{}') <@ (has -> 'labels'))
$$;

-- The workers that were heard of lately.
CREATE TABLE workers (
    name     TEXT COLLATE "C" PRIMARY KEY,
    pool     TEXT NOT NULL,
    facts    TEXT NOT NULL, -- what it says of itself, as JSON
    state    TEXT NOT NULL,
    seen_at  BIGINT NOT NULL -- as now_ms() counts
) WITH (fillfactor = 50);
