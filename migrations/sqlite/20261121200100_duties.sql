-- What one server at a time does.
CREATE TABLE duties (
    name        TEXT PRIMARY KEY,
    holder      TEXT NOT NULL,
    until       INTEGER NOT NULL, -- milliseconds since 1970
    generation  INTEGER NOT NULL -- how often it has changed hands
) STRICT, WITHOUT ROWID;
