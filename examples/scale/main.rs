//! A day of many workers, simulated: the real queue, leases and paces over a store in memory, with a clock that is moved
//! by hand. The same seed gives the same day.
//!
//!     cargo run --release --example scale
//!     cargo run --example scale -- --workers 50 --tasks 500 --runs 5000 --hours 1

mod load;
mod tally;
mod world;

use clap::Parser;

/// How large the simulated day is.
#[derive(Debug, Clone, Parser)]
pub struct Size {
    /// Workers, in three pools
    #[arg(long, default_value_t = 1000)]
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
    let size = Size::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("one thread is to be had");
    let tally = runtime.block_on(world::World::new(&size).live());
    print!("{}", tally.report(&size));
    assert_eq!(
        (tally.lost(), tally.doubled),
        (0, 0),
        "runs were lost or doubled"
    );
}
