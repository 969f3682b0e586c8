-- The branch a run was of: the one its worker found out, else the one that was asked for. Kept by triggers, so that it
-- is there whichever version of careen writes the run.
ALTER TABLE runs ADD COLUMN branch TEXT;
UPDATE runs SET branch = (
        SELECT coalesce(nullif(json_extract(prepared, '$.branch'), ''), nullif(json_extract(request, '$.vars.branch'), ''))
        FROM documents WHERE documents.run = runs.id)
    WHERE id IN (SELECT run FROM documents
        WHERE request GLOB '*"branch":"[^"]*' OR prepared GLOB '*"branch":"[^"]*');
CREATE INDEX runs_by_branch ON runs (branch, number) WHERE branch IS NOT NULL;

CREATE TRIGGER run_branch_asked AFTER INSERT ON documents WHEN NEW.request GLOB '*"branch":"[^"]*'
BEGIN
    UPDATE runs SET branch = nullif(json_extract(NEW.request, '$.vars.branch'), '')
    WHERE id = NEW.run AND branch IS NULL;
END;
CREATE TRIGGER run_branch_found AFTER UPDATE OF prepared ON documents WHEN NEW.prepared GLOB '*"branch":"[^"]*'
BEGIN
    UPDATE runs SET branch = coalesce(nullif(json_extract(NEW.prepared, '$.branch'), ''), branch) WHERE id = NEW.run;
END;

-- Each image that a run used or made, its name and digest in small letters: short rows, to be read through quickly.
CREATE TABLE run_images (
    number  INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    words   TEXT NOT NULL
) STRICT;
CREATE INDEX run_images_of ON run_images (number, words);
INSERT INTO run_images (number, words)
    SELECT DISTINCT runs.number, lower(found.value)
    FROM steps JOIN runs ON runs.id = steps.run AND runs.generation = steps.generation, json_tree(steps.images) AS found
    WHERE steps.images <> '[]' AND found.type = 'text' AND found.key IN ('image', 'digest', 'reference')
        AND found.value <> '';

CREATE TRIGGER run_images_new AFTER INSERT ON steps WHEN NEW.images <> '[]'
BEGIN
    INSERT INTO run_images (number, words)
    SELECT DISTINCT runs.number, lower(found.value) FROM runs, json_tree(NEW.images) AS found
    WHERE runs.id = NEW.run AND found.type = 'text' AND found.key IN ('image', 'digest', 'reference')
        AND found.value <> ''
        AND NOT EXISTS (SELECT 1 FROM run_images AS known
            WHERE known.number = runs.number AND known.words = lower(found.value));
END;
CREATE TRIGGER run_images_more AFTER UPDATE OF images ON steps WHEN NEW.images <> '[]' AND NEW.images <> OLD.images
BEGIN
    INSERT INTO run_images (number, words)
    SELECT DISTINCT runs.number, lower(found.value) FROM runs, json_tree(NEW.images) AS found
    WHERE runs.id = NEW.run AND found.type = 'text' AND found.key IN ('image', 'digest', 'reference')
        AND found.value <> ''
        AND NOT EXISTS (SELECT 1 FROM run_images AS known
            WHERE known.number = runs.number AND known.words = lower(found.value));
END;
