-- Stored tasks as they stand. Names sort by their bytes, as everywhere.
CREATE TABLE tasks (
    name        TEXT COLLATE "C" PRIMARY KEY,
    version     BIGINT NOT NULL,
    definition  TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    updated_by  TEXT NOT NULL,
    manifest    TEXT
);

-- Every version a task ever had; one without a definition says that it was deleted.
CREATE TABLE task_versions (
    task        TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL,
    definition  TEXT,
    changed_at  TEXT NOT NULL,
    changed_by  TEXT NOT NULL,
    PRIMARY KEY (task, version)
);

-- The sealed values that a task's definition names; only the present ones.
CREATE TABLE task_secrets (
    task    TEXT COLLATE "C" NOT NULL REFERENCES tasks (name) ON DELETE CASCADE,
    name    TEXT COLLATE "C" NOT NULL,
    key_id  TEXT NOT NULL,
    sealed  BYTEA NOT NULL,
    PRIMARY KEY (task, name)
);

-- Tokens by the hash of their secret; the secret itself is nowhere.
CREATE TABLE tokens (
    hash          TEXT PRIMARY KEY,
    id            TEXT COLLATE "C" NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL,
    created_at    TEXT COLLATE "C" NOT NULL,
    expires_at    TEXT,
    last_used_at  TEXT,
    revoked_at    TEXT
);

-- Who did what through which server.
CREATE TABLE audit (
    number   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       TEXT NOT NULL,
    who      TEXT NOT NULL,
    action   TEXT NOT NULL,
    status   BIGINT NOT NULL,
    address  TEXT NOT NULL
);

-- Requests that may come again, with the answer that each was given; without one it is under way.
CREATE TABLE requests (
    key          TEXT PRIMARY KEY,
    fingerprint  TEXT NOT NULL,
    began_at     TEXT COLLATE "C" NOT NULL,
    status       BIGINT,
    body         TEXT
);
CREATE INDEX requests_by_age ON requests (began_at);

-- Named credentials of registries. The password is sealed for its row's id; without one, the docker client's is used.
CREATE TABLE connections (
    id          TEXT NOT NULL PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL UNIQUE,
    server      TEXT NOT NULL,
    prefix      TEXT NOT NULL,
    username    TEXT NOT NULL,
    key_id      TEXT,
    sealed      BYTEA,
    pull_only   BOOLEAN NOT NULL,
    authority   TEXT,
    plain_http  BOOLEAN NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    CHECK ((key_id IS NULL) = (sealed IS NULL))
);

-- Secrets kept for tasks, each sealed for its name.
CREATE TABLE stored_secrets (
    name        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    key_id      TEXT NOT NULL,
    sealed      BYTEA NOT NULL,
    updated_at  TEXT NOT NULL
);
