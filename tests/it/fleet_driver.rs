//! What servers make of rollouts, pass by pass, on a clock that the tests move and over a registry in memory.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use careen::{
    adapters::memory::registry::MemoryRegistry,
    app::{App, FleetDriver, LookTerms, Lookout, RolloutWish, TaskWish},
    engine::{RunStatus, StepStatus},
    fleet::RolloutState,
    ports::{Batch, Expected, Repository, RunFilter, RunRow, StepRow, TriggerKind},
    tasks::{BaseImageTrigger, Definition, ImageBuild},
};
use serde_json::{Value, json};

use crate::{registries::write_image, world::World};

const MINUTE: Duration = Duration::from_secs(60);

/// A careen with a registry in memory, and a server that drives its rollouts.
struct Story {
    world: World,
    app: Arc<App>,
    registry: MemoryRegistry,
    driver: FleetDriver,
    lookout: Lookout,
}

impl Story {
    async fn new() -> Story {
        let world = World::new().await;
        let registry = MemoryRegistry::new();
        registry.add_host("r.io");
        let mut app = world.app();
        app.ports.registry = Arc::new(registry.clone());
        let app = Arc::new(app);
        let terms = LookTerms {
            interval: 10 * MINUTE,
            per_second: NonZeroU32::new(1000).unwrap(),
            at_once: 4,
        };
        Story {
            driver: FleetDriver::new(app.clone(), "one".to_owned()),
            lookout: Lookout::new(app.clone(), terms),
            world,
            app,
            registry,
        }
    }

