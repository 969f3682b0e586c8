//! Timers of stored tasks, on a clock that the tests move.

use std::time::Duration;

use careen::{
    app::TaskWish,
    ports::{Expected, RunFilter, RunRow, Sealed, TaskChange},
    tasks::{CatchUp, Definition, Status, TimerTrigger},
};

use crate::world::World;

const MINUTE: Duration = Duration::from_secs(60);

fn task(timers: Vec<TimerTrigger>) -> Definition {
    let mut task = Definition::named("nightly");
    task.yaml = Some("steps:\n  - cmd: busybox true\n".to_owned());
    task.triggers.timer = timers;
    task
}

fn each_minute() -> TimerTrigger {
    TimerTrigger::new("often", "* * * * *")
}

fn each_hour(catch_up: CatchUp) -> TimerTrigger {
    TimerTrigger {
        catch_up,
        ..TimerTrigger::new("hourly", "0 * * * *")
    }
}

async fn put(world: &World, definition: Definition) {
    let wish = TaskWish {
        definition,
        secrets: Default::default(),
        expected: Expected::Any,
        manifest: None,
    };
    world.app.put_task(wish, "a test").await.unwrap();
}

async fn fire_after(world: &World, time: Duration) -> usize {
    tokio::time::advance(time).await;
    world.app.fire_timers().await.unwrap()
}

/// How long it is until the one timer's next time.
async fn until_next(world: &World) -> Duration {
    let next = world.app.timers.timers(None).await.unwrap()[0].next_at;
    (next - world.app.ports.clock.now()).to_std().unwrap()
}

