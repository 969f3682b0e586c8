//! Builds beside the same builds made with the docker client, printed as ratios of one session.
//!
//! `cargo bench --bench builds [-- ROUNDS]`. It needs a Docker Engine with the image `busybox`, the docker client, and a
//! registry at 127.0.0.1:5000. Where the client has no buildx its builds go through the classic builder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rand::RngCore;

/// Rounds when none are asked for; each measures everything once, in turn.
const ROUNDS: usize = 5;

const REGISTRY: &str = "127.0.0.1:5000";

const MEGABYTE: usize = 1_000_000;

/// One comparison: what is done before each build, and the two ways of building.
struct Scenario {
    name: &'static str,
    goal: f64,
    /// Makes the folder what it is in this round.
    change: fn(&Path),
    own: fn(&Bench) -> Duration,
    peer: fn(&Bench) -> Duration,
    files: fn(&Path),
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
        let mut ratios = Vec::new();
        let (mut own, mut peer) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            (scenario.change)(&bench.folder);
            own.push((scenario.own)(&bench).as_secs_f64());
            (scenario.change)(&bench.folder);
            peer.push((scenario.peer)(&bench).as_secs_f64());
            ratios.push(own[own.len() - 1] / peer[peer.len() - 1]);
        }
        show(
            &scenario,
            &mut ratios,
            (median(&mut own), median(&mut peer)),
        );
        docker(&["rmi", "-f", &bench.own_image(), &bench.peer_image()]);
    }
}

fn scenarios() -> [Scenario; 3] {
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
                bench.build_with_docker()
                    + docker(&["run", "--rm", &image, "test", "-s", "/layer"])
                    + docker(&["push", "-q", &image])
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
    ]
}

impl Bench {
    fn own_image(&self) -> String {
        format!("{}:own", self.image)
    }

    fn peer_image(&self) -> String {
        format!("{}:peer", self.image)
    }

    fn build_with_careen(&self) -> Duration {
        self.careen(&["build", "--no-push", "-t", &self.own_image()])
    }

    fn careen(&self, words: &[&str]) -> Duration {
        let mut command = Command::new(env!("CARGO_BIN_EXE_careen"));
        command.args(words).arg("--quiet").arg(&self.folder);
        command.env("CAREEN_DB", self.home.join("careen.db"));
        time(&mut command)
    }

    fn build_with_docker(&self) -> Duration {
        let folder = self.folder.display().to_string();
        docker(&["build", "-q", "-t", &self.peer_image(), &folder])
    }
}

fn docker(words: &[&str]) -> Duration {
    time(
        Command::new("docker")
            .args(words)
            .env("DOCKER_BUILDKIT", "0"),
    )
}

fn time(command: &mut Command) -> Duration {
    let start = Instant::now();
    let ran = command.stdin(Stdio::null()).output().expect("it starts");
    let took = start.elapsed();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}: {said}");
    took
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

fn show(scenario: &Scenario, ratios: &mut [f64], (own, peer): (f64, f64)) {
    let middle = median(ratios);
    let mark = if middle <= scenario.goal {
        "✓"
    } else {
        "✗"
    };
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    println!(
        "{:38} {middle:.2} ({least:.2}–{most:.2}) ≤ {:.2} {mark}   {own:.2} s beside {peer:.2} s",
        scenario.name, scenario.goal
    );
}
