//! Whole runs beside the same containers made with the docker client, printed as ratios of one session. The last column
//! has no goal: it is the time over that of the engine's own calls, below which nobody can go.
//!
//! `cargo bench --bench runs [-- ROUNDS]`. It needs a Docker Engine with the image `busybox`.

#[path = "support/bare.rs"]
mod bare;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use bare::{Bare, Stage};

/// Rounds when none are asked for; each measures everything once, in turn.
const ROUNDS: usize = 5;

/// What the containers do that are made with the engine's bare calls.
const TRUE: &[&str] = &["true"];
const SLEEP: &[&str] = &["sleep", "1"];

/// One kind of run: its task file, its name in the peer's script, and the goals of the issue.
struct Scenario {
    name: &'static str,
    peer: &'static [&'static str],
    bare: Vec<Stage>,
    task: String,
    goal: f64,
    plain_goal: f64,
}

fn main() {
    if !docker_answers() {
        println!("skipped: no Docker Engine");
        return;
    }
    let rounds = std::env::args()
        .filter_map(|it| it.parse().ok())
        .next()
        .unwrap_or(ROUNDS);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("careen.db");
    // The first run of all makes the database; that is set-up, not overhead.
    careen(&db, &write(folder.path(), "empty", ""));
    println!(
        "{rounds} rounds; ratios are careen's time over the peer's, median (least to greatest)\n"
    );
    println!(
        "{:24} {:>25} {:>25} {:>18}",
        "", "same network and volumes", "plain docker run --rm", "bare calls"
    );
    let engine = Bare::connect();
    for scenario in scenarios() {
        let file = write(folder.path(), scenario.name, &scenario.task);
        let (mut full, mut plain, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let own = careen(&db, &file).as_secs_f64();
            full.push(own / peer("", scenario.peer));
            plain.push(own / peer("plain-", scenario.peer));
            bare.push(own / engine.run(&scenario.bare).as_secs_f64());
        }
        println!(
            "{:24} {:>25} {:>25} {:>18}",
            scenario.name,
            judge(&mut full, scenario.goal),
            judge(&mut plain, scenario.plain_goal),
            show(&mut bare)
        );
    }
    let empty = write(folder.path(), "empty", "");
    let mut times: Vec<f64> = (0..rounds * 4)
        .map(|_| careen(&db, &empty).as_secs_f64() * 1000.0)
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "\nan empty task: {:.0} ms (goal: under 50)",
        times[times.len() / 2]
    );
}

fn scenarios() -> Vec<Scenario> {
    let steps = |when: &str| -> String {
        let step = |i| format!("  - id: s{i}\n    cmd: busybox true\n{when}");
        format!("steps:\n{}", (0..20).map(step).collect::<String>())
    };
    let nap =
        |id: &str, when: &str| format!("  - {{id: {id}, cmd: busybox sleep 1, when: [{when}]}}\n");
    let diamond = format!(
        "steps:\n{}{}{}{}",
        nap("a", "'-'"),
        nap("b", "a"),
        nap("c", "a"),
        nap("d", "b, c")
    );
    let stage = |containers, command| Stage {
        containers,
        command,
    };
    vec![
        Scenario {
            name: "20 steps in sequence",
            peer: &["sequential", "20"],
            bare: (0..20).map(|_| stage(1, TRUE)).collect(),
            task: steps(""),
            goal: 0.90,
            plain_goal: 1.0,
        },
        Scenario {
            name: "20 steps in parallel",
            peer: &["parallel", "20"],
            bare: vec![stage(20, TRUE)],
            task: steps("    when: ['-']\n"),
            goal: 0.95,
            plain_goal: 1.0,
        },
        Scenario {
            name: "a diamond of 1 s sleeps",
            peer: &["diamond"],
            bare: vec![stage(1, SLEEP), stage(2, SLEEP), stage(1, SLEEP)],
            task: diamond,
            goal: 0.95,
            plain_goal: 1.0,
        },
    ]
}

fn show(ratios: &mut [f64]) -> String {
    ratios.sort_by(f64::total_cmp);
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    format!("{:.2} ({least:.2}–{most:.2})", middle(ratios))
}

fn judge(ratios: &mut [f64], goal: f64) -> String {
    let shown = show(ratios);
    let mark = if middle(ratios) <= goal { "✓" } else { "✗" };
    format!("{shown} ≤ {goal:.2} {mark}")
}

fn middle(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

fn docker_answers() -> bool {
    let mut info = Command::new("docker");
    info.args(["image", "inspect", "busybox"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    info.status().is_ok_and(|status| status.success())
}

fn write(folder: &Path, name: &str, task: &str) -> PathBuf {
    let file = folder.join(format!("{}.yaml", name.replace(' ', "-")));
    std::fs::write(&file, task).expect("the task file is written");
    file
}

fn careen(db: &Path, file: &Path) -> Duration {
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_careen"))
        .args(["run", "--quiet", "--db"])
        .arg(db)
        .arg("-f")
        .arg(file)
        .arg("/dev/null")
        .status()
        .expect("careen starts");
    assert!(status.success(), "{} must succeed", file.display());
    start.elapsed()
}

/// Runs the peer, which prints its own time in seconds.
fn peer(prefix: &str, words: &[&str]) -> f64 {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/bench-peer.sh");
    let out = Command::new(script)
        .arg(format!("{prefix}{}", words[0]))
        .args(&words[1..])
        .output()
        .expect("the peer starts");
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let text = String::from_utf8_lossy(&out.stdout);
    text.trim().parse().expect("the peer prints seconds")
}
