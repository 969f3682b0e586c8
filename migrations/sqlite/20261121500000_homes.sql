-- The bucket of the run's task, from 0 to 255: workers prefer tasks whose bucket is at home with them.
ALTER TABLE runs ADD COLUMN bucket INTEGER;
