//! What containers wait for before they start, and what goes before the run ends.

use std::time::Duration;

use careen::{
    adapters::memory::containers::{Behaviour, Call, MemoryEngine},
    app::Secrets,
    engine::RunStatus,
    ports::{EngineError, Resource},
};

use crate::world::World;

/// Two steps that may meet, then one that can meet nobody.
const TWO_THEN_ONE: &str = "steps:
  - {id: a, cmd: busybox, when: ['-']}
  - {id: b, cmd: busybox, when: ['-']}
  - {id: alone, cmd: busybox, when: [a, b]}
";

/// Longer than any of the steps that are not meant.
const AWHILE: Duration = Duration::from_secs(60);

fn sleeps(engine: &MemoryEngine, step: &str, sleep: Duration) {
    let behaviour = Behaviour {
        sleep,
        ..Behaviour::default()
    };
    engine.behave(step, behaviour);
}

fn has(engine: &MemoryEngine, kind: Resource) -> bool {
    engine.left_over().iter().any(|(found, _)| *found == kind)
}

/// Runs a task and looks at the engine when `after` has passed since its beginning.
async fn look_at<T>(world: &World, text: &str, after: Duration, look: impl FnOnce() -> T) -> T {
    let run = world.run(world.request(text), Secrets::default());
    let watched = async {
        tokio::time::sleep(after).await;
        look()
    };
    let (ran, seen) = tokio::join!(run, watched);
    let (outcome, _) = ran.expect("it is driven");
    assert_eq!(outcome.run.status, RunStatus::Succeeded);
    seen
}

#[tokio::test(start_paused = true)]
async fn a_network_goes_with_the_last_step_that_needs_it() {
    let world = World::new().await;
    sleeps(&world.engine, "a", AWHILE);
    sleeps(&world.engine, "alone", AWHILE * 5);
    let engine = world.engine.clone();
    let while_needed = move || has(&engine, Resource::Network);
    assert!(look_at(&world, TWO_THEN_ONE, AWHILE / 2, while_needed).await);
    let engine = world.engine.clone();
    let later = move || engine.left_over();
    let then = look_at(&world, TWO_THEN_ONE, AWHILE * 2, later).await;
    let of = |kind| then.iter().filter(|(found, _)| *found == kind).count();
    let seen = (of(Resource::Network), of(Resource::Container) > 0);
    assert_eq!(seen, (0, true), "{then:?}");
    assert_eq!(world.engine.left_over(), []);
}

#[tokio::test(start_paused = true)]
async fn no_step_starts_before_its_network_is_there() {
    let world = World::new().await;
    world.engine.stall(Call::CreateNetwork);
    let engine = world.engine.clone();
    let look = move || {
        let started = engine.started_steps();
        engine.resume(Call::CreateNetwork);
        started
    };
    assert_eq!(
        look_at(&world, TWO_THEN_ONE, AWHILE, look).await,
        [""; 0],
        "none could meet the others yet"
    );
    assert_eq!(world.engine.started_steps().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_cannot_be_made_ends_the_run_as_errored_and_leaves_nothing() {
    let world = World::new().await;
    let error = EngineError::Other("all predefined address pools have been fully subnetted".into());
    world.engine.fail(Call::CreateNetwork, 1, error);
    let request = world.request(TWO_THEN_ONE);
    let (outcome, _) = world.run(request, Secrets::default()).await.unwrap();
    assert_eq!(outcome.run.status, RunStatus::Errored);
    let reason = outcome.run.reason.unwrap_or_default();
    assert!(reason.contains("address pools"), "{reason}");
    assert_eq!(world.engine.started_steps(), [""; 0]);
    assert_eq!(world.engine.left_over(), []);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_lost_the_race_for_its_working_directory_is_made_again() {
    let world = World::new().await;
    let race = "mkdir /var/lib/docker/volumes/v/_data/sub: file exists";
    let lost = EngineError::Other(race.to_owned());
    world.engine.fail(Call::Create, 1, lost.clone());
    let text = "steps: [{id: s, cmd: busybox, workingDirectory: /workspace/sub}]";
    let (outcome, _) = world
        .run(world.request(text), Secrets::default())
        .await
        .unwrap();
    assert_eq!(outcome.run.status, RunStatus::Succeeded);
    assert_eq!(world.engine.count(Call::Start, "s"), 1);
}

/// One step that can meet nobody, then two that may meet, then one alone again.
const ONE_THEN_TWO: &str = "steps:
  - {id: first, cmd: busybox, when: ['-']}
  - {id: a, cmd: busybox, when: [first]}
  - {id: b, cmd: busybox, when: [first]}
  - {id: last, cmd: busybox, when: [a, b]}
";

#[tokio::test(start_paused = true)]
async fn a_network_is_made_while_the_first_container_runs_not_while_it_starts() {
    let world = World::new().await;
    sleeps(&world.engine, "first", AWHILE);
    world.engine.stall(Call::Start);
    let engine = world.engine.clone();
    let look = move || {
        let while_it_starts = has(&engine, Resource::Network);
        engine.resume(Call::Start);
        while_it_starts
    };
    assert!(!look_at(&world, ONE_THEN_TWO, AWHILE, look).await);
    let engine = world.engine.clone();
    let while_it_runs = move || has(&engine, Resource::Network);
    assert!(look_at(&world, ONE_THEN_TWO, AWHILE / 2, while_it_runs).await);
    assert_eq!(world.engine.left_over(), []);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_nobody_comes_to_need_is_not_made() {
    let world = World::new().await;
    let error = EngineError::Other("no room".to_owned());
    world.engine.fail(Call::Start, 1, error);
    // The run would wait for it: what is being made must be there before it can be removed.
    world.engine.stall(Call::CreateNetwork);
    let run = world.run(world.request(ONE_THEN_TWO), Secrets::default());
    let ended = tokio::time::timeout(AWHILE, run).await;
    let (outcome, _) = ended.expect("it waits for no network").unwrap();
    assert_eq!(outcome.run.status, RunStatus::Errored);
    assert_eq!(world.engine.left_over(), []);
}

#[tokio::test(start_paused = true)]
async fn a_network_does_not_go_while_a_container_starts() {
    let world = World::new().await;
    sleeps(&world.engine, "last", AWHILE * 5);
    sleeps(&world.engine, "b", AWHILE);
    let engine = world.engine.clone();
    let stalled = engine.clone();
    let stall = async move {
        tokio::time::sleep(AWHILE / 2).await;
        stalled.stall(Call::Start);
    };
    let look = move || {
        let while_it_starts = has(&engine, Resource::Network);
        engine.resume(Call::Start);
        while_it_starts
    };
    let watched = look_at(&world, ONE_THEN_TWO, AWHILE * 2, look);
    let ((), kept) = tokio::join!(stall, watched);
    assert!(kept, "it goes once the last container has started");
    let engine = world.engine.clone();
    let later = move || has(&engine, Resource::Network);
    assert!(!look_at(&world, ONE_THEN_TWO, AWHILE * 2, later).await);
}
