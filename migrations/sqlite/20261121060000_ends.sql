-- The ends of runs that had a place, until they have been told; kept in the transaction that ends the run.
CREATE TABLE ends (
    run          TEXT PRIMARY KEY,
    taken_until  INTEGER NOT NULL DEFAULT 0 -- milliseconds since 1970
) STRICT, WITHOUT ROWID;

CREATE TRIGGER run_ends AFTER UPDATE OF ended_at ON runs
WHEN NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL AND NEW.pool IS NOT NULL
BEGIN
    INSERT OR IGNORE INTO ends (run) VALUES (NEW.id);
END;
