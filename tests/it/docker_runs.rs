//! What a run gives its steps on a real engine: files, network, volumes, retries, health, and no more than that.

use std::{net::TcpListener, path::Path};

use crate::{careens::Careen, cli::sh};

#[test]
fn the_docker_socket_is_there_only_when_allowed() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh("look", "test -S /var/run/docker.sock", ""));
    careen.run(&[]).exits(1);
    careen.run(&["--allow", "docker-socket"]).exits(0);
    careen.steps("  - id: client\n    cmd: docker ps\n");
    careen
        .run(&[])
        .exits(2)
        .says(&["client", "--allow docker-socket"]);
    if careen.has_image("docker:latest") {
        let ran = careen.run(&["--allow", "docker-socket"]).exits(0);
        assert!(ran.stdout.contains("CONTAINER ID"), "{}", ran.stdout);
    } else {
        println!("skipped in part: no image docker:latest");
    }
}

#[test]
fn what_is_allowed_works() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let folder = careen.path("host");
    std::fs::create_dir(&folder).unwrap();
    let host = folder.to_str().unwrap();
    let look = "test -e /sys/class/net/docker0 || ls /sys/class/net | grep -qv eth0";
    let steps = sh("bind", "echo written > /x/file", "")
        .replace("busybox", &format!("-v {host}:/x busybox"))
        + &sh("near", look, "    network: host\n");
    careen.steps(&steps);
    let path = format!("host-path={host}");
    let allowed = ["--allow", "host-network", "--allow", &path];
    careen.run(&allowed).exits(0);
    assert_eq!(
        std::fs::read_to_string(folder.join("file")).unwrap(),
        "written\n"
    );
    let elsewhere = ["--allow", "host-network", "--allow", "host-path=/somewhere"];
    careen.run(&elsewhere).exits(2).says(&[&path]);
}

#[test]
fn a_privileged_step_is_passed_on_when_allowed() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps("  - id: power\n    privileged: true\n    cmd: busybox sleep 60\n");
    careen
        .run(&[])
        .exits(2)
        .says(&["power", "--allow privileged"]);
    let running = careen.start_run(&["--allow", "privileged"]);
    careen.until("it is made", |careen| careen.container("power-1").is_some());
    let container = careen.inspect("power-1");
    assert_eq!(container.host_config.unwrap().privileged, Some(true));
    running.interrupt();
    // An engine inside of a container may not be able to give what it was asked for.
    assert!(matches!(running.end().code, Some(130 | 3)));
}

/// A port of this machine that is free now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn ports_publish_on_the_local_address_alone_and_a_taken_one_says_who_has_it() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let port = free_port();
    let serve = "echo hello > index.html; httpd -f -p 80";
    let ports = format!("    ports: ['{port}:80']\n");
    let steps = sh(
        "web",
        serve,
        &format!("{ports}    detach: true\n    when: ['-']\n"),
    );
    careen.steps(&(steps.clone() + &sh("wait", "sleep 60", "    when: [web]\n")));
    let running = careen.start_run(&[]);
    careen.until("it answers", |_| answers(port));
    let bindings = careen.inspect("web-1").host_config.unwrap().port_bindings;
    let bound = bindings.unwrap()["80/tcp"].clone().unwrap()[0]
        .host_ip
        .clone();
    assert_eq!(bound.as_deref(), Some("127.0.0.1"));

    let mut other = Careen::on_docker().expect("the engine is still there");
    other.set("CAREEN_TIMEOUT", "60");
    other.steps(&steps);
    let taken = format!("port 127.0.0.1:{port} is taken by");
    other.run(&[]).exits(3).says(&[&taken, "web-1"]);
    running.interrupt();
    running.end().exits(130);
}

fn answers(port: u16) -> bool {
    use std::io::{Read, Write};
    let mut text = String::new();
    let asked = std::net::TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.write_all(b"GET /index.html HTTP/1.0\r\n\r\n")?;
        stream.read_to_string(&mut text)
    });
    asked.is_ok() && text.contains("hello")
}

