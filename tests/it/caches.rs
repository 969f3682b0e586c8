//! Caches that outlast a machine, and images for several platforms: on the engine that can, or it is said what helps.

use serde_json::Value;

use crate::{
    careens::{Careen, wait_for},
    cli::sh,
    engine_restarts::ONE_AT_A_TIME,
    engines::{CLASSIC, CONTAINERD, Engine, FRAGILE},
    specs::registry,
    worker_processes::{desk, enqueue},
};

/// A file and a command that no engine has seen before.
const DOCKERFILE: &str = "FROM busybox\nCOPY given.txt /\nRUN echo made for WORD\n";

/// This machine's engine beside a newer one that can do more, and a newer one that cannot.
fn engines() -> Option<(Engine, Engine, Engine)> {
    wait_for(async {
        let engines = (
            Engine::local().await?,
            Engine::newer(CONTAINERD).await?,
            Engine::newer(CLASSIC).await?,
        );
        let answer = std::net::TcpStream::connect(registry());
        answer.is_err().then(|| println!("skipped: no registry"));
        answer.is_ok().then_some(engines)
    })
}

/// Lets builds go to another engine.
fn beside(mut engine: Engine, builder: &Engine) -> Engine {
    for (name, value) in &builder.variables {
        let name = name.replace("DOCKER_HOST", "CAREEN_BUILDER");
        engine.set(&name, value);
    }
    engine
}

fn unique(what: &str) -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("{}/careen-test-{what}-{}", registry(), &id[..12])
}

/// Builds and pushes `image:TAG` with these properties of the step; gives the log of the build.
fn build(engine: &Engine, image: &str, more: &str) -> String {
    let careen = Careen::on(engine.clone());
    careen.file("given.txt", image);
    careen.file("Dockerfile", &DOCKERFILE.replace("WORD", image));
    careen.steps(&format!(
        "  - id: build\n    build: -t {image}:1 .\n{more}  - push: ['{image}:1']\n"
    ));
    careen.run(&[]).exits(0);
    let log = careen.log("build");
    wait_for(async {
        let options = None::<bollard::query_parameters::RemoveImageOptions>;
        let _ = engine
            .client()
            .remove_image(&format!("{image}:1"), options, None)
            .await;
    });
    log
}

fn is_cached(log: &str, image: &str) -> bool {
    let is_run = |line: &&str| line.contains(&format!("RUN echo made for {image}"));
    let run = log.lines().find(is_run).expect("the command");
    let number = run.split(' ').next().expect("its number");
    log.lines().any(|line| line == format!("{number} CACHED"))
}

#[test]
fn a_cache_in_a_registry_is_written_by_an_engine_that_can_and_used_on_others() {
    let Some((local, able, other)) = engines() else {
        return;
    };
    let _one = FORGETTING.blocking_lock();
    let image = unique("kept");
    let engine = beside(local, &able);
    let first = build(&engine, &image, "    cache: enabled\n");
    assert!(first.contains("building at tcp://"), "{first}");
    assert!(!is_cached(&first, &image), "{first}");
    let second = build(&engine, &image, "    cache: enabled\n");
    assert!(is_cached(&second, &image), "{second}");
    let elsewhere = build(&other, &image, "    cache: enabled\n");
    assert!(is_cached(&elsewhere, &image), "{elsewhere}");
}

#[test]
fn a_cache_is_kept_in_the_image_where_no_engine_can_do_better() {
    let _one = ONE_AT_A_TIME.lock();
    let (Some((_, _, engine)), Some(other)) = (engines(), wait_for(Engine::newer(FRAGILE))) else {
        return;
    };
    let image = unique("inline");
    let first = build(&engine, &image, "    cache: enabled\n");
    let says = ["kept in the image", "CAREEN_BUILDER"];
    assert!(says.iter().all(|words| first.contains(words)), "{first}");
    assert!(!is_cached(&first, &image), "{first}");
    // An engine of the same age: others make other commands of the same Dockerfile.
    let elsewhere = build(&other, &image, "    cache: enabled\n");
    assert!(is_cached(&elsewhere, &image), "{elsewhere}");
}

#[test]
fn workers_that_keep_caches_do_so_for_every_build_that_says_nothing_else() {
    let Some((_, _, engine)) = engines() else {
        return;
    };
    let _one = ONE_AT_A_TIME.lock();
    let mut careen = Careen::on(engine);
    careen.set("CAREEN_SHARE_CACHE", "true");
    let _worker = careen.start(&["worker", "--name", "one"]);
    let image = unique("setting");
    let dockerfile = "printf 'FROM busybox\\nRUN echo made\\n' > Dockerfile";
    for (more, is_kept) in [("", true), ("    cache: disabled\n", false)] {
        let text = format!(
            "steps:\n{}  - id: build\n    build: -t {image}:1 .\n    when: [write]\n{more}",
            sh("write", dockerfile, "")
        );
        wait_for(async { enqueue(&desk(&careen, None).await, &text).await });
        assert_eq!(careen.end_of("latest")["status"], "succeeded");
        let log = careen.log("build");
        assert_eq!(log.contains("kept in the image"), is_kept, "{log}");
    }
}

