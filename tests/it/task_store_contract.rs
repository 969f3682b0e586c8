//! Every store of tasks keeps the port's promises.

use careen::{
    adapters::{memory::store::MemoryTasks, sqlite::SqliteStore},
    ports::{Expected, Sealed, TaskChange, TaskError, TaskFilter, TaskStore},
    tasks::Definition,
};
use chrono::{DateTime, Utc};

use crate::every_store::on_postgres;

/// Checks a claim on each store.
async fn on_every_store(claim: impl AsyncFn(&dyn TaskStore)) {
    claim(&MemoryTasks::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    claim(&SqliteStore::open(&path).await.unwrap()).await;
    on_postgres(async |store| claim(&store).await).await;
}

fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
}

fn change(name: &str, context: &str, expected: Expected) -> TaskChange {
    TaskChange {
        definition: Definition {
            context: Some(context.to_owned()),
            ..Definition::named(name)
        },
        secrets: Vec::new(),
        expected,
        manifest: None,
        by: "ann".to_owned(),
        at: time(1),
    }
}

fn with_secret(name: &str, byte: u8) -> TaskChange {
    let mut change = change(name, "/src", Expected::Any);
    change.definition.secret_values = vec!["token".to_owned()];
    let sealed = Sealed {
        key_id: "k".to_owned(),
        bytes: vec![byte; 9],
    };
    change.secrets = vec![("token".to_owned(), sealed)];
    change
}

#[tokio::test]
async fn a_task_reads_back_as_it_was_put() {
    on_every_store(async |store| {
        let put = store.put_task(&with_secret("a", 1)).await.unwrap();
        assert_eq!((put.version, put.created_at), (1, time(1)));
        assert_eq!(put.updated_by, "ann");
        assert_eq!(store.task("a").await.unwrap(), put);
        assert_eq!(put.definition, with_secret("a", 1).definition);
        let secrets = store.task_secrets("a").await.unwrap();
        assert_eq!(secrets, with_secret("a", 1).secrets);
    })
    .await;
}

#[tokio::test]
async fn every_version_is_kept_and_an_equal_one_is_none() {
    on_every_store(async |store| {
        for context in ["/one", "/two", "/two"] {
            let change = TaskChange {
                at: time(context.len() as i64),
                ..change("a", context, Expected::Any)
            };
            store.put_task(&change).await.unwrap();
        }
        let versions = store.task_versions("a").await.unwrap();
        let numbers: Vec<u32> = versions.iter().map(|it| it.version).collect();
        assert_eq!(numbers, [2, 1]);
        let first = store.task_version("a", 1).await.unwrap();
        assert_eq!(first, versions[1]);
        assert_eq!(first.definition.unwrap().context.unwrap(), "/one");
        assert_eq!(
            store.task_version("a", 3).await.unwrap_err(),
            TaskError::NoSuchVersion("a".to_owned(), 3)
        );
    })
    .await;
}

#[tokio::test]
async fn a_change_that_expects_something_else_is_refused_and_changes_nothing() {
    on_every_store(async |store| {
        let nothing = store
            .put_task(&change("a", "/one", Expected::Version(1)))
            .await;
        assert_eq!(nothing.unwrap_err(), TaskError::NoSuchTask("a".to_owned()));
        let first = change("a", "/one", Expected::Nothing);
        store.put_task(&first).await.unwrap();
        let again = store
            .put_task(&change("a", "/two", Expected::Nothing))
            .await;
        assert_eq!(again.unwrap_err(), TaskError::Exists("a".to_owned()));
        store
            .put_task(&change("a", "/two", Expected::Version(1)))
            .await
            .unwrap();
        let stale = store
            .put_task(&change("a", "/three", Expected::Version(1)))
            .await;
        let moved = TaskError::Moved {
            task: "a".to_owned(),
            expected: 1,
            found: 2,
        };
        assert_eq!(stale.unwrap_err(), moved);
        let context = store.task("a").await.unwrap().definition.context;
        assert_eq!(context.as_deref(), Some("/two"));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_task_keeps_its_history_and_a_new_one_goes_on_with_it() {
    on_every_store(async |store| {
        store.put_task(&with_secret("a", 1)).await.unwrap();
        store.delete_task("a", "bob", time(5)).await.unwrap();
        let gone = TaskError::NoSuchTask("a".to_owned());
        assert_eq!(store.task("a").await.unwrap_err(), gone);
        let again = store.delete_task("a", "bob", time(6)).await;
        assert_eq!(again.unwrap_err(), gone);
        assert_eq!(store.task_secrets("a").await.unwrap(), []);
        let last = store.task_versions("a").await.unwrap().remove(0);
        assert_eq!((last.version, last.by.as_str()), (2, "bob"));
        assert_eq!((last.at, last.definition), (time(5), None));
        let new = store
            .put_task(&change("a", "/new", Expected::Nothing))
            .await;
        assert_eq!(new.unwrap().version, 3);
    })
    .await;
}

#[tokio::test]
async fn a_secret_stays_until_it_is_set_anew_or_no_longer_named() {
    on_every_store(async |store| {
        store.put_task(&with_secret("a", 1)).await.unwrap();
        let mut unchanged = with_secret("a", 1);
        unchanged.secrets.clear();
        store.put_task(&unchanged).await.unwrap();
        assert_eq!(store.task_secrets("a").await.unwrap().len(), 1);
        store.put_task(&with_secret("a", 2)).await.unwrap();
        assert_eq!(store.task_secrets("a").await.unwrap()[0].1.bytes, [2; 9]);
        store
            .put_task(&change("a", "/src", Expected::Any))
            .await
            .unwrap();
        assert_eq!(store.task_secrets("a").await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn tasks_are_listed_by_name_in_pages() {
    on_every_store(async |store| {
        for name in ["b", "web-1", "a", "web-2"] {
            store
                .put_task(&change(name, "/src", Expected::Any))
                .await
                .unwrap();
        }
        let cases = [
            (None, None, 0, vec!["a", "b", "web-1", "web-2"]),
            (None, None, 2, vec!["a", "b"]),
            (Some("b"), None, 1, vec!["web-1"]),
            (None, Some("web"), 0, vec!["web-1", "web-2"]),
            (Some("web-1"), Some("web"), 0, vec!["web-2"]),
        ];
        for (after, contains, limit, want) in cases {
            let filter = TaskFilter {
                after: after.map(str::to_owned),
                contains: contains.map(str::to_owned),
                limit,
            };
            let rows = store.tasks(&filter).await.unwrap();
            let names: Vec<&str> = rows.iter().map(|it| it.definition.name.as_str()).collect();
            assert_eq!(names, want);
        }
    })
    .await;
}

#[tokio::test]
async fn the_manifest_of_a_task_is_known_and_changing_it_makes_no_version() {
    on_every_store(async |store| {
        store
            .put_task(&change("a", "/src", Expected::Any))
            .await
            .unwrap();
        let adopted = TaskChange {
            manifest: Some("a.yaml".to_owned()),
            ..change("a", "/src", Expected::Any)
        };
        let row = store.put_task(&adopted).await.unwrap();
        assert_eq!((row.version, row.manifest.as_deref()), (1, Some("a.yaml")));
        assert_eq!(store.task("a").await.unwrap(), row);
    })
    .await;
}
