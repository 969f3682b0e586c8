//! Builds beside the same builds made with the docker client, printed as ratios of one session.
//!
//! `cargo bench --bench builds [-- ROUNDS]`. It needs a Docker Engine with the image `busybox`, the docker client, and a
//! registry at 127.0.0.1:5000. Where the client has no buildx its builds go through the classic builder. Each line also
//! names the most memory that careen held.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rand::RngCore;

/// Rounds when none are asked for; each measures everything once, in turn.
const ROUNDS: usize = 5;

const REGISTRY: &str = "127.0.0.1:5000";

const MEGABYTE: usize = 1_000_000;

/// No build may hold more than this, however large its context.
const MEMORY_GOAL: u64 = 100 * MEGABYTE as u64;

/// One comparison: what is done before each build, and the two ways of building.
struct Scenario {
    name: &'static str,
    goal: f64,
    /// Makes the folder what it is in this round.
    change: fn(&Path),
    own: fn(&Bench) -> Took,
    peer: fn(&Bench) -> Took,
    files: fn(&Path),
}

/// What a command took.
#[derive(Clone, Copy)]
struct Took {
    time: Duration,
    peak_bytes: u64,
}

/// Where a scenario happens.
struct Bench {
    home: PathBuf,
    folder: PathBuf,
    image: String,
}

fn main() {
    if !answers(&["image", "inspect", "busybox"]) {
        println!("skipped: no Docker Engine with busybox");
        return;
    }
    let mut numbers = std::env::args().filter_map(|it| it.parse().ok());
    let rounds = numbers.next().unwrap_or(ROUNDS);
    let home = tempfile::tempdir().expect("a temporary folder");
    println!(
        "{rounds} rounds; ratios are careen's time over docker's, median (least to greatest)\n"
    );
    for (number, scenario) in scenarios().into_iter().enumerate() {
        let bench = Bench {
            home: home.path().to_owned(),
            folder: home.path().join(format!("context-{number}")),
            image: format!("{REGISTRY}/careen-bench-{}-{number}", std::process::id()),
        };
        fs::create_dir_all(&bench.folder).expect("a folder");
        (scenario.files)(&bench.folder);
        // The first build of each fills the caches that the rounds are about.
        (scenario.own)(&bench);
        (scenario.peer)(&bench);
        let mut rounds_taken = Vec::new();
        for _ in 0..rounds {
            (scenario.change)(&bench.folder);
            let own = (scenario.own)(&bench);
            (scenario.change)(&bench.folder);
            rounds_taken.push((own, (scenario.peer)(&bench)));
        }
        show(&scenario, &rounds_taken);
        docker(&["rmi", "-f", &bench.own_image(), &bench.peer_image()]);
    }
}

fn scenarios() -> [Scenario; 4] {
    [
        Scenario {
            name: "build, test, push of a 20 MB layer",
            goal: 0.9,
            files: |folder| {
                write(folder, "Dockerfile", b"FROM busybox\nCOPY layer /layer\n");
                write(folder, "layer", b"first");
                let steps = "steps:\n  - {id: b, build: -t IMAGE .}\n  - {id: t, cmd: IMAGE test -s /layer}\n  - {id: p, push: [IMAGE]}\n";
                write(folder, "acb.yaml", steps.as_bytes());
            },
            change: |folder| write(folder, "layer", &noise(20 * MEGABYTE)),
            own: |bench| {
                let task = fs::read_to_string(bench.folder.join("acb.yaml")).expect("a task");
                let file = bench.home.join("three.yaml");
                fs::write(&file, task.replace("IMAGE", &bench.own_image())).expect("a task");
                bench.careen(&["run", "-f", &file.display().to_string()])
            },
            peer: |bench| {
                let image = bench.peer_image();
                let test = ["run", "--rm", &image, "test", "-s", "/layer"];
                let commands = [
                    bench.build_with_docker(),
                    docker(&test),
                    docker(&["push", "-q", &image]),
                ];
                Took {
                    time: commands.iter().map(|it| it.time).sum(),
                    peak_bytes: 0,
                }
            },
        },
        Scenario {
            name: "cached rebuild of a 20 MB context",
            goal: 0.5,
            files: |folder| {
                let dockerfile = "FROM busybox\nCOPY . /all/\nRUN ls /all | wc -l\n";
                write(folder, "Dockerfile", dockerfile.as_bytes());
                (0..200).for_each(|it| write(folder, &format!("f{it}"), &noise(MEGABYTE / 10)));
            },
            change: |_| {},
            own: Bench::build_with_careen,
            peer: Bench::build_with_docker,
        },
        Scenario {
            name: "one changed file of a 500 MB context",
            goal: 0.2,
            files: |folder| {
                let dockerfile = "FROM busybox\nCOPY data /data/\nCOPY source /source/\n";
                write(folder, "Dockerfile", dockerfile.as_bytes());
                (0..500).for_each(|it| write(folder, &format!("data/f{it}"), &noise(MEGABYTE)));
                write(folder, "source/main", b"first");
            },
            change: |folder| write(folder, "source/main", &noise(100)),
            own: Bench::build_with_careen,
            peer: Bench::build_with_docker,
        },
        Scenario {
            name: "1 % kept of 50,000 files of 500 MB",
            goal: 0.9,
            files: |folder| {
                write(folder, "Dockerfile", b"FROM busybox\nCOPY . /all/\n");
                write(folder, ".dockerignore", b"vendor\n");
                for number in 0..50_000 {
                    let top = if number < 500 { "source" } else { "vendor" };
                    let name = format!("{top}/d{}/f{number}", number / 100);
                    write(folder, &name, &noise(MEGABYTE / 100));
                }
            },
            change: |folder| write(folder, "source/d0/f0", &noise(100)),
            own: Bench::build_with_careen,
            peer: Bench::build_with_docker,
        },
    ]
}

