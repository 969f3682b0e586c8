-- The ends of runs that had a place, until they have been told; kept in the transaction that ends the run.
CREATE TABLE ends (
    run          TEXT PRIMARY KEY,
    taken_until  BIGINT NOT NULL DEFAULT 0 -- as now_ms() counts
);

CREATE FUNCTION keep_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ends (run) VALUES (NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE TRIGGER run_ends AFTER UPDATE OF ended_at ON runs FOR EACH ROW
WHEN (NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL AND NEW.pool IS NOT NULL)
EXECUTE FUNCTION keep_end();
