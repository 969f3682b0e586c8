-- Timers and when they fire next; times are milliseconds since 1970.
CREATE TABLE timers (
    task        TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL, -- of the task
    spec        TEXT NOT NULL,
    next_at     BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    held_until  BIGINT NOT NULL DEFAULT 0, -- whoever claimed it has until then
    problem     TEXT,
    PRIMARY KEY (task, name)
) WITH (fillfactor = 80);
CREATE INDEX timers_due ON timers (due_at);

-- What was decided about each time of a timer, only ever added to.
CREATE TABLE timer_occurrences (
    number      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task        TEXT NOT NULL,
    timer       TEXT NOT NULL,
    at          BIGINT NOT NULL,
    decided_at  BIGINT NOT NULL,
    run         TEXT,
    reason      TEXT NOT NULL
);
CREATE INDEX timer_occurrences_of_task ON timer_occurrences (task, number);
