-- What one server at a time does.
CREATE TABLE duties (
    name        TEXT COLLATE "C" PRIMARY KEY,
    holder      TEXT NOT NULL,
    until       BIGINT NOT NULL, -- as now_ms() counts
    generation  BIGINT NOT NULL -- how often it has changed hands
) WITH (fillfactor = 50);