#[test]
fn two_careens_with_the_same_task_do_not_meet() {
    let (Some(one), Some(other)) = (Careen::on_docker(), Careen::on_docker()) else {
        return;
    };
    let serve = |careen: &Careen, word: &str| {
        let page = format!("echo {word} > /tmp/index.html; httpd -f -p 80 -h /tmp");
        let ask = "for i in 1 2 3 4 5; do wget -q -O - http://web/index.html && exit; sleep 0.2; done; exit 1";
        careen.steps(
            &(sh("web", &page, "    detach: true\n") + &sh("ask", ask, "    when: [web]\n")),
        );
        careen.start_run(&[])
    };
    let (first, second) = (serve(&one, "first"), serve(&other, "second"));
    let (first, second) = (first.end().exits(0), second.end().exits(0));
    assert_eq!(first.stdout, "ask | first\n");
    assert_eq!(second.stdout, "ask | second\n");
}

#[test]
fn one_careen_runs_twice_at_once() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.steps(&sh(
        "one",
        "test ! -e mine; touch mine; sleep 1; echo done",
        "",
    ));
    let running: Vec<_> = (0..3).map(|_| careen.start_run(&[])).collect();
    for it in running {
        assert_eq!(it.end().exits(0).stdout, "one | done\n");
    }
}

#[test]
fn steps_share_the_workspace_with_the_context_in_it_and_their_home() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.file("given/file.txt", "from the context\n");
    careen.file("run.sh", "#!/bin/sh\necho $(pwd) $HOME\n");
    let path = careen.path("context/run.sh");
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let steps = sh(
        "write",
        "cat given/file.txt; ./run.sh; echo mine > made; echo home > ~/made",
        "",
    ) + &sh(
        "read",
        "cat /workspace/made ~/made; pwd",
        "    workingDirectory: /workspace/given\n",
    );
    careen.steps(&steps);
    let ran = careen.run(&[]).exits(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let wanted = [
        "write | from the context",
        "write | /workspace /acb/home",
        "read  | mine",
        "read  | home",
        "read  | /workspace/given",
    ];
    assert_eq!(lines, wanted);
    assert!(
        !careen.path("context/made").exists(),
        "the context itself is never written to"
    );
}

#[test]
fn a_step_is_tried_again_as_it_asks_and_only_for_the_errors_it_names() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let again =
        "    retries: 2\n    retryDelay: 1\n    retryOnErrors: [busy]\n    ignoreErrors: true\n";
    let steps = sh("busy", "echo the line is busy; exit 1", again)
        + &sh("wrong", "echo wrong number; exit 1", again)
        + &sh(
            "any",
            "test -e twice && exit 0; test -e once && touch twice; touch once; exit 1",
            "    retries: 5\n",
        );
    careen.steps(&steps);
    careen.run(&[]).exits(0);
    let run = careen.latest();
    let row = |id: &str| {
        let steps = run["step_list"].as_array().unwrap();
        steps.iter().find(|step| step["id"] == id).unwrap().clone()
    };
    assert_eq!(row("busy")["attempts"], 3, "{run:#}");
    assert_eq!(row("wrong")["attempts"], 1, "{run:#}");
    assert_eq!(row("any")["attempts"], 3, "{run:#}");
    let time = |row: &serde_json::Value, key: &str| -> chrono::DateTime<chrono::Utc> {
        row[key].as_str().unwrap().parse().unwrap()
    };
    let took = time(&row("busy"), "ended_at") - time(&row("busy"), "started_at");
    assert!(took.num_milliseconds() >= 2000, "two delays: {took}");
    let attempts = careen
        .does(&["runs", "logs", "--step", "busy", "--attempt", "3"])
        .exits(0);
    assert_eq!(attempts.stdout, "the line is busy\n");
}

