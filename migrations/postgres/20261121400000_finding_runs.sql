-- The branch a run was of: the one its worker found out, else the one that was asked for. Kept by triggers, so that it
-- is there whichever version of careen writes the run.
ALTER TABLE runs ADD COLUMN branch TEXT;

-- Reads a text out of a document by a pattern for it with its quotes: Postgres takes no document apart that holds the
-- letter U+0000 anywhere.
CREATE FUNCTION quoted(document text, pattern text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    letters text := substring(document from pattern);
BEGIN
    IF position('\' in letters) = 0 THEN
        RETURN nullif(btrim(letters, '"'), '');
    END IF;
    RETURN nullif(letters::json #>> '{}', '');
EXCEPTION WHEN untranslatable_character THEN
    RETURN NULL;
END
$$;
CREATE FUNCTION branch_asked(request text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT quoted(request, '"vars":\{[^{}]*"branch":("(?:[^"\\]|\\.)*")') $$;
CREATE FUNCTION branch_found(prepared text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT quoted(prepared, '"branch":("(?:[^"\\]|\\.)*")') $$;

UPDATE runs SET branch = coalesce(branch_found(prepared), branch_asked(request)) FROM documents
    WHERE documents.run = runs.id AND (request ~ '"branch":"[^"]' OR prepared ~ '"branch":"[^"]');
CREATE INDEX runs_by_branch ON runs (branch, number) WHERE branch IS NOT NULL;

CREATE FUNCTION keep_branch_asked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE runs SET branch = branch_asked(NEW.request) WHERE id = NEW.run AND branch IS NULL;
    RETURN NULL;
END
$$;
CREATE FUNCTION keep_branch_found() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE runs SET branch = coalesce(branch_found(NEW.prepared), branch) WHERE id = NEW.run;
    RETURN NULL;
END
$$;
CREATE TRIGGER run_branch_asked AFTER INSERT ON documents FOR EACH ROW
WHEN (NEW.request ~ '"branch":"[^"]') EXECUTE FUNCTION keep_branch_asked();
CREATE TRIGGER run_branch_found AFTER UPDATE OF prepared ON documents FOR EACH ROW
WHEN (NEW.prepared ~ '"branch":"[^"]') EXECUTE FUNCTION keep_branch_found();

-- Each image that a run used or made, its name and digest in small letters: short rows, to be read through quickly.
CREATE TABLE run_images (
    number  BIGINT NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    words   TEXT NOT NULL
);
CREATE INDEX run_images_of ON run_images (number, words);

CREATE FUNCTION images_in(images text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT DISTINCT lower(part[1]) FROM regexp_matches(images, '"(?:image|digest|reference)":"([^"\\]+)"', 'g') AS part
$$;
INSERT INTO run_images (number, words)
    SELECT DISTINCT runs.number, word
    FROM steps JOIN runs ON runs.id = steps.run AND runs.generation = steps.generation, images_in(steps.images) AS word
    WHERE steps.images <> '[]';

CREATE FUNCTION keep_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO run_images (number, words)
    SELECT runs.number, word FROM runs, images_in(NEW.images) AS word
    WHERE runs.id = NEW.run
        AND NOT EXISTS (SELECT 1 FROM run_images WHERE run_images.number = runs.number AND words = word);
    RETURN NULL;
END
$$;
CREATE TRIGGER run_images_new AFTER INSERT ON steps FOR EACH ROW
WHEN (NEW.images <> '[]') EXECUTE FUNCTION keep_images();
CREATE TRIGGER run_images_more AFTER UPDATE OF images ON steps FOR EACH ROW
WHEN (NEW.images <> '[]' AND NEW.images IS DISTINCT FROM OLD.images) EXECUTE FUNCTION keep_images();
