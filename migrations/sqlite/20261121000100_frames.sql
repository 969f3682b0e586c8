-- Where the compressed frames of each log stand in its file.
CREATE TABLE frames (
    run            TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    generation     INTEGER NOT NULL,
    step           INTEGER NOT NULL,
    attempt        INTEGER NOT NULL,
    first_line     INTEGER NOT NULL,
    lines          INTEGER NOT NULL,
    first_at       INTEGER NOT NULL, -- nanoseconds since 1970, as all stamps of log lines
    raw_bytes      INTEGER NOT NULL,
    offset         INTEGER NOT NULL,
    length         INTEGER NOT NULL,
    stdout_at      INTEGER NOT NULL,
    stdout_bytes   INTEGER NOT NULL,
    stderr_at      INTEGER NOT NULL,
    stderr_bytes   INTEGER NOT NULL,
    PRIMARY KEY (run, generation, step, attempt, first_line)
) STRICT, WITHOUT ROWID;
