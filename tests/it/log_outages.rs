//! A log outlasts an object store that is away while it is written.

use std::{
    sync::{Arc, atomic::AtomicBool, atomic::Ordering::SeqCst},
    time::Duration,
};

use careen::{
    adapters::{memory::containers::Behaviour, objects::ObjectFolder, postgres::PostgresFrames},
    app::{LogQuery, Secrets},
    engine::RunStatus,
    ports::ObjectError,
};

use crate::{every_store::on_postgres, troubled_objects::Troubled, world::World};

/// Lines that do not pack well, so that their frames are large enough to be objects.
const LINES: usize = 20_000;

fn nobody_answers() -> ObjectError {
    ObjectError {
        address: "s3://bucket".to_owned(),
        problem: "nobody answers".to_owned(),
        hint: String::new(),
        is_passing: true,
    }
}

fn text() -> String {
    let line = |_| format!("{}\n", uuid::Uuid::new_v4());
    (0..LINES).map(line).collect()
}

#[tokio::test]
async fn a_log_is_whole_though_its_store_was_away_while_it_was_written() {
    on_postgres(async |store| {
        let mut world = World::over(Arc::new(store.clone()));
        let objects = ObjectFolder::at(world.folder().join("objects").to_str().unwrap(), []);
        let is_away = Arc::new(AtomicBool::new(true));
        let troubled = Troubled::before(Arc::new(objects), is_away.clone(), nobody_answers());
        let objects = Arc::new(troubled);
        world.app.ports.frames = Arc::new(PostgresFrames::new(store, objects.clone()));
        let output = text();
        let behaviour = Behaviour {
            output: output.clone(),
            ..Behaviour::default()
        };
        world.engine.behave("talk", behaviour);
        let request = world.request("steps: [{id: talk, cmd: busybox}]");
        let comes_back = async {
            while objects.refused() < 3 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            is_away.store(false, SeqCst);
        };
        let (ended, ()) = tokio::join!(world.run(request, Secrets::default()), comes_back);
        let run = ended.expect("it ends").0.run;
        assert_eq!(run.status, RunStatus::Succeeded);
        let mut read = String::new();
        let take = |_: &str, _: &_, line: &careen::logs::Line| {
            read.push_str(&String::from_utf8_lossy(&line.text));
            read.push('\n');
            true
        };
        let all = LogQuery::default();
        world
            .app
            .read_logs(&run.id, &all, take)
            .await
            .expect("read");
        // Nothing is missing, and nothing is there twice.
        assert!(read == output, "{} bytes of {}", read.len(), output.len());
    })
    .await;
}
