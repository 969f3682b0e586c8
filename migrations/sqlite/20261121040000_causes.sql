-- What started a run, once for each cause. A cause outlives its run, so that what comes late starts none again.
CREATE TABLE causes (
    cause_key      TEXT PRIMARY KEY,
    cause_kind     TEXT NOT NULL,
    cause_details  TEXT NOT NULL,
    caused_run     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX causes_of_run ON causes (caused_run);
