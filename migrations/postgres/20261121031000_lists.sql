-- Pages of lists by pool and by concurrency group, however few of a million runs they hold.
CREATE INDEX runs_by_pool ON runs (pool, number) WHERE pool IS NOT NULL;
CREATE INDEX runs_by_group ON runs (concurrency_group, number) WHERE concurrency_group IS NOT NULL;
