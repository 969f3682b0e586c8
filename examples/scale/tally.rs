//! What came of a simulated day.

use std::fmt::Write;

use super::{Size, load::POOLS};

/// Statements that a store in Postgres needs for each call, as its adapter makes them.
#[derive(Debug, Default)]
pub struct Calls {
    pub enqueued: u64,
    pub claimed: u64,
    /// Looks that found nothing.
    pub in_vain: u64,
    pub renewed: u64,
    pub said_here: u64,
    pub looked_for_lost: u64,
    pub taken_over: u64,
    pub recorded: u64,
}

impl Calls {
    fn statements(&self) -> [(&'static str, u64); 8] {
        [
            ("enqueue", self.enqueued),
            ("claim", self.claimed),
            ("claims in vain", 2 * self.in_vain),
            ("renewals", self.renewed),
            ("presence", self.said_here),
            ("looks for lost runs", 2 * self.looked_for_lost),
            ("take-overs", 3 * self.taken_over),
            ("records of ends", self.recorded),
        ]
    }
}

/// Figures of a day.
#[derive(Debug, Default)]
pub struct Tally {
    pub calls: Calls,
    /// The waits of runs from queue to claim, in milliseconds, by pool.
    pub waits: [Vec<u32>; POOLS.len()],
    /// Sum and number of waits by task.
    pub by_task: Vec<(u64, u32)>,
    /// Runs that each worker ended.
    pub by_worker: Vec<u32>,
    pub queued: u64,
    pub ended: u64,
    /// Ends of runs that had ended.
    pub doubled: u64,
    /// Runs that went to the worker where their task is at home, by pool.
    pub went_home: [u64; POOLS.len()],
    /// Leases that were renewed.
    pub renewals: u64,
    /// Runs that began anew because their worker was lost.
    pub begun_anew: u64,
    /// Writes of workers that came back, under leases they had lost; all of them were refused.
    pub refused: u64,
    /// The longest queue.
    pub longest_queue: u64,
    pub seconds: u64,
}

impl Tally {
    /// Counts the runs that never ended.
    pub fn lost(&self) -> u64 {
        self.queued - self.ended.min(self.queued)
    }

    /// The figures in words.
    pub fn report(&self, size: &Size) -> String {
        let mut text = format!(
            "{} workers, {} tasks, {} runs in {} h, seed {}\n\nwaits from queue to start, in seconds\n",
            size.workers, size.tasks, size.runs, size.hours, size.seed
        );
        let pools = POOLS.iter().zip(&self.waits).zip(self.went_home);
        for ((pool, waits), went_home) in pools {
            let _ = writeln!(
                text,
                "  {:<8} {:>8} runs  {}  {:.1} % went home",
                pool.0,
                waits.len(),
                percentiles(waits),
                100.0 * went_home as f64 / waits.len().max(1) as f64
            );
        }
        let _ = writeln!(text, "  longest queue: {} runs", self.longest_queue);
        let _ = writeln!(text, "\nfairness\n{}", self.fairness());
        let _ = writeln!(
            text,
            "\nruns: {} queued, {} ended, {} lost, {} doubled, {} begun anew, {} late writes refused",
            self.queued,
            self.ended,
            self.lost(),
            self.doubled,
            self.begun_anew,
            self.refused
        );
        text + &self.statements()
    }

    fn fairness(&self) -> String {
        let mean = |tasks: &[(u64, u32)]| {
            let waits: u64 = tasks.iter().map(|it| it.0).sum();
            let runs: u64 = tasks.iter().map(|it| u64::from(it.1)).sum();
            waits as f64 / runs.max(1) as f64 / 1000.0
        };
        let (popular, others) = self.by_task.split_at(self.by_task.len().div_ceil(100));
        let loads: Vec<f64> = self.by_worker.iter().map(|runs| f64::from(*runs)).collect();
        format!(
            "  mean wait of the most popular 1 % of tasks {:.3} s, of all others {:.3} s\n  \
             runs per worker: Jain's index {:.3}",
            mean(popular),
            mean(others),
            jain(&loads)
        )
    }

    fn statements(&self) -> String {
        let all = self.calls.statements();
        let sum: u64 = all.iter().map(|it| it.1).sum();
        let seconds = self.seconds.max(1) as f64;
        let mut text = format!(
            "\nstatements of scheduling: {:.1} a second, {:.2} for each run\n",
            sum as f64 / seconds,
            sum as f64 / self.queued.max(1) as f64
        );
        for (name, count) in all {
            let _ = writeln!(
                text,
                "  {name:<20} {:>9.2} a second",
                count as f64 / seconds
            );
        }
        let _ = writeln!(text, "  leases renewed by the renewals: {}", self.renewals);
        text
    }
}

fn percentiles(waits: &[u32]) -> String {
    let mut sorted = waits.to_vec();
    sorted.sort_unstable();
    let at = |part: f64| {
        let index = (sorted.len() as f64 * part) as usize;
        let wait = sorted.get(index.min(sorted.len().saturating_sub(1)));
        f64::from(wait.copied().unwrap_or(0)) / 1000.0
    };
    format!(
        "p50 {:.3}  p90 {:.3}  p99 {:.3}  p99.9 {:.3}  max {:.3}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0)
    )
}

/// 1 where all have the same, less the more unequal they are.
fn jain(all: &[f64]) -> f64 {
    let (sum, squares) = all
        .iter()
        .fold((0.0, 0.0), |it, x| (it.0 + x, it.1 + x * x));
    if squares == 0.0 {
        1.0
    } else {
        sum * sum / (all.len() as f64 * squares)
    }
}
