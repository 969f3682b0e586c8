-- What the runs of a token may use credentials for, as JSON; NULL is all that the server has.
ALTER TABLE tokens ADD COLUMN credentials TEXT;
