-- Stored tasks as they stand.
CREATE TABLE tasks (
    name        TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    definition  TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    updated_by  TEXT NOT NULL,
    manifest    TEXT
) STRICT, WITHOUT ROWID;

-- Every version a task ever had; one without a definition says that it was deleted.
CREATE TABLE task_versions (
    task        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    definition  TEXT,
    changed_at  TEXT NOT NULL,
    changed_by  TEXT NOT NULL,
    PRIMARY KEY (task, version)
) STRICT, WITHOUT ROWID;

-- The sealed values that a task's definition names; only the present ones.
CREATE TABLE task_secrets (
    task    TEXT NOT NULL REFERENCES tasks (name) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (task, name)
) STRICT, WITHOUT ROWID;