impl Bench {
    fn own_image(&self) -> String {
        format!("{}:own", self.image)
    }

    fn peer_image(&self) -> String {
        format!("{}:peer", self.image)
    }

    fn build_with_careen(&self) -> Took {
        self.careen(&["build", "--no-push", "-t", &self.own_image()])
    }

    fn careen(&self, words: &[&str]) -> Took {
        let mut command = Command::new(env!("CARGO_BIN_EXE_careen"));
        command.args(words).arg("--quiet").arg(&self.folder);
        command.env("CAREEN_DB", self.home.join("careen.db"));
        time(&mut command)
    }

    fn build_with_docker(&self) -> Took {
        let folder = self.folder.display().to_string();
        docker(&["build", "-q", "-t", &self.peer_image(), &folder])
    }
}

fn docker(words: &[&str]) -> Took {
    time(
        Command::new("docker")
            .args(words)
            .env("DOCKER_BUILDKIT", "0"),
    )
}

fn time(command: &mut Command) -> Took {
    // What an earlier command has written is no cost of this one, though a commit would wait for it.
    Command::new("sync").status().expect("sync is there");
    let start = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let watched = thread::spawn(move || watch_memory(&status));
    let mut said = String::new();
    let stderr = child.stderr.as_mut().expect("it is piped");
    stderr.read_to_string(&mut said).expect("text");
    let ended = child.wait().expect("an end");
    let time = start.elapsed();
    assert!(ended.success(), "{command:?}: {said}");
    let peak_bytes = watched.join().expect("a number");
    Took { time, peak_bytes }
}

/// Reads the most memory that a process has held, until it ends.
fn watch_memory(status: &str) -> u64 {
    let mut peak = 0;
    while let Ok(text) = fs::read_to_string(status) {
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let Some(line) = line else { break };
        let kilobytes = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
        peak = peak.max(1024 * kilobytes);
        thread::sleep(Duration::from_millis(5));
    }
    peak
}

fn answers(words: &[&str]) -> bool {
    let mut command = Command::new("docker");
    command
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, content).expect("a file");
}

/// Bytes that no registry and no cache has seen.
fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    rand::rng().fill_bytes(&mut noise);
    noise
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn show(scenario: &Scenario, rounds: &[(Took, Took)]) {
    let seconds = |took: &Took| took.time.as_secs_f64();
    let mut ratios: Vec<_> = rounds
        .iter()
        .map(|(own, peer)| seconds(own) / seconds(peer))
        .collect();
    let middle = median(&mut ratios);
    let own = median(
        &mut rounds
            .iter()
            .map(|(own, _)| seconds(own))
            .collect::<Vec<_>>(),
    );
    let peer = median(
        &mut rounds
            .iter()
            .map(|(_, peer)| seconds(peer))
            .collect::<Vec<_>>(),
    );
    let peak = rounds
        .iter()
        .map(|(own, _)| own.peak_bytes)
        .max()
        .unwrap_or(0);
    let mark = |is_met: bool| if is_met { "✓" } else { "✗" };
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    println!(
        "{:38} {middle:.2} ({least:.2}–{most:.2}) ≤ {:.2} {}   {own:.2} s beside {peer:.2} s, {} MB held {}",
        scenario.name,
        scenario.goal,
        mark(middle <= scenario.goal),
        peak / MEGABYTE as u64,
        mark(peak < MEMORY_GOAL),
    );
}