    /// Stores a task that pushes an image of its name, from a folder here or from elsewhere.
    async fn task(&self, name: &str, base: &str, elsewhere: Option<&str>) {
        let folder = self.world.folder().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("Dockerfile"), format!("FROM r.io/{base}:1\n")).unwrap();
        let mut definition = Definition::named(name);
        let here = folder.to_string_lossy().into_owned();
        definition.context = Some(elsewhere.map_or(here, str::to_owned));
        definition.build = Some(ImageBuild {
            images: vec![format!("r.io/{name}:1")],
            dockerfile: "Dockerfile".to_owned(),
            arguments: Default::default(),
            target: None,
            push: true,
            no_cache: false,
        });
        definition.triggers.base_image = Some(BaseImageTrigger::new("base"));
        let wish = TaskWish {
            definition,
            secrets: Default::default(),
            expected: Expected::Any,
            manifest: None,
        };
        self.app.put_task(wish, "a test").await.unwrap();
    }

    async fn push(&self, path: &str, layer: &str) -> String {
        let at = Repository {
            host: "r.io".to_owned(),
            path: path.to_owned(),
            login: None,
        };
        let written = write_image(&self.registry, (&at, "1"), &[layer.as_bytes()]).await;
        written.unwrap().digest
    }

    async fn begin(&self, wish: RolloutWish) -> String {
        self.app.begin_rollout(&wish, "someone").await.unwrap().id
    }

    async fn state(&self, id: &str) -> RolloutState {
        self.app.rollout(id).await.unwrap().state
    }

    /// Lets the server pass until its looks are over.
    async fn passes(&mut self) {
        for _ in 0..4 {
            self.driver.pass().await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn runs(&self) -> Vec<RunRow> {
        let listed = self.app.ports.store.runs(&RunFilter::default()).await;
        let mut runs = Vec::new();
        for row in listed.unwrap() {
            runs.push(self.app.ports.store.run(&row.id).await.unwrap());
        }
        runs
    }

    /// Ends the run that is under way, with what it pushed and stood on.
    async fn ends(&self, status: RunStatus, images: Value, prepared: Option<Value>) {
        let store = &self.app.ports.store;
        let run = self.runs().await.remove(0);
        assert!(!run.status.is_ended(), "nothing is under way");
        let lease = store.lease_run(&run.id, "w", MINUTE, true).await.unwrap();
        let now = Some(self.app.ports.clock.now());
        let step = StepRow {
            step: 0,
            id: "s".to_owned(),
            kind: "push".to_owned(),
            status: StepStatus::Succeeded,
            ignored: false,
            attempts: 1,
            exit_code: None,
            reason: None,
            started_at: now,
            ended_at: now,
            images,
        };
        let batch = Batch {
            run: Some(RunRow {
                status,
                started_at: now,
                ended_at: now,
                ..run
            }),
            prepared,
            steps: vec![step],
            ..Batch::default()
        };
        store.record(&lease, &batch).await.unwrap();
    }

    /// Ends the run that is under way as a build that pushed an image.
    async fn builds(&self, image: &str, layer: &str) {
        let digest = self.push(image, layer).await;
        let images = json!([{ "image": format!("r.io/{image}:1"), "digest": digest }]);
        self.ends(RunStatus::Succeeded, images, None).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_trigger_and_a_wave_both_want_is_built_once() {
    let mut story = Story::new().await;
    story.push("base", "1").await;
    story.task("app", "base", None).await;
    let first = story.begin(RolloutWish::default()).await;
    story.passes().await;
    story.builds("app", "app on 1").await;
    story.passes().await;
    assert_eq!(story.state(&first).await, RolloutState::Done);
    story.lookout.look().await.unwrap();

    // The trigger is first.
    story.push("base", "2").await;
    tokio::time::advance(13 * MINUTE).await;
    story.lookout.look().await.unwrap();
    tokio::time::advance(2 * MINUTE).await;
    assert_eq!(story.app.start_moved().await.unwrap(), 1);
    let wave = story.begin(RolloutWish::default()).await;
    story.passes().await;
    let runs = story.runs().await;
    let kinds: Vec<TriggerKind> = runs
        .iter()
        .map(|it| it.trigger.as_ref().unwrap().kind)
        .collect();
    assert_eq!(kinds, [TriggerKind::BaseImage, TriggerKind::Fleet]);
    story.builds("app", "app on 2").await;
    story.passes().await;
    assert_eq!(story.state(&wave).await, RolloutState::Done);

    // The wave is first.
    story.push("base", "3").await;
    story.begin(RolloutWish::default()).await;
    story.passes().await;
    assert_eq!(story.runs().await.len(), 3);
    tokio::time::advance(13 * MINUTE).await;
    story.lookout.look().await.unwrap();
    tokio::time::advance(2 * MINUTE).await;
    assert_eq!(story.app.start_moved().await.unwrap(), 0);
    let told = story.app.bases.decisions(Some("app"), 1).await.unwrap();
    assert!(told[0].reason.contains("builds this"), "{}", told[0].reason);
    assert_eq!(story.runs().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_errored_is_tried_again_after_a_rest_and_what_failed_is_not() {
    let mut story = Story::new().await;
    story.push("base", "1").await;
    story.task("app", "base", None).await;
    let id = story.begin(RolloutWish::default()).await;
    story.passes().await;
    story.ends(RunStatus::Errored, json!([]), None).await;
    story.passes().await;
    assert_eq!(story.runs().await.len(), 1);
    tokio::time::advance(Duration::from_secs(6)).await;
    story.passes().await;
    assert_eq!(story.runs().await.len(), 2);
    story.ends(RunStatus::Failed, json!([]), None).await;
    tokio::time::advance(10 * MINUTE).await;
    story.passes().await;
    assert_eq!(story.runs().await.len(), 2);
    assert_eq!(story.state(&id).await, RolloutState::Done);
    let shown = story.app.show_rollout(&id).await.unwrap();
    assert_eq!(shown.left[0].state, "failed");
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_rollout_begins_when_it_is_time_and_of_two_servers_one_begins_it() {
    let mut story = Story::new().await;
    story.push("base", "1").await;
    story.task("app", "base", None).await;
    let wish = RolloutWish {
        schedule: Some("*/10 * * * *".to_owned()),
        ..RolloutWish::default()
    };
    let id = story.begin(wish).await;
    story.passes().await;
    assert_eq!(story.state(&id).await, RolloutState::Scheduled);
    assert_eq!(story.runs().await.len(), 0);
    tokio::time::advance(11 * MINUTE).await;
    let mut other = FleetDriver::new(story.app.clone(), "two".to_owned());
    story.passes().await;
    other.pass().await.unwrap();
    story.passes().await;
    assert_eq!(story.runs().await.len(), 1);
    let all = story.app.list_rollouts(false, 9).await.unwrap();
    let begun: Vec<_> = all
        .iter()
        .filter(|it| it.rollout.begun_by.as_deref() == Some(&id))
        .collect();
    assert_eq!(begun.len(), 1);
    assert_eq!(begun[0].rollout.state, RolloutState::Running);
}

#[tokio::test(start_paused = true)]
async fn what_a_task_elsewhere_makes_is_learned_from_its_run_and_built_from_its_commit() {
    let mut story = Story::new().await;
    let base = story.push("base", "1").await;
    let elsewhere = "https://example.com/app.git#main";
    story.task("app", "base", Some(elsewhere)).await;
    let id = story.begin(RolloutWish::default()).await;
    story.passes().await;
    let digest = story.push("app", "app on 1").await;
    let record = |reference: &str, digest: &str| {
        let (repository, tag) = reference.split_once(':').unwrap();
        let (registry, repository) = repository.split_once('/').unwrap();
        json!({
            "registry": registry, "repository": repository, "tag": tag, "digest": digest,
            "reference": reference,
        })
    };
    let images = json!([{
        "image": "r.io/app:1", "digest": digest,
        "dependencies": [{
            "image": record("r.io/app:1", &digest),
            "runtime-dependency": record("r.io/base:1", &base),
            "buildtime-dependency": null,
            "git": { "git-head-revision": "" },
        }],
    }]);
    let pin = json!({
        "kind": "commit", "url": "https://example.com/app.git", "reference": "main",
        "commit": "c0ffee", "directory": "",
    });
    let prepared = json!({ "commit": "c0ffee", "context": pin });
    story
        .ends(RunStatus::Succeeded, images, Some(prepared))
        .await;
    story.passes().await;
    assert_eq!(
        story.runs().await.len(),
        1,
        "it is not built again for what it told"
    );
    assert_eq!(story.state(&id).await, RolloutState::Done);

    let moved = story.push("base", "2").await;
    story.begin(RolloutWish::default()).await;
    story.passes().await;
    let runs = story.runs().await;
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0].request["bases"]["r.io/base:1"], moved);
    assert_eq!(runs[0].request["pin"]["commit"], "c0ffee");
}