#[test]
fn what_a_step_says_of_its_container_reaches_it() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    // The value needs every character to arrive as it is: `$x `y` "z" \n` and a newline.
    let value = "JHggYHlgICJ6IiBcbgo=";
    careen.task(&format!(
        r#"version: v1.1.0
env: [COMMON=all]
volumes:
  - name: conf
    secret:
      odd.txt: {value}
      plain.txt: cGxhaW4=
steps:
  - id: who
    user: '1000:1000'
    cmd: busybox id -u
  - id: entry
    entryPoint: echo
    cmd: busybox said by echo
  - id: env
    env: [A=1, 'B=two words', COMMON=mine]
    cmd: busybox sh -c 'echo $A $B $COMMON'
  - id: files
    volumeMounts:
      - name: conf
        mountPath: /conf
    cmd: busybox sh -c 'base64 /conf/odd.txt; cat /conf/plain.txt; echo'
  - id: options
    cmd: -e X=1 -w /tmp -u 7 --memory 64m --tmpfs /scratch busybox sh -c 'echo $X $(pwd) $(id -u); df /scratch | tail -1 | cut -d" " -f1; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; true'
"#
    ));
    let ran = careen.run(&[]).exits(0);
    for line in [
        "who     | 1000",
        "entry   | said by echo",
        "env     | 1 two words mine",
        // The file ends with the newline that ACR adds.
        "files   | JHggYHlgICJ6IiBcbgoK",
        "files   | plain",
        "options | 1 /tmp 7",
        "options | tmpfs",
        "options | 67108864",
    ] {
        assert!(
            ran.stdout.lines().any(|it| it == line),
            "no {line:?} in\n{}",
            ran.stdout
        );
    }
}

#[test]
fn images_are_built_from_the_context_and_from_what_steps_made_of_it() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let (first, second) = (careen.image("first"), careen.image("second"));
    careen.file(
        "Dockerfile",
        "FROM busybox\nCOPY given.txt /given.txt\nARG WORD\nRUN echo $WORD > /word\n",
    );
    careen.file("given.txt", "given\n");
    careen.file(".dockerignore", "ignored.txt\n");
    careen.file("ignored.txt", "never sent\n");
    let build = "FROM busybox\nCOPY made.txt /made.txt\n".replace('\n', "\\n");
    let write =
        format!("mkdir made; echo made > made/made.txt; printf '{build}' > made/Dockerfile");
    careen.file("write.sh", &write);
    careen.steps(&format!(
        "  - id: build-1\n    build: -t {first} --build-arg WORD=told .\n\
         \x20 - id: use-1\n    cmd: {first} cat /given.txt /word\n\
         \x20 - id: write\n    cmd: busybox sh write.sh\n\
         \x20 - id: build-2\n    build: -t {second} made\n\
         \x20 - id: use-2\n    cmd: {second} cat /made.txt\n"
    ));
    let ran = careen.run(&[]).exits(0);
    for line in ["use-1   | given", "use-1   | told", "use-2   | made"] {
        assert!(
            ran.stdout.lines().any(|it| it == line),
            "no {line:?} in\n{}",
            ran.stdout
        );
    }
}

#[test]
fn a_build_that_fails_exits_1_and_shows_why() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.file("Dockerfile", "FROM busybox\nRUN echo before && exit 9\n");
    careen.steps("  - id: image\n    build: .\n  - cmd: busybox true\n");
    let ran = careen.run(&[]).exits(1).says(&["image", "failed", "9"]);
    assert!(ran.stdout.contains("before"), "{}", ran.stdout);
    assert_eq!(careen.latest()["step_list"][1]["status"], "skipped");
}

#[test]
fn a_service_that_ends_early_is_reported_and_one_that_lives_is_not() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let steps = sh(
        "dies",
        "echo last words; exit 4",
        "    detach: true\n    when: ['-']\n",
    ) + &sh(
        "lives",
        "echo at work; sleep 300",
        "    detach: true\n    when: ['-']\n",
    ) + &sh("after", "sleep 1", "    when: [dies, lives]\n");
    careen.steps(&steps);
    let ran = careen
        .run(&[])
        .exits(0)
        .says(&["ended early with exit code 4"]);
    assert_eq!(
        ran.stderr.matches("ended early").count(),
        2,
        "as it happens and at the end:\n{}",
        ran.stderr
    );
    assert_eq!(careen.log("dies"), "last words\n");
    assert_eq!(careen.log("lives"), "at work\n");
}