async fn runs(world: &World) -> Vec<RunRow> {
    world
        .app
        .ports
        .store
        .runs(&RunFilter::default())
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_timer_queues_its_task_at_its_time_and_once() {
    let world = World::new().await;
    let mut definition = task(vec![each_minute()]);
    definition.pool = Some("night".to_owned());
    definition.priority = 3;
    put(&world, definition).await;
    assert_eq!(world.app.fire_timers().await.unwrap(), 0);
    assert_eq!(fire_after(&world, MINUTE).await, 1);
    assert_eq!(world.app.fire_timers().await.unwrap(), 0);
    let run = runs(&world).await.remove(0);
    let trigger = run.trigger.unwrap();
    assert!(
        trigger.key.starts_with("timer/nightly/often/20"),
        "{}",
        trigger.key
    );
    assert!(run.cause.starts_with("timer often at 20"), "{}", run.cause);
    let place = run.placement.unwrap();
    assert_eq!((place.pool.as_str(), place.priority), ("night", 3));
    assert_eq!(place.task.as_deref(), Some("nightly"));
    assert_eq!(fire_after(&world, MINUTE).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_disabled_or_deleted_does_not_fire_and_what_is_enabled_begins_anew() {
    let world = World::new().await;
    put(&world, task(vec![each_minute()])).await;
    let mut disabled = task(vec![each_minute()]);
    disabled.status = Status::Disabled;
    put(&world, disabled.clone()).await;
    assert_eq!(fire_after(&world, 5 * MINUTE).await, 0);
    disabled.status = Status::Enabled;
    disabled.triggers.timer[0].status = Status::Disabled;
    put(&world, disabled).await;
    assert_eq!(fire_after(&world, 5 * MINUTE).await, 0);
    put(&world, task(vec![each_minute()])).await;
    assert_eq!(world.app.fire_timers().await.unwrap(), 0);
    assert_eq!(fire_after(&world, MINUTE).await, 1);
    world.app.delete_task("nightly", "a test").await.unwrap();
    assert_eq!(fire_after(&world, 5 * MINUTE).await, 0);
}

#[tokio::test(start_paused = true)]
async fn after_downtime_a_timer_catches_up_as_it_says_and_says_what_it_missed() {
    for (policy, runs_started, told) in [
        (CatchUp::Skip, 0, 1),
        (CatchUp::Latest, 1, 2),
        (CatchUp::All, 6, 6),
    ] {
        let world = World::new().await;
        put(&world, task(vec![each_hour(policy)])).await;
        // The first full hour lies up to an hour ahead; then the server is away until ten minutes past another.
        tokio::time::advance(until_next(&world).await + 310 * MINUTE).await;
        assert_eq!(
            world.app.fire_timers().await.unwrap(),
            runs_started,
            "{policy}"
        );
        let occurrences = world.app.timers.occurrences("nightly", 99).await.unwrap();
        assert_eq!(occurrences.len(), told, "{policy}: {occurrences:?}");
        if policy != CatchUp::All {
            let missed = occurrences.iter().find(|it| it.run.is_none()).unwrap();
            assert!(missed.reason.contains("catch_up is"), "{}", missed.reason);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn minutes_that_pass_while_a_server_is_only_slow_are_not_missed() {
    let world = World::new().await;
    put(&world, task(vec![each_minute()])).await;
    assert_eq!(fire_after(&world, 3 * MINUTE).await, 3);
}

#[tokio::test(start_paused = true)]
async fn timers_and_tasks_that_a_crash_has_parted_are_brought_together_again() {
    let world = World::new().await;
    let change = |definition: Definition| TaskChange {
        definition,
        secrets: Vec::new(),
        expected: Expected::Any,
        manifest: None,
        by: "a test".to_owned(),
        at: world.app.ports.clock.now(),
    };
    // The task was stored, and the server died before its timers were.
    world
        .app
        .tasks
        .put_task(&change(task(vec![each_minute()])))
        .await
        .unwrap();
    assert_eq!(fire_after(&world, MINUTE).await, 0);
    world.app.compare_timers().await.unwrap();
    assert_eq!(fire_after(&world, MINUTE).await, 1);
    let now = world.app.ports.clock.now();
    world
        .app
        .tasks
        .delete_task("nightly", "a test", now)
        .await
        .unwrap();
    world.app.compare_timers().await.unwrap();
    assert_eq!(world.app.timers.timers(None).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_be_queued_is_tried_again_and_given_up_with_the_reason() {
    let world = World::new().await;
    let mut definition = task(vec![each_hour(CatchUp::All)]);
    definition.secret_values = vec!["token".to_owned()];
    let sealed_elsewhere = TaskChange {
        definition: definition.clone(),
        secrets: vec![(
            "token".to_owned(),
            Sealed {
                key_id: "another".to_owned(),
                bytes: vec![0; 64],
            },
        )],
        expected: Expected::Any,
        manifest: None,
        by: "a test".to_owned(),
        at: world.app.ports.clock.now(),
    };
    world.app.tasks.put_task(&sealed_elsewhere).await.unwrap();
    world.app.compare_timers().await.unwrap();
    let to_the_hour = until_next(&world).await;
    assert_eq!(fire_after(&world, to_the_hour).await, 0);
    let waiting = world.app.timers.timers(None).await.unwrap().remove(0);
    assert!(waiting.problem.is_some());
    // The secret is set anew: the run is queued at the next try.
    let mended = TaskWish {
        definition,
        secrets: [("token".to_owned(), "hush".into())].into(),
        expected: Expected::Any,
        manifest: None,
    };
    world.app.put_task(mended, "a test").await.unwrap();
    assert_eq!(fire_after(&world, MINUTE).await, 1);
    world.app.tasks.put_task(&sealed_elsewhere).await.unwrap();
    assert_eq!(fire_after(&world, 60 * MINUTE).await, 0);
    assert_eq!(fire_after(&world, 31 * MINUTE).await, 0);
    let told = world.app.timers.occurrences("nightly", 9).await.unwrap();
    assert!(told[0].reason.contains("could not be queued"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_context_elsewhere_is_left_to_the_worker() {
    let world = World::new().await;
    let mut definition = task(vec![each_minute()]);
    definition.yaml = None;
    definition.context = Some("https://git.example.com/app.git#main".to_owned());
    put(&world, definition).await;
    assert_eq!(fire_after(&world, MINUTE).await, 1);
    let id = runs(&world).await.remove(0).id;
    let run = world.app.ports.store.run(&id).await.unwrap();
    let vars = &run.request["vars"];
    assert_eq!(
        run.request["deferred"]["context"],
        "https://git.example.com/app.git#main"
    );
    assert!(vars.to_string().contains("timer"), "{vars}");
}
