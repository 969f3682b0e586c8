//! A day of many workers, simulated: the real queue, leases, paces and homes over a store in memory, with a clock that is
//! moved by hand. The same seed gives the same day.
//!
//!     cargo run --release --example scale
//!     cargo run --example scale -- --workers 50 --tasks 500 --runs 5000 --hours 1

mod load;
mod tally;
mod workers;
mod world;

use clap::Parser;

/// How large the simulated day is.
#[derive(Debug, Clone, Parser)]
pub struct Size {
    /// Workers, in three pools, each of which needs some
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(20..))]
    pub workers: u32,
    /// Stored tasks, some of which run far more often than others
    #[arg(long, default_value_t = 50_000)]
    pub tasks: u32,
    /// Runs that are queued
    #[arg(long, default_value_t = 1_000_000)]
    pub runs: u32,
    /// Hours in which they are queued
    #[arg(long, default_value_t = 24)]
    pub hours: u32,
    /// Workers that are lost on the way, each for ten minutes
    #[arg(long, default_value_t = 48)]
    pub losses: u32,
    /// The part of all slots that is in use on average
    #[arg(long, default_value_t = 0.6)]
    pub utilization: f64,
    /// What all draws follow from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

fn main() {
    let (lost_or_doubled, report) = day(&Size::parse());
    print!("{report}");
    assert_eq!(lost_or_doubled, 0, "runs were lost or doubled");
}

/// Lives a day: how many runs were lost or doubled, and all figures in words.
pub fn day(size: &Size) -> (u64, String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("one thread is to be had");
    let tally = runtime.block_on(world::World::new(size).live());
    (tally.lost() + tally.doubled, tally.report(size))
}
