//! Base images of stored tasks: learned, looked at on a clock that the tests move, and what moves start.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use careen::{
    adapters::memory::registry::MemoryRegistry,
    app::{App, LookTerms, Lookout, Overrides, TaskWish},
    ports::{
        BaseDecision, Expected, Manifest, Registry, RegistryError, Repository, RunFilter, RunRow,
        Watch,
    },
    tasks::{BaseImageKind, BaseImageTrigger, Definition, Follow, ImageBuild},
};
use serde_json::{Value, json};

use crate::{
    registries::{write_blob, write_image},
    world::World,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOST: &str = "r.io";

/// A careen with a registry in memory and a task that builds on two of its images.
struct Story {
    world: World,
    app: Arc<App>,
    registry: MemoryRegistry,
    lookout: Lookout,
}

impl Story {
    async fn new(change: impl FnOnce(&mut BaseImageTrigger)) -> Story {
        let world = World::new().await;
        let registry = MemoryRegistry::new();
        registry.add_host(HOST);
        let mut app = world.app();
        app.ports.registry = Arc::new(registry.clone());
        let app = Arc::new(app);
        let terms = LookTerms {
            interval: 10 * MINUTE,
            per_second: NonZeroU32::new(1000).unwrap(),
            at_once: 4,
        };
        let story = Story {
            lookout: Lookout::new(app.clone(), terms),
            world,
            app,
            registry,
        };
        let files = "FROM r.io/build:1 AS build\nFROM r.io/base:1\nCOPY --from=build /x /x\n";
        std::fs::write(story.world.folder().join("Dockerfile"), files).unwrap();
        story.push("base", "1", b"old").await;
        story.push("build", "1", b"old").await;
        let mut trigger = BaseImageTrigger::new("base");
        change(&mut trigger);
        story.put(trigger).await;
        story
    }

    async fn put(&self, trigger: BaseImageTrigger) {
        let mut definition = Definition::named("app");
        definition.context = Some(self.world.folder().to_string_lossy().into_owned());
        definition.build = Some(ImageBuild {
            images: vec!["app:1".to_owned()],
            dockerfile: "Dockerfile".to_owned(),
            arguments: Default::default(),
            target: None,
            push: false,
            no_cache: false,
        });
        definition.triggers.base_image = Some(trigger);
        let wish = TaskWish {
            definition,
            secrets: Default::default(),
            expected: Expected::Any,
            manifest: None,
        };
        self.app.put_task(wish, "a test").await.unwrap();
    }

    async fn push(&self, path: &str, tag: &str, layer: &[u8]) -> String {
        let at = repository(path);
        let written = write_image(&self.registry, (&at, tag), &[layer]).await;
        written.unwrap().digest
    }

    async fn look_after(&self, time: Duration) -> usize {
        tokio::time::advance(time).await;
        self.lookout.look().await.unwrap()
    }

    async fn start_after(&self, time: Duration) -> usize {
        tokio::time::advance(time).await;
        self.app.start_moved().await.unwrap()
    }

    async fn decisions(&self) -> Vec<BaseDecision> {
        self.app.bases.decisions(Some("app"), 99).await.unwrap()
    }

    async fn watch(&self, key: &str) -> Watch {
        let watches = self.app.bases.watches(None).await.unwrap();
        watches.into_iter().find(|it| it.key == key).unwrap()
    }

    async fn runs(&self) -> Vec<RunRow> {
        let runs = self.app.ports.store.runs(&RunFilter::default()).await;
        runs.unwrap()
    }
}

fn repository(path: &str) -> Repository {
    Repository {
        host: HOST.to_owned(),
        path: path.to_owned(),
        login: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_base_that_moves_starts_one_run_that_says_from_what_to_what() {
    let story = Story::new(|_| ()).await;
    let old = story.app.bases.bases(Some("app")).await.unwrap();
    let keys: Vec<_> = old
        .iter()
        .map(|it| (it.key.as_str(), it.is_runtime))
        .collect();
    assert_eq!(keys, [("r.io/base:1", true), ("r.io/build:1", false)]);
    assert_eq!(story.look_after(Duration::ZERO).await, 2);
    assert!(
        story
            .decisions()
            .await
            .iter()
            .all(|it| it.run.is_none() && it.due_at.is_none())
    );
    let from = story.watch("r.io/base:1").await.seen.unwrap();
    // Nothing moved: nothing is decided, however often it is looked at.
    assert_eq!(story.look_after(13 * MINUTE).await, 2);
    assert_eq!(story.decisions().await.len(), 2);
    let to = story.push("base", "1", b"new").await;
    story.push("build", "1", b"new").await;
    assert_eq!(story.look_after(13 * MINUTE).await, 2);
    let told = story.decisions().await;
    let build = told.iter().find(|it| it.key == "r.io/build:1").unwrap();
    assert!(build.reason.contains("runtime bases"), "{}", build.reason);
    assert_eq!(story.start_after(Duration::from_secs(59)).await, 0);
    assert_eq!(story.start_after(Duration::from_secs(1)).await, 1);
    assert_eq!(story.start_after(10 * MINUTE).await, 0);
    let run = story.runs().await.remove(0);
    assert_eq!(
        run.cause,
        format!("base image moved: r.io/base:1 from {from} to {to}")
    );
    let trigger = run.trigger.unwrap();
    assert!(
        trigger.key.starts_with("base_image/app/sha256:"),
        "{}",
        trigger.key
    );
    assert_eq!(trigger.details["images"][0]["to"], to);
}

#[tokio::test(start_paused = true)]
async fn several_bases_that_move_within_the_window_start_one_run_that_lists_them_all() {
    let story = Story::new(|it| it.kind = BaseImageKind::All).await;
    story.look_after(Duration::ZERO).await;
    story.push("base", "1", b"new").await;
    story.look_after(13 * MINUTE).await;
    story.push("build", "1", b"new").await;
    let prompt = ("notification of r", story.app.ports.clock.now());
    story
        .app
        .bases
        .look_now("r.io/build", "1", prompt)
        .await
        .unwrap();
    assert_eq!(story.look_after(Duration::from_secs(30)).await, 1);
    assert_eq!(story.start_after(Duration::from_secs(30)).await, 1);
    let run = story.runs().await.remove(0);
    assert!(
        run.cause.starts_with("base images moved: r.io/base:1 from"),
        "{}",
        run.cause
    );
    assert!(
        run.cause.contains(", r.io/build:1 from sha256:"),
        "{}",
        run.cause
    );
    let told = story.decisions().await;
    assert_eq!(told[0].how, "notification of r");
    assert_eq!(story.start_after(10 * MINUTE).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_failing_look_is_told_tried_again_and_never_taken_for_unchanged() {
    let story = Story::new(|_| ()).await;
    story.look_after(Duration::ZERO).await;
    let before = story.watch("r.io/base:1").await;
    story.push("base", "1", b"new").await;
    let busy = RegistryError::Busy {
        host: HOST.to_owned(),
        reason: "too many requests".to_owned(),
        retry_after: Some(5 * MINUTE),
    };
    story.registry.fail_next([busy]);
    assert_eq!(story.look_after(13 * MINUTE).await, 2);
    let failing = story.watch("r.io/base:1").await;
    assert!(failing.problem.unwrap().contains("r.io"));
    assert_eq!((failing.failures, failing.looked_at), (1, before.looked_at));
    assert_eq!(failing.seen, before.seen);
    // The registry asked for five minutes, and gets them.
    assert_eq!(
        story.look_after(5 * MINUTE - Duration::from_secs(1)).await,
        0
    );
    story.look_after(3 * MINUTE).await;
    let mended = story.watch("r.io/base:1").await;
    assert_eq!((mended.failures, mended.problem), (0, None));
    assert_ne!(mended.seen, before.seen);
    assert_eq!(story.start_after(MINUTE).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_moves_to_the_same_content_starts_nothing() {
    let story = Story::new(|_| ()).await;
    let made = async |created: &str, layer: &str| {
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": created,
            "rootfs": {"type": "layers", "diff_ids": [layer]},
            "history": [{"created": created, "created_by": "COPY x"}],
        });
        put_config(&story.registry, "base", &config).await;
    };
    made("2026-01-01T00:00:00Z", "sha256:a").await;
    story.look_after(Duration::ZERO).await;
    made("2026-02-02T00:00:00Z", "sha256:a").await;
    story.look_after(13 * MINUTE).await;
    let told = story.decisions().await.remove(0);
    assert!(
        told.reason.contains("content is the same"),
        "{}",
        told.reason
    );
    assert_ne!(told.from, Some(told.to));
    made("2026-03-03T00:00:00Z", "sha256:b").await;
    story.look_after(13 * MINUTE).await;
    assert_eq!(story.start_after(MINUTE).await, 1);
}

/// Writes an image of this configuration and no other bytes as tag 1.
async fn put_config(registry: &MemoryRegistry, path: &str, config: &Value) {
    let at = repository(path);
    let bytes = config.to_string();
    let digest = write_blob(registry, &at, bytes.as_bytes()).await.unwrap();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let text = json!({
        "schemaVersion": 2, "mediaType": media_type, "layers": [],
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest, "size": bytes.len(),
        },
    });
    let manifest = Manifest::new(media_type, text.to_string());
    registry.put_manifest(&at, "1", &manifest).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_new_tag_in_the_range_starts_a_run_that_gets_it_as_an_argument() {
    let story = Story::new(|it| {
        it.follow.push(Follow {
            image: "r.io/base".to_owned(),
            versions: Some("^1".to_owned()),
            pattern: None,
            sets: Some("BASE_TAG".to_owned()),
        });
    })
    .await;
    story.push("base", "1.0", b"old").await;
    story.look_after(Duration::ZERO).await;
    story.push("base", "2.0", b"too new").await;
    story.push("base", "1.5-slim", b"of another kind").await;
    story.look_after(13 * MINUTE).await;
    assert_eq!(story.start_after(MINUTE).await, 0);
    story.push("base", "1.4", b"new").await;
    story.look_after(13 * MINUTE).await;
    assert_eq!(story.start_after(MINUTE).await, 1);
    let id = story.runs().await.remove(0).id;
    let run = story.app.ports.store.run(&id).await.unwrap();
    assert!(
        run.cause.contains("r.io/base:1{^1} from 1.0 to 1.4"),
        "{}",
        run.cause
    );
    let text = run.request["text"].as_str().unwrap();
    assert!(text.contains("BASE_TAG=1.4"), "{text}");
}

#[tokio::test]
async fn a_run_that_succeeds_tells_what_it_stood_on() {
    let story = Story::new(|it| it.kind = BaseImageKind::All).await;
    let row = story.app.tasks.task("app").await.unwrap();
    let (request, secrets) = story
        .app
        .task_request(&row, Overrides::default())
        .await
        .unwrap();
    let queued = story.app.queue(request, secrets, None).await.unwrap();
    let id = queued.id.clone();
    let live = careen::app::Live {
        watcher: Arc::new(()),
        cancel: Default::default(),
        logins: Vec::new(),
        shares_cache: false,
    };
    let outcome = story.app.drive(queued, live).await.unwrap();
    assert!(outcome.run.status.is_ended());
    let bases = story.app.bases.bases(Some("app")).await.unwrap();
    assert_eq!(bases.len(), 2);
    assert!(bases.iter().all(|it| it.learned_from == id), "{bases:?}");
}
