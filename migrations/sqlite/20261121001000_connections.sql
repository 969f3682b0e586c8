-- Named credentials of registries. The password is sealed for its row's id; without one, the docker client's is used.
CREATE TABLE connections (
    id          TEXT NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    server      TEXT NOT NULL,
    prefix      TEXT NOT NULL,
    username    TEXT NOT NULL,
    key_id      TEXT,
    sealed      BLOB,
    pull_only   INTEGER NOT NULL,
    authority   TEXT,
    plain_http  INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    CHECK ((key_id IS NULL) = (sealed IS NULL))
) STRICT;

-- Secrets kept for tasks, each sealed for its name.
CREATE TABLE stored_secrets (
    name        TEXT NOT NULL PRIMARY KEY,
    key_id      TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    updated_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
