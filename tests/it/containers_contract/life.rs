//! A container is made, started, read, awaited and removed.

use std::{sync::Arc, time::Duration};

use careen::ports::{EngineError, Resource, Since, State, Stream};
use futures_util::StreamExt;

use super::{
    claims,
    world::{World, refused, text},
};

claims! {
    an_exit_code_is_reported_as_it_was,
    everything_written_is_read_once_and_exactly,
    output_can_be_read_again_and_from_a_moment_on,
    output_comes_while_the_container_runs,
    output_ends_quietly_when_the_container_is_removed,
    a_terminal_is_one_stream,
    a_missing_command_is_told_from_one_that_cannot_run,
    an_image_that_is_not_there_is_named,
    a_taken_name_is_a_conflict,
    stopping_ends_a_container_and_can_be_done_twice,
    removing_can_be_done_twice_and_at_once,
    inspecting_shows_each_state,
    an_ended_container_can_still_be_awaited,
    a_container_that_is_not_there_is_not_found,
}

async fn an_exit_code_is_reported_as_it_was(world: Arc<World>) {
    for code in [0, 1, 7, 125, 255] {
        let fake = format!("EXIT_CODE={code}");
        let spec = world.shell(&format!("exit-{code}"), &format!("exit {code}"), &[&fake]);
        let (_, exit) = world.run(&spec).await;
        assert_eq!((exit.code, exit.out_of_memory), (code, false));
    }
}

async fn everything_written_is_read_once_and_exactly(world: Arc<World>) {
    let long = "x".repeat(40_000);
    for (name, script, expected) in [
        ("line", "echo hello", "hello\n".to_string()),
        ("open-end", "printf 'a\\nb'", "a\nb".to_string()),
        ("blank", "printf '\\n\\n x\\n'", "\n\n x\n".to_string()),
        (
            "paused",
            "printf ab; sleep 0.2; echo c",
            "abc\n".to_string(),
        ),
        ("nothing", "true", String::new()),
        (
            "long",
            "head -c 40000 /dev/zero | tr '\\0' x; echo",
            format!("{long}\n"),
        ),
        (
            "long-open-end",
            "head -c 40000 /dev/zero | tr '\\0' x",
            long.clone(),
        ),
        (
            "full-part",
            "head -c 16384 /dev/zero | tr '\\0' x; echo",
            format!("{}\n", &long[..16384]),
        ),
        (
            "many",
            "seq 1 5000",
            (1..=5000).map(|number| format!("{number}\n")).collect(),
        ),
    ] {
        let fake = format!("OUTPUT={expected}");
        let id = world.start(&world.shell(name, script, &[&fake])).await;
        let output = world.output(&id).await;
        assert!(
            text(&output, Stream::Stdout) == expected,
            "{name}: {} pieces",
            output.len()
        );
        assert_eq!(text(&output, Stream::Stderr), "", "{name}");
        assert!(output.is_sorted_by_key(|piece| piece.at_nanos), "{name}");
        assert!(
            output
                .iter()
                .all(|piece| piece.at_nanos > 1_600_000_000_000_000_000),
            "{name}"
        );
    }
}

async fn output_can_be_read_again_and_from_a_moment_on(world: Arc<World>) {
    let spec = world.shell(
        "twice",
        "echo out; echo err >&2",
        &["OUTPUT=out\n", "ERROR_OUTPUT=err\n"],
    );
    let (id, _) = world.run(&spec).await;
    for _ in 0..2 {
        let output = world.output(&id).await;
        assert_eq!(text(&output, Stream::Stdout), "out\n");
        assert_eq!(text(&output, Stream::Stderr), "err\n");
    }
    let last = world
        .output(&id)
        .await
        .iter()
        .map(|piece| piece.at_nanos)
        .max();
    let since = |at_nanos| world.containers.output(&id, Since { at_nanos });
    let now = since(last.expect("a stamp")).count().await;
    assert!(
        (1..=2).contains(&now),
        "the moment itself is included: {now}"
    );
    let later = since(last.expect("a stamp") + 5_000_000_000).count().await;
    assert_eq!(later, 0);
}

async fn output_comes_while_the_container_runs(world: Arc<World>) {
    let spec = world.shell(
        "early",
        "echo early; sleep 60",
        &["OUTPUT=early\n", "SLEEP_MS=60000"],
    );
    let id = world.start(&spec).await;
    let mut output = world.containers.output(&id, Since::default());
    let first = tokio::time::timeout(Duration::from_secs(10), output.next()).await;
    let first = first
        .expect("long before the end")
        .expect("a piece")
        .expect("no error");
    assert_eq!(&first.bytes[..], b"early\n");
    world
        .containers
        .stop(&id, Duration::ZERO)
        .await
        .expect("stop");
    let rest = tokio::time::timeout(Duration::from_secs(10), output.count()).await;
    assert_eq!(rest, Ok(0), "the output ends with the container");
}

async fn output_ends_quietly_when_the_container_is_removed(world: Arc<World>) {
    let spec = world.shell(
        "cut-off",
        "echo begun; sleep 60",
        &["OUTPUT=begun\n", "SLEEP_MS=60000"],
    );
    let id = world.start(&spec).await;
    let mut output = world.containers.output(&id, Since::default());
    let first = output.next().await.expect("a piece").expect("no error");
    assert_eq!(&first.bytes[..], b"begun\n");
    let (removed, rest) = tokio::join!(world.containers.remove(&id), output.collect::<Vec<_>>());
    removed.expect("remove");
    assert_eq!(rest, []);
}