/// A task of a service with a health check, and a step that needs it healthy.
fn healthy_service(careen: &mut Careen, check: &str) {
    let image = careen.image("healthy");
    careen.file(
        "Dockerfile",
        &format!("FROM busybox\nHEALTHCHECK --interval=1s --retries=2 CMD {check}\n"),
    );
    let build = format!("  - id: image\n    build: -t {image} .\n");
    let serve = sh(
        "serve",
        "sleep 2; touch /ready; sleep 300",
        "    detach: true\n    when: [image]\n",
    );
    let serve = serve.replace("busybox", &image);
    let after = sh("after", "echo after", "    when: [serve]\n");
    careen.steps(&(build + &serve + &after));
}

#[test]
fn dependents_of_a_service_wait_until_it_is_healthy() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    healthy_service(&mut careen, "test -e /ready");
    careen
        .run(&["--wait-healthy"])
        .exits(0)
        .says(&["waits until it is healthy"]);
    let run = careen.latest();
    let time = |row: usize, key: &str| -> chrono::DateTime<chrono::Utc> {
        run["step_list"][row][key]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    let held = time(2, "started_at") - time(1, "started_at");
    assert!(held.num_milliseconds() >= 2000, "held for {held}");

    // The same with a careen that dies meanwhile.
    let running = careen.start_run(&["--wait-healthy"]);
    careen.until("serve runs", |careen| careen.container("serve-1").is_some());
    running.kill();
    careen
        .does(&["runs", "resume"])
        .exits(0)
        .says(&["waits until it is healthy"]);
}

#[test]
fn a_service_that_becomes_unhealthy_fails() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    healthy_service(&mut careen, "false");
    careen
        .run(&["--wait-healthy"])
        .exits(1)
        .says(&["serve", "unhealthy"]);
}

#[test]
fn a_run_of_one_command_needs_no_file() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let ran = careen
        .does(&["run", "--cmd", "busybox echo quick", "/dev/null"])
        .exits(0);
    assert!(ran.stdout.ends_with("| quick\n"), "{}", ran.stdout);
    assert!(Path::new(&careen.path("data")).is_dir());
}

#[test]
fn a_build_records_what_it_stands_on() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let (base, image) = (careen.image("base"), careen.image("on-it"));
    let too = careen.image("on-it-too");
    careen.file("base/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
    let text =
        format!("ARG B=none\nFROM $B AS tools\nFROM {base}\nCOPY --from=tools /bin/true /\n");
    careen.file("Dockerfile", &text);
    careen.steps(&format!(
        "  - build: -t {base} base\n  - build: -t {image} -t {too} --build-arg B=busybox .\n"
    ));
    careen.run(&[]).exits(0);
    let run = careen.latest();
    let dependencies = run["dependencies"].as_array().expect("a list");
    let of = |at: usize, kind: &str| &dependencies[at][kind];
    assert_eq!(dependencies.len(), 3, "{run:#}");
    assert_eq!(of(0, "runtime-dependency")["reference"], "scratch:latest");
    assert_eq!(of(1, "image")["reference"], image.as_str());
    assert_eq!(of(1, "runtime-dependency")["reference"], base.as_str());
    // It was never in a registry.
    assert_eq!(of(1, "runtime-dependency")["digest"], "");
    let busybox = &of(2, "buildtime-dependency")[0];
    assert_eq!(busybox["reference"], "busybox:latest");
    assert_eq!(
        busybox["digest"],
        careen.repo_digest("busybox").unwrap_or_default().as_str()
    );
    let shown = careen.does(&["runs", "show", "latest"]).exits(0);
    assert!(
        shown.stdout.contains("STANDS ON") && shown.stdout.contains("unknown"),
        "{shown:?}"
    );
}
