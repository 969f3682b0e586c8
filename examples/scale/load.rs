//! What is asked of the workers: tasks, when their runs come and how long they take.

use rand::{Rng, SeedableRng, rngs::StdRng};

use careen::ports::{Needs, Placement};

use super::Size;

/// The pools: name, part of the tasks, CPUs and GiB that a run demands.
pub const POOLS: [(&str, f64, u64, u64); 3] = [
    ("default", 0.8, 1, 1),
    ("arm", 0.15, 1, 2),
    ("large", 0.05, 4, 16),
];
/// Runs that a worker drives at once.
pub const SLOTS: usize = 4;
/// The part of the runs that timers start, at whole minutes.
const TIMED: f64 = 0.2;
/// How much popular tasks are favored.
const SKEW: f64 = 0.7;
/// How widely the times of runs spread (the deviation of their logarithm).
const SPREAD: f64 = 0.8;

/// A stored task.
pub struct Task {
    /// Which of the pools runs it.
    pub pool: usize,
    /// How long a run takes in the middle, in milliseconds.
    median: f64,
    /// Where its runs wait.
    pub place: Placement,
}

/// Draws what happens.
pub struct Load {
    pub rng: StdRng,
    pub tasks: Vec<Task>,
    /// The tasks of each run that comes, by popularity: the sums of all weights up to each task.
    sums: Vec<f64>,
    milliseconds: f64,
    left: u32,
    /// Moments of arrival that were drawn, the last first.
    arrivals: Vec<u64>,
}

impl Load {
    /// Draws tasks and moments for a size.
    pub fn draw(size: &Size) -> Load {
        let mut rng = StdRng::seed_from_u64(size.seed);
        let milliseconds = f64::from(size.hours) * 3_600_000.0;
        let slots = f64::from(size.workers) * SLOTS as f64;
        let mean = slots * size.utilization * milliseconds / f64::from(size.runs.max(1));
        let median = mean / (SPREAD * SPREAD).exp();
        let tasks: Vec<Task> = (0..size.tasks)
            .map(|number| task(&mut rng, number, median))
            .collect();
        let mut sum = 0.0;
        let weigh = |rank: u32| {
            sum += f64::from(rank + 1).powf(-SKEW);
            sum
        };
        let mut load = Load {
            sums: (0..size.tasks).map(weigh).collect(),
            rng,
            tasks,
            milliseconds,
            left: size.runs,
            arrivals: Vec::new(),
        };
        load.draw_arrivals();
        load
    }

    /// All moments of arrival: few at night, many by day, and heaps at whole minutes.
    fn draw_arrivals(&mut self) {
        while self.left > 0 {
            let at: f64 = self.rng.random_range(0.0..self.milliseconds);
            let day = at / self.milliseconds * std::f64::consts::TAU;
            if self.rng.random_range(0.0..1.6) > 1.0 - 0.6 * day.cos() {
                continue;
            }
            let is_timed = self.rng.random_bool(TIMED);
            let at = if is_timed { at - at % 60_000.0 } else { at };
            self.arrivals.push(at as u64);
            self.left -= 1;
        }
        self.arrivals.sort_unstable_by(|one, two| two.cmp(one));
    }

    /// When the next run comes.
    pub fn next_arrival(&mut self) -> Option<u64> {
        self.arrivals.pop()
    }

    /// Which task it is of; a lower number is a more popular task.
    pub fn next_task(&mut self) -> usize {
        let last = self.sums.last().copied().unwrap_or(1.0);
        let drawn = self.rng.random_range(0.0..last);
        self.sums.partition_point(|sum| *sum <= drawn)
    }

    /// How long a run of the task takes, in milliseconds.
    pub fn time(&mut self, task: usize) -> u64 {
        let median = self.tasks[task].median;
        (median * (SPREAD * normal(&mut self.rng)).exp()).max(200.0) as u64
    }
}

fn task(rng: &mut StdRng, number: u32, median: f64) -> Task {
    let mut drawn: f64 = rng.random_range(0.0..1.0);
    let mut pool = 0;
    while pool + 1 < POOLS.len() && drawn >= POOLS[pool].1 {
        drawn -= POOLS[pool].1;
        pool += 1;
    }
    let (name, _, cpus, gib) = POOLS[pool];
    let needs = Needs {
        cpu_millis: cpus * 1000,
        memory_bytes: gib << 30,
        ..Needs::default()
    };
    Task {
        pool,
        median: median * (SPREAD * normal(rng)).exp(),
        place: Placement {
            pool: name.to_owned(),
            task: Some(format!("task-{number}")),
            needs,
            ..Placement::default()
        },
    }
}

/// A draw of the normal distribution, by Box and Muller.
fn normal(rng: &mut StdRng) -> f64 {
    let (one, two): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random());
    (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * two).cos()
}
