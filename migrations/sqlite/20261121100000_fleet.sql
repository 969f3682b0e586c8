-- What is known of the fleet, in the order in which it was learned, only ever added to: what tasks make, which run was
-- built on what and gave which digests, what tags were seen to hold.
CREATE TABLE fleet_facts (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    once     TEXT UNIQUE, -- of two with the same, only the first is kept
    subject  TEXT NOT NULL, -- the task or the image
    body     TEXT NOT NULL
) STRICT;
CREATE INDEX fleet_facts_about ON fleet_facts (subject, number);

-- Tasks that are brought up to date together. The version rises with every change.
CREATE TABLE rollouts (
    id          TEXT PRIMARY KEY,
    state       TEXT NOT NULL,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL, -- milliseconds since 1970
    body        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX rollouts_by_age ON rollouts (created_at);
CREATE INDEX rollouts_open ON rollouts (state) WHERE state IN ('running', 'paused', 'scheduled');

-- Ends of runs of stored tasks that the fleet has not learned from; kept in the transaction that ends the run.
CREATE TABLE fleet_ends (
    run  TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TRIGGER fleet_run_ends AFTER UPDATE OF ended_at ON runs
WHEN NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL
    AND EXISTS (SELECT 1 FROM tasks WHERE tasks.name = NEW.name)
BEGIN
    INSERT OR IGNORE INTO fleet_ends (run) VALUES (NEW.id);
END;