async fn a_terminal_is_one_stream(world: Arc<World>) {
    let long = "x".repeat(40_000);
    let script = "echo out; echo err >&2; head -c 40000 /dev/zero | tr '\\0' x";
    let fake = format!("OUTPUT=out\r\nerr\r\n{long}");
    let mut spec = world.shell("tty", script, &[&fake]);
    spec.tty = true;
    let id = world.start(&spec).await;
    let output = world.output(&id).await;
    assert!(
        text(&output, Stream::Stdout) == format!("out\r\nerr\r\n{long}"),
        "{} pieces",
        output.len()
    );
}

async fn a_missing_command_is_told_from_one_that_cannot_run(world: Arc<World>) {
    let mut missing = world.shell("missing", "", &["START_ERROR=127"]);
    missing.command = vec!["no-such-command".to_string()];
    let mut missing_path = world.shell("missing-path", "", &["START_ERROR=127"]);
    missing_path.command = vec!["/no/such/command".to_string()];
    for spec in [missing, missing_path] {
        let id = world.containers.create(&spec).await.expect("create");
        let error = refused(world.containers.start(&id).await);
        assert!(
            matches!(error, EngineError::CommandNotFound(_)),
            "{error:?}"
        );
    }
    let mut barred = world.shell("barred", "", &["START_ERROR=126"]);
    barred.command = vec!["/etc/passwd".to_string()];
    let mut folder = world.shell("folder", "", &["START_ERROR=126"]);
    folder.command = vec!["/etc".to_string()];
    for spec in [barred, folder] {
        let id = world.containers.create(&spec).await.expect("create");
        let error = refused(world.containers.start(&id).await);
        assert!(
            matches!(error, EngineError::CommandNotExecutable(_)),
            "{error:?}"
        );
    }
}

async fn an_image_that_is_not_there_is_named(world: Arc<World>) {
    let mut spec = world.shell("no-image", "true", &[]);
    spec.image = "careen-no-such-image:1".to_string();
    let error = refused(world.containers.create(&spec).await);
    assert!(
        matches!(&error, EngineError::ImageNotFound { reference, .. } if reference == &spec.image),
        "{error:?}"
    );
}

async fn a_taken_name_is_a_conflict(world: Arc<World>) {
    let spec = world.shell("same", "true", &[]);
    world.containers.create(&spec).await.expect("create");
    let error = refused(world.containers.create(&spec).await);
    assert_eq!(error, EngineError::NameConflict(spec.name));
}

async fn stopping_ends_a_container_and_can_be_done_twice(world: Arc<World>) {
    let spec = world.shell("stopped", "trap '' TERM; sleep 60", &["SLEEP_MS=60000"]);
    let id = world.start(&spec).await;
    let waiting = world.containers.wait(&id);
    let stopping = world.containers.stop(&id, Duration::ZERO);
    let (exit, stopped) = tokio::join!(waiting, stopping);
    stopped.expect("stop");
    assert_eq!(exit.expect("wait").code, 137);
    world
        .containers
        .stop(&id, Duration::ZERO)
        .await
        .expect("stop again");
    world.containers.remove(&id).await.expect("remove");
    world
        .containers
        .stop(&id, Duration::ZERO)
        .await
        .expect("stop what is gone");
}

async fn removing_can_be_done_twice_and_at_once(world: Arc<World>) {
    let spec = world.shell("removed", "sleep 60", &["SLEEP_MS=60000"]);
    let id = world.start(&spec).await;
    let remove = || world.containers.remove(&id);
    let (one, two, three) = tokio::join!(remove(), remove(), remove());
    for removed in [one, two, three, remove().await] {
        removed.expect("remove");
    }
    assert_eq!(world.containers.inspect(&id).await, Ok(None));
    let left = world
        .containers
        .list(Resource::Container, &world.labels())
        .await;
    assert_eq!(left, Ok(Vec::new()));
}

async fn inspecting_shows_each_state(world: Arc<World>) {
    let spec = world.shell("states", "sleep 60; exit 3", &["SLEEP_MS=60000"]);
    let id = world.containers.create(&spec).await.expect("create");
    let state = async || {
        let found = world.containers.inspect(&spec.name).await;
        found.expect("inspect").expect("it is there")
    };
    let created = state().await;
    assert_eq!(
        (&created.id, &created.name, &created.labels),
        (&id, &spec.name, &spec.labels)
    );
    assert!(
        created.image_id.starts_with("sha256:"),
        "{}",
        created.image_id
    );
    assert_eq!(created.state, State::Created);
    world.containers.start(&id).await.expect("start");
    assert_eq!(state().await.state, State::Running { healthy: None });
    world
        .containers
        .stop(&id, Duration::ZERO)
        .await
        .expect("stop");
    let State::Exited(exit) = state().await.state else {
        panic!("it has ended");
    };
    assert_eq!((exit.code, exit.at.is_some()), (137, true));
}

async fn an_ended_container_can_still_be_awaited(world: Arc<World>) {
    let (id, first) = world
        .run(&world.shell("ended", "exit 4", &["EXIT_CODE=4"]))
        .await;
    let second = world.containers.wait(&id).await.expect("wait again");
    assert_eq!((first.code, second.code), (4, 4));
}

async fn a_container_that_is_not_there_is_not_found(world: Arc<World>) {
    let nobody = world.name("nobody");
    assert_eq!(world.containers.inspect(&nobody).await, Ok(None));
    let started = refused(world.containers.start(&nobody).await);
    let awaited = refused(world.containers.wait(&nobody).await);
    let mut output = world.containers.output(&nobody, Since::default());
    let read = refused(output.next().await.expect("an error"));
    for error in [started, awaited, read] {
        assert!(matches!(error, EngineError::NotFound(_)), "{error:?}");
    }
}
