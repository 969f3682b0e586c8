-- Times are microseconds since 1970, UTC. Bodies are JSON.

create table store (
    only integer primary key check (only = 1),
    store_id text not null
) strict;

create table runs (
    id text primary key,
    name text not null,
    cause text not null,
    status text not null,
    reason text,
    request text not null,
    prepared text not null default 'null',
    generation integer not null default 1,
    rerun_of text,
    created_at integer not null,
    started_at integer,
    ended_at integer,
    steps integer not null default 0,
    steps_ended integer not null default 0,
    lease_owner text,
    lease_token integer not null default 0,
    lease_until integer
) strict;

create index runs_by_age on runs (created_at desc, id desc);
create index runs_by_name on runs (name, created_at desc);
create index runs_unfinished on runs (created_at) where ended_at is null;

create table run_secrets (
    run text not null references runs (id) on delete cascade,
    name text not null,
    key_id text not null,
    sealed blob not null,
    primary key (run, name)
) strict, without rowid;

create table events (
    run text not null references runs (id) on delete cascade,
    generation integer not null,
    seq integer not null check (seq > 0),
    at integer not null,
    kind text not null,
    body text not null,
    primary key (run, generation, seq)
) strict, without rowid;

create table steps (
    run text not null references runs (id) on delete cascade,
    generation integer not null,
    step integer not null,
    id text not null,
    kind text not null,
    status text not null,
    ignored integer not null,
    attempts integer not null,
    exit_code integer,
    reason text,
    started_at integer,
    ended_at integer,
    images text not null,
    primary key (run, generation, step)
) strict, without rowid;

create table attempts (
    run text not null references runs (id) on delete cascade,
    generation integer not null,
    step integer not null,
    attempt integer not null,
    container text,
    outcome text,
    exit_code integer,
    started_at integer not null,
    ended_at integer,
    primary key (run, generation, step, attempt)
) strict, without rowid;

create table frames (
    run text not null,
    generation integer not null,
    step integer not null,
    attempt integer not null,
    first_line integer not null,
    lines integer not null,
    raw_bytes integer not null,
    offset integer not null,
    length integer not null,
    stdout_at integer not null,
    stdout_lines integer not null,
    stderr_at integer not null,
    stderr_lines integer not null,
    primary key (run, generation, step, attempt, first_line)
) strict, without rowid;
