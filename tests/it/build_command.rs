//! `careen build`: a folder becomes an image, which goes where its names say.

use std::{fs, os::unix::fs::PermissionsExt};

use careen::ports::{Images, Registry};

use crate::{
    careens::{Careen, wait_for},
    registries::{Kind, Server},
};

const DOCKERFILE: &str = "FROM busybox AS first
ARG WORD
RUN echo \"$WORD\" > /word
FROM first AS second
RUN exit 1
";

fn context(careen: &Careen) -> String {
    careen.path("context").display().to_string()
}

/// The ids and kinds of the steps of the latest run.
fn kinds(careen: &Careen) -> Vec<String> {
    let run = careen.latest();
    let steps = run["step_list"].as_array().expect("steps");
    steps
        .iter()
        .map(|it| it["kind"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_bare_folder_is_built_and_stays_on_the_engine_under_its_plain_name() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    fs::write(
        careen.path("context/Dockerfile"),
        "FROM busybox\nRUN echo bare > /word\n",
    )
    .unwrap();
    let image = careen.image("bare");
    let built = careen
        .does(&["build", "-t", &image, &context(&careen)])
        .exits(0);
    assert!(
        built.stderr.contains("the image stays on the engine"),
        "{}",
        built.stderr
    );
    assert!(careen.has_image(&image));
    assert_eq!(kinds(&careen), ["build"]);
    let again = careen
        .does(&["build", "-t", &image, &context(&careen)])
        .exits(0);
    assert!(again.stdout.contains("CACHED"), "{}", again.stdout);
}

#[test]
fn what_is_asked_for_reaches_the_image() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    fs::create_dir_all(careen.path("context/deep")).unwrap();
    fs::write(careen.path("context/deep/Other"), DOCKERFILE).unwrap();
    let names = [careen.image("one"), careen.image("two")];
    careen.set("WORD", "from-the-variable");
    let place = context(&careen);
    let named = [
        "build",
        "-t",
        &names[0],
        "-t",
        &names[1],
        "-f",
        "deep/Other",
    ];
    let more = [
        "--target",
        "first",
        "--label",
        "a=b c",
        "--build-arg",
        "WORD",
        "--no-cache",
    ];
    careen
        .does(&[&named[..], &more, &["--platform", "linux/amd64", &place]].concat())
        .exits(0);
    let inspected =
        wait_for(careen.engine().client().inspect_image(&names[1])).expect("it is there");
    let labels = inspected.config.and_then(|it| it.labels).expect("labels");
    assert_eq!(labels["a"], "b c");
    careen.steps(&format!("  - id: read\n    cmd: {} cat /word\n", names[0]));
    assert_eq!(
        careen.run(&[]).exits(0).stdout,
        "read | from-the-variable\n"
    );
    // Without the stage to stop at, the next one says no.
    careen
        .does(&["build", "-f", "deep/Other", &place])
        .exits(1)
        .says(&["exit 1"]);
}

/// The least that a kernel takes for a program of 64-bit ARM.
fn arm_program() -> Vec<u8> {
    let mut header = b"\x7fELF\x02\x01\x01".to_vec();
    header.resize(16, 0);
    let (kind, machine) = (2_u16, 183_u16);
    header.extend([kind, machine].map(u16::to_le_bytes).concat());
    header.resize(120, 0);
    header
}

#[test]
fn what_an_engine_lacks_to_run_programs_of_another_platform_is_named() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    if fs::exists("/proc/sys/fs/binfmt_misc/qemu-aarch64").is_ok_and(|it| it) {
        println!("skipped: this machine has an emulator");
        return;
    }
    let program = careen.path("context/program");
    fs::write(&program, arm_program()).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let dockerfile = "FROM scratch\nCOPY program /program\nRUN [\"/program\"]\n";
    fs::write(careen.path("context/Dockerfile"), dockerfile).unwrap();
    let says = [
        "cannot run programs of linux/arm64",
        "binfmt --install arm64",
    ];
    careen
        .does(&["build", "--platform", "linux/arm64", &context(&careen)])
        .exits(1)
        .says(&says);
}

#[test]
fn names_get_the_prefix_of_the_registry_and_are_pushed_there() {
    let (Some(mut careen), Some(server)) = (Careen::on_docker(), Server::start(Kind::Open)) else {
        return;
    };
    fs::write(
        careen.path("context/Dockerfile"),
        "FROM busybox\nRUN touch /pushed\n",
    )
    .unwrap();
    let place = context(&careen);
    let [prefixed, named, kept] = ["prefixed", "named", "kept"].map(|it| careen.image(it));
    let full = |name: &str| format!("{}/{name}", server.host);
    for name in [&prefixed, &named, &kept] {
        careen.keep_track(&full(name));
    }
    careen
        .does(&["build", "-r", &server.host, "-t", &prefixed, &place])
        .exits(0);
    assert_eq!(kinds(&careen), ["build", "push"]);
    careen
        .does(&["build", "-t", &full(&named), &place])
        .exits(0);
    let unpushed = [
        "build",
        "-r",
        &server.host,
        "-t",
        &kept,
        "--no-push",
        &place,
    ];
    careen.does(&unpushed).exits(0);
    let is_there = |name: &str| {
        let (path, tag) = name.rsplit_once(':').expect("a tag");
        wait_for(server.client().manifest(&server.at(path), tag)).is_ok()
    };
    assert!(is_there(&prefixed) && is_there(&named) && !is_there(&kept));
    let engine = careen.engine().connect();
    let info = wait_for(engine.image(&full(&prefixed)))
        .expect("the engine")
        .expect("the image");
    let digest = info.repo_digests[0]
        .split_once('@')
        .expect("a digest")
        .1
        .to_owned();
    let mut recorded = String::new();
    for run in careen.json(&["runs", "list"]).as_array().expect("runs") {
        let id = run["id"].as_str().expect("an id");
        recorded += &careen.json(&["runs", "show", id]).to_string();
    }
    assert!(recorded.contains(&digest), "the pushed digest is recorded");
}
