//! What servers make of rollouts, pass by pass, on a clock that the tests move and over a registry in memory.

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use careen::{
    adapters::{memory::registry::MemoryRegistry, sqlite::SqliteStore},
    app::{App, FleetDriver, LookTerms, Lookout, RolloutWish, TaskWish},
    engine::{RunStatus, StepStatus},
    fleet::RolloutState,
    ports::{Batch, Expected, Repository, RunFilter, RunRow, StepRow, TaskStore, TriggerKind},
    tasks::{BaseImageTrigger, Definition, ImageBuild},
};
use serde_json::{Value, json};

use crate::{
    every_store::on_postgres,
    registries::write_image,
    world::{Stores, World},
};

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
        Self::of(World::new().await, None)
    }

    /// The same over a database, which keeps the tasks as well.
    async fn over<S: Stores + TaskStore + 'static>(store: S) -> Story {
        let store = Arc::new(store);
        Self::of(World::over(store.clone()), Some(store))
    }

    fn of(world: World, tasks: Option<Arc<dyn TaskStore>>) -> Story {
        let registry = MemoryRegistry::new();
        registry.add_host("r.io");
        let mut app = world.app();
        app.ports.registry = Arc::new(registry.clone());
        app.tasks = tasks.unwrap_or(app.tasks);
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
    async fn task(&self, name: &str, bases: &str, elsewhere: Option<&str>) {
        let folder = self.world.folder().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let stages = bases.split(' ').map(|it| format!("FROM r.io/{it}:1\n"));
        let stages: Vec<String> = stages.collect();
        let copies: String = (1..stages.len())
            .map(|stage| format!("COPY --from={} / /\n", stage - 1))
            .collect();
        std::fs::write(folder.join("Dockerfile"), stages.concat() + &copies).unwrap();
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
        let run = self.runs().await.remove(0);
        assert!(!run.status.is_ended(), "nothing is under way");
        self.run_ends(run, status, (images, prepared)).await;
    }

    async fn run_ends(&self, run: RunRow, status: RunStatus, told: (Value, Option<Value>)) {
        let store = &self.app.ports.store;
        let (images, prepared) = told;
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
        let images = self.pushed(image, layer).await;
        self.ends(RunStatus::Succeeded, images, None).await;
    }

    async fn pushed(&self, image: &str, layer: &str) -> Value {
        let digest = self.push(image, layer).await;
        json!([{ "image": format!("r.io/{image}:1"), "digest": digest }])
    }

    /// Lets the server pass until so many runs were queued in all.
    async fn passes_until_queued(&mut self, count: usize) {
        let begun = Instant::now();
        while self.runs().await.len() < count {
            assert!(begun.elapsed() < MINUTE, "{count} runs are not queued");
            self.driver.pass().await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets the rollout go on to its end, after each build by a server that knows nothing of the last one; gives the
    /// tasks in the order in which their runs ended.
    async fn goes_on_to_its_end(&mut self, id: &str, layer: &str) -> Vec<String> {
        let begun = Instant::now();
        let mut ended = Vec::new();
        while self.state(id).await != RolloutState::Done {
            assert!(begun.elapsed() < MINUTE, "only {ended:?} were built");
            self.driver = FleetDriver::new(self.app.clone(), "one".to_owned());
            for _ in 0..8 {
                self.driver.pass().await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let mut runs = self.runs().await.into_iter();
            let Some(run) = runs.rfind(|it| !it.status.is_ended()) else {
                continue;
            };
            let name = run.name.clone();
            let images = self.pushed(&name, &format!("{name} {layer}")).await;
            self.run_ends(run, RunStatus::Succeeded, (images, None))
                .await;
            ended.push(name);
        }
        ended
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

/// A task whose files are elsewhere: what it makes is learned from its run, and it is built from its commit.
async fn a_task_elsewhere_is_learned_and_built_again(mut story: Story) {
    let base = story.push("base", "1").await;
    let elsewhere = "https://example.com/app.git#main";
    story.task("app", "base", Some(elsewhere)).await;
    let id = story.begin(RolloutWish::default()).await;
    story.passes_until_queued(1).await;
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
    let built = story.goes_on_to_its_end(&id, "never").await;
    assert_eq!(built, [""; 0], "it is not built again for what it told");

    let moved = story.push("base", "2").await;
    story.begin(RolloutWish::default()).await;
    story.passes_until_queued(2).await;
    let runs = story.runs().await;
    assert_eq!(runs[0].request["bases"]["r.io/base:1"], moved);
    assert_eq!(runs[0].request["pin"]["commit"], "c0ffee");
}

#[tokio::test]
async fn what_a_task_elsewhere_makes_is_learned_from_its_run_and_built_from_its_commit() {
    a_task_elsewhere_is_learned_and_built_again(Story::new().await).await;
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("careen.db")).await;
    a_task_elsewhere_is_learned_and_built_again(Story::over(store.unwrap()).await).await;
    on_postgres(async |store| {
        a_task_elsewhere_is_learned_and_built_again(Story::over(store).await).await;
    })
    .await;
}

/// A diamond that is brought up to date, and again when its base has moved.
async fn a_diamond_is_built_in_order_and_once(mut story: Story) {
    story.push("base", "1").await;
    story.task("left", "base", None).await;
    story.task("right", "base", None).await;
    story.task("top", "left right", None).await;
    let first = story.begin(RolloutWish::default()).await;
    let mut order = story.goes_on_to_its_end(&first, "1").await;
    assert_eq!(order.pop().as_deref(), Some("top"));
    order.sort();
    assert_eq!(order, ["left", "right"]);

    let moved = story.push("base", "2").await;
    let second = story.begin(RolloutWish::default()).await;
    let order = story.goes_on_to_its_end(&second, "2").await;
    assert_eq!(order.len(), 3, "{order:?}");
    assert_eq!(order[2], "top");
    let runs = story.runs().await;
    assert_eq!(runs.len(), 6);
    let of = |name: &str| runs.iter().find(|it| it.name == name).unwrap();
    for side in ["left", "right"] {
        assert_eq!(of(side).request["bases"]["r.io/base:1"], moved);
        let given = story.app.ports.store.steps(&of(side).id).await.unwrap();
        let digest = &given[0].images[0]["digest"];
        assert_eq!(
            &of("top").request["bases"][format!("r.io/{side}:1")],
            digest
        );
    }

    // Nothing moved since: another wave has nothing to do.
    let third = story.begin(RolloutWish::default()).await;
    assert_eq!(story.goes_on_to_its_end(&third, "3").await, [""; 0]);

    // What the runs of the past leave behind does not stay for ever, and nothing is built for that.
    let keep = careen::app::Keep {
        runs: Some(3),
        ..Default::default()
    };
    let pruned = story.app.prune(&keep).await.unwrap();
    assert_eq!(pruned.runs.len(), 3);
    assert!(pruned.facts > 0);
    let fourth = story.begin(RolloutWish::default()).await;
    assert_eq!(story.goes_on_to_its_end(&fourth, "4").await, [""; 0]);
}

#[tokio::test]
async fn over_a_database_servers_that_come_and_go_build_a_diamond_in_order_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("careen.db")).await;
    a_diamond_is_built_in_order_and_once(Story::over(store.unwrap()).await).await;
    on_postgres(async |store| {
        a_diamond_is_built_in_order_and_once(Story::over(store).await).await;
    })
    .await;
}
