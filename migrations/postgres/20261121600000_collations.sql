-- Ids of runs compare by their bytes wherever they stand: an index of another collation does not serve a join with
-- runs, which then reads the whole table.
ALTER TABLE documents ALTER COLUMN run TYPE TEXT COLLATE "C";
ALTER TABLE secrets ALTER COLUMN run TYPE TEXT COLLATE "C";
ALTER TABLE events ALTER COLUMN run TYPE TEXT COLLATE "C";
ALTER TABLE steps ALTER COLUMN run TYPE TEXT COLLATE "C";
ALTER TABLE attempts ALTER COLUMN run TYPE TEXT COLLATE "C";
ALTER TABLE slots ALTER COLUMN run TYPE TEXT COLLATE "C";
ALTER TABLE waits ALTER COLUMN run TYPE TEXT COLLATE "C";
ALTER TABLE log_tail ALTER COLUMN run TYPE TEXT COLLATE "C";
ALTER TABLE ends ALTER COLUMN run TYPE TEXT COLLATE "C";
ALTER TABLE fleet_ends ALTER COLUMN run TYPE TEXT COLLATE "C";
ALTER TABLE reports ALTER COLUMN run TYPE TEXT COLLATE "C";
ALTER TABLE causes ALTER COLUMN caused_run TYPE TEXT COLLATE "C";

-- A run gets its place in this index once, when it ends; those that have not ended stand in runs_unfinished.
DROP INDEX runs_by_status;
CREATE INDEX runs_by_status ON runs (status, number) WHERE status NOT IN ('queued', 'preparing', 'running');
