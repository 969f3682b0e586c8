//! The engine in memory misbehaves as told, and counts.

use std::time::Duration;

use careen::{
    adapters::memory::containers::{Behaviour, Call},
    ports::{EngineError, Exit, Resource, Since, State},
};
use futures_util::TryStreamExt;

use super::world::{World, in_memory, refused};

fn memory(world: &World) -> &careen::adapters::memory::containers::MemoryEngine {
    world.memory.as_ref().expect("the engine in memory")
}

#[tokio::test]
async fn a_call_fails_as_often_as_told() {
    in_memory(async |world| {
        let full = EngineError::DiskFull("it was told to be".to_string());
        memory(&world).fail(Call::Create, 2, full.clone());
        let spec = world.shell("unlucky", "true", &[]);
        for _ in 0..2 {
            assert_eq!(refused(world.containers.create(&spec).await), full);
        }
        world
            .containers
            .create(&spec)
            .await
            .expect("the third time");
        assert_eq!(memory(&world).count(Call::Create, ""), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stalled_call_waits_until_it_may_go_on() {
    in_memory(async |world| {
        let engine = memory(&world);
        engine.stall(Call::Create);
        let spec = world.shell("slow", "true", &[]);
        let creating = world.containers.create(&spec);
        let mut creating = std::pin::pin!(creating);
        let early = tokio::time::timeout(Duration::from_secs(3600), &mut creating).await;
        assert!(early.is_err(), "it is stalled");
        engine.resume(Call::Create);
        creating.await.expect("create");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_no_exit() {
    in_memory(async |world| {
        let spec = world.shell("survivor", "sleep 60", &["SLEEP_MS=60000"]);
        let id = world.start(&spec).await;
        let output = world
            .containers
            .output(&id, Since::default())
            .try_collect::<Vec<_>>();
        let breaking = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            memory(&world).break_connection();
        };
        let (exit, output, ()) = tokio::join!(world.containers.wait(&id), output, breaking);
        assert!(matches!(exit, Err(EngineError::Broken(_))), "{exit:?}");
        assert!(matches!(output, Err(EngineError::Broken(_))), "{output:?}");
        let error = refused(world.containers.inspect(&id).await);
        assert!(
            matches!(error, EngineError::Unreachable { .. }),
            "{error:?}"
        );
        memory(&world).restore_connection();
        assert_eq!(world.containers.wait(&id).await.expect("wait").code, 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_kills_and_makes_the_engine_younger() {
    in_memory(async |world| {
        let id = world
            .start(&world.shell("victim", "sleep 60", &["SLEEP_MS=60000"]))
            .await;
        let waiting = world.containers.wait(&id);
        let restarting = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            memory(&world).restart();
        };
        let (exit, ()) = tokio::join!(waiting, restarting);
        assert!(matches!(exit, Err(EngineError::Broken(_))), "{exit:?}");
        let found = world
            .containers
            .inspect(&id)
            .await
            .expect("inspect")
            .expect("there");
        let State::Exited(Exit { code: 137, at, .. }) = found.state else {
            panic!("{found:?}");
        };
        let engine = world.containers.info().await.expect("info");
        assert!(at < engine.started_at, "{at:?} {engine:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_step_fails_some_times_and_its_attempts_are_counted() {
    in_memory(async |world| {
        let mut codes = Vec::new();
        for attempt in ["1", "2", "3"] {
            let mut spec = world.shell(attempt, "true", &["FAIL_TIMES=2"]);
            for (name, value) in [("run", "r"), ("step", "flaky"), ("attempt", attempt)] {
                spec.labels
                    .insert(format!("careen.{name}"), value.to_string());
            }
            codes.push(world.run(&spec).await.1.code);
        }
        assert_eq!(codes, [1, 1, 0]);
        let engine = memory(&world);
        assert_eq!(engine.count(Call::Start, "flaky"), 3);
        assert_eq!(engine.count_attempt(Call::Start, "flaky", "2"), 1);
        assert_eq!(engine.count_attempt(Call::Remove, "flaky", "2"), 0);
        assert_eq!(engine.started_steps(), ["flaky"; 3]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn time_passes_health_comes_and_what_runs_is_counted() {
    in_memory(async |world| {
        let engine = memory(&world);
        let image = Behaviour {
            sleep: Duration::from_secs(60),
            healthy_after: Some(Duration::from_secs(5)),
            ..Behaviour::default()
        };
        engine.behave(&world.image, image);
        let first = world.start(&world.shell("first", "true", &[])).await;
        let second = world.start(&world.shell("second", "true", &[])).await;
        let state = async || {
            world
                .containers
                .inspect(&first)
                .await
                .expect("inspect")
                .expect("there")
                .state
        };
        assert_eq!(state().await, State::Running { healthy: None });
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!(
            state().await,
            State::Running {
                healthy: Some(true)
            }
        );
        for id in [&first, &second] {
            assert_eq!(world.containers.wait(id).await.expect("wait").code, 0);
        }
        assert_eq!(engine.most_running(), 2);
        world.containers.remove(&first).await.expect("remove");
        let second_name = world.name("second");
        assert_eq!(engine.left_over(), [(Resource::Container, second_name)]);
    })
    .await;
}
