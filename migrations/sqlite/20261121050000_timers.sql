-- Timers and when they fire next; times are milliseconds since 1970.
CREATE TABLE timers (
    task        TEXT NOT NULL,
    name        TEXT NOT NULL,
    version     INTEGER NOT NULL, -- of the task
    spec        TEXT NOT NULL,
    next_at     INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    held_until  INTEGER NOT NULL DEFAULT 0, -- whoever claimed it has until then
    problem     TEXT,
    PRIMARY KEY (task, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_due ON timers (due_at);

-- What was decided about each time of a timer, only ever added to.
CREATE TABLE timer_occurrences (
    number      INTEGER PRIMARY KEY,
    task        TEXT NOT NULL,
    timer       TEXT NOT NULL,
    at          INTEGER NOT NULL,
    decided_at  INTEGER NOT NULL,
    run         TEXT,
    reason      TEXT NOT NULL
) STRICT;
CREATE INDEX timer_occurrences_of_task ON timer_occurrences (task, number);