#[test]
fn a_cache_that_no_engine_can_write_is_refused_with_what_helps() {
    let Some((local, _, _)) = engines() else {
        return;
    };
    let careen = Careen::on(local);
    careen.file("Dockerfile", "FROM busybox\n");
    for (option, words) in [
        (
            "--cache-to type=registry,ref=h/x:cache",
            ["cannot write a cache", "CAREEN_BUILDER"],
        ),
        (
            "--platform linux/amd64,linux/arm64",
            ["several platforms", "containerd-snapshotter"],
        ),
    ] {
        careen.steps(&format!("  - build: {option} .\n"));
        careen.run(&[]).exits(1).says(&words);
    }
}

/// An engine that forgets one command forgets others that nobody holds just then.
static FORGETTING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Has the engine forget the command of this image's Dockerfile, as another machine has never known it.
fn forget(engine: &Engine, image: &str) {
    let command = [
        "docker",
        "system",
        "df",
        "-v",
        "--format",
        "{{json .BuildCache}}",
    ];
    let records: Vec<Value> = serde_json::from_str(&engine.inside(&command)).expect("records");
    let words = format!("made for {image}");
    let is_of_it = |record: &&Value| record["Description"].to_string().contains(&words);
    let of_it: Vec<&Value> = records.iter().filter(is_of_it).collect();
    assert!(!of_it.is_empty(), "it has built {image}: {records:?}");
    for record in of_it {
        let id = record["ID"].as_str().expect("an id");
        let filter = format!("id={id}");
        engine.inside(&["docker", "builder", "prune", "-af", "--filter", &filter]);
    }
}

#[test]
fn a_cache_in_a_folder_is_used_by_an_engine_that_has_never_built_it() {
    let Some((_, able, _)) = engines() else {
        return;
    };
    let _one = FORGETTING.blocking_lock();
    let careen = Careen::on(able.clone());
    let folder = tempfile::tempdir().expect("a folder");
    let (image, at) = (unique("folder"), folder.path().display());
    careen.file("given.txt", &image);
    careen.file("Dockerfile", &DOCKERFILE.replace("WORD", &image));
    let log = |options: &str| {
        careen.steps(&format!("  - id: build\n    build: {options} .\n"));
        careen
            .run(&["--allow", &format!("host-path={at}")])
            .exits(0);
        careen.log("build")
    };
    let (to, from) = (
        format!("--cache-to type=local,mode=max,dest={at}/kept"),
        format!("--cache-from type=local,src={at}/kept"),
    );
    let first = log(&format!("{from} {to}"));
    assert!(first.contains("no cache at"), "{first}");
    assert!(!is_cached(&first, &image), "{first}");
    forget(&able, &image);
    let without = log("");
    assert!(!is_cached(&without, &image), "{without}");
    forget(&able, &image);
    let second = log(&from);
    assert!(is_cached(&second, &image), "{second}");
    careen.steps(&format!("  - build: {to} .\n"));
    let needs = format!("--allow host-path={at}/kept");
    careen.run(&[]).exits(2).says(&["not allowed", &needs]);
    careen.steps("  - build: --cache-to type=local,dest=kept .\n");
    careen
        .run(&[])
        .exits(2)
        .says(&["`kept` is relative", "full path"]);
}

#[test]
fn an_image_for_several_platforms_is_pushed_as_a_list() {
    let Some((_, able, _)) = engines() else {
        return;
    };
    let careen = Careen::on(able.clone());
    let image = unique("platforms");
    careen.file("Dockerfile", "FROM scratch\nCOPY given.txt /\n");
    careen.file("given.txt", "given\n");
    careen.steps(&format!(
        "  - build: --platform linux/amd64,linux/arm64 -t {image}:1 .\n  - push: ['{image}:1']\n"
    ));
    careen.run(&[]).exits(0);
    wait_for(async {
        let options = None::<bollard::query_parameters::RemoveImageOptions>;
        let _ = able
            .client()
            .remove_image(&format!("{image}:1"), options, None)
            .await;
    });
    let platforms = platforms(&image);
    assert!(
        ["amd64", "arm64"]
            .iter()
            .all(|it| platforms.contains(&it.to_string())),
        "{platforms:?}"
    );
}

/// The architectures in the list that the registry has.
fn platforms(image: &str) -> Vec<String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let path = image
        .strip_prefix(&format!("{}/", registry()))
        .expect("its registry");
    let url = format!("http://{}/v2/{path}/manifests/1", registry());
    let list: serde_json::Value = wait_for(async {
        let kinds = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json";
        let asked = reqwest::Client::new().get(url).header("accept", kinds);
        let answer = asked.send().await.expect("an answer");
        answer.json().await.expect("a list")
    });
    let entries = list["manifests"].as_array().cloned().unwrap_or_default();
    let names = entries
        .iter()
        .map(|it| it["platform"]["architecture"].as_str());
    names
        .map(|name| name.unwrap_or_default().to_owned())
        .collect()
}
