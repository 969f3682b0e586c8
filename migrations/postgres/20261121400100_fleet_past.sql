-- What was built before there was a fleet is learned from, too: the last good run of each stored task.
INSERT INTO fleet_ends (run)
    SELECT id FROM runs WHERE number IN (
        SELECT max(number) FROM runs WHERE status = 'succeeded' AND ended_at IS NOT NULL
            AND name IN (SELECT name FROM tasks) GROUP BY name)
        AND NOT EXISTS (SELECT 1 FROM fleet_facts WHERE once = 'ended/' || runs.id)
    ON CONFLICT DO NOTHING;
