//! How claims find the lanes of a pool, each with its first run.

/// The lanes that fit the worker, in the order of their first runs, if this condition allows it any. Lanes are found one
/// after the other by the index, so that it does not matter how many runs wait in each.
macro_rules! lanes {
    ($allowed:literal) => {
        concat!(
            "every_lane AS (
            (SELECT needs AS lane FROM runs WHERE pool = $1 AND queue_state = 'ready' AND ",
            $allowed,
            "
             ORDER BY needs LIMIT 1)
            UNION ALL
            SELECT (SELECT needs FROM runs WHERE pool = $1 AND queue_state = 'ready' AND needs > lane
                    ORDER BY needs LIMIT 1) FROM every_lane WHERE lane IS NOT NULL),
         lanes AS (
            SELECT lane, priority, number FROM every_lane, LATERAL (
                SELECT priority, number FROM runs WHERE pool = $1 AND queue_state = 'ready' AND needs = lane
                ORDER BY priority DESC, number LIMIT 1) AS first_of_lane
            WHERE fits(lane, $3::jsonb) ORDER BY priority DESC, number)"
        )
    };
}

/// The first run of a lane that nobody else is at; locked.
macro_rules! first_of {
    ($lane:literal) => {
        concat!(
            "SELECT number, id, priority, task, concurrency_group FROM runs
             WHERE pool = $1 AND queue_state = 'ready' AND needs = ",
            $lane,
            " ORDER BY priority DESC, number LIMIT 1 FOR UPDATE SKIP LOCKED"
        )
    };
}

/// The same, but of the first few ([`crate::ports::NEAR`]) of equal priority one that is at home with the worker goes before.
macro_rules! nearest_of {
    ($lane:literal, $homes:literal) => {
        concat!(
            "SELECT runs.number, id, runs.priority, task, concurrency_group FROM runs,
                (SELECT number, priority, bucket FROM runs WHERE pool = $1 AND queue_state = 'ready' AND needs = ",
            $lane,
            " ORDER BY priority DESC, number LIMIT 64) AS near
             WHERE runs.number = near.number AND queue_state = 'ready'
             ORDER BY near.priority DESC, coalesce(near.bucket = ANY(",
            $homes,
            "::smallint[]), false) DESC, near.number
             LIMIT 1 FOR UPDATE OF runs SKIP LOCKED"
        )
    };
}

pub(super) use {first_of, lanes, nearest_of};
