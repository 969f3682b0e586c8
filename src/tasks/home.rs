//! Where tasks are at home: rendezvous hashing says which worker of a pool should get a task's runs, for it holds their
//! bases, context and build cache; when a worker comes or goes, only what it gains or leaves moves.

/// Tasks are spread over so many buckets, each of which has one home: the more, the longer what a claim names.
const BUCKETS: usize = 256;

/// The bucket of a task.
pub fn bucket(task: &str) -> u8 {
    hash(task.as_bytes(), 0) as u8
}

/// The buckets that are at home with a worker, among all workers that take runs. One that is alone needs no preference,
/// and one that is not among them has none.
pub fn homes(worker: &str, all: &[String]) -> Vec<u8> {
    if all.len() < 2 || !all.iter().any(|it| it == worker) {
        return Vec::new();
    }
    let own = |bucket: &u8| {
        let highest = all.iter().max_by_key(|name| (score(name, *bucket), *name));
        highest.is_some_and(|name| name == worker)
    };
    (0..BUCKETS).map(|it| it as u8).filter(own).collect()
}

fn score(worker: &str, bucket: u8) -> u64 {
    hash(worker.as_bytes(), u64::from(bucket) + 1)
}

/// FNV-1a with the finish of SplitMix64: the same in all versions, which work side by side while one replaces the other.
fn hash(bytes: &[u8], seed: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers(count: usize) -> Vec<String> {
        (1..=count).map(|number| format!("node-{number}")).collect()
    }

    #[test]
    fn each_bucket_has_one_home_and_all_workers_get_a_share() {
        for count in [2, 3, 16, 32] {
            let all = workers(count);
            let shares: Vec<Vec<u8>> = all.iter().map(|it| homes(it, &all)).collect();
            let mut buckets: Vec<u8> = shares.iter().flatten().copied().collect();
            buckets.sort_unstable();
            assert_eq!(buckets, (0..=255).collect::<Vec<u8>>(), "{count} workers");
            let even = BUCKETS / count;
            for share in &shares {
                assert!((even / 4..=even * 3).contains(&share.len()), "{shares:?}");
            }
        }
    }

    #[test]
    fn when_a_worker_leaves_only_what_it_had_finds_another_home() {
        let all = workers(5);
        let left: Vec<String> = all.iter().filter(|it| *it != "node-3").cloned().collect();
        for worker in &left {
            let (before, after) = (homes(worker, &all), homes(worker, &left));
            assert!(
                before.iter().all(|bucket| after.contains(bucket)),
                "{worker}"
            );
        }
    }

    #[test]
    fn who_is_alone_or_takes_no_runs_prefers_none() {
        for (worker, all) in [("node-1", 1), ("node-1", 0), ("elsewhere", 3)] {
            assert!(homes(worker, &workers(all)).is_empty(), "{worker} of {all}");
        }
    }

    #[test]
    fn tasks_are_spread_over_the_buckets_the_same_way_in_every_version() {
        let mut counts = [0; BUCKETS];
        (0..25_600)
            .for_each(|number| counts[usize::from(bucket(&format!("team/service-{number}")))] += 1);
        assert!(
            counts.iter().all(|count| (40..=180).contains(count)),
            "{counts:?}"
        );
        assert_eq!([bucket("web"), bucket("api"), bucket("")], [243, 79, 155]);
    }
}
