//! Every store of log frames keeps the port's promises.

use std::{os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use crate::every_store::on_postgres;
use careen::{
    adapters::{
        files::FileFrames, memory::store::MemoryFrames, objects::ObjectFolder,
        postgres::PostgresFrames, sqlite::SqliteStore,
    },
    logs::Logs,
    ports::{
        Cursor, Frame, FrameIndex, FrameStore, LogKey, NewRun, Output, RunStore, StoreError, Stream,
    },
};
use serde_json::Value;

/// A store in files, with a run `r1` for its index.
async fn files(folder: &Path) -> FileFrames {
    let index = SqliteStore::open(&folder.join("careen.db")).await.unwrap();
    create(&index).await;
    FileFrames::open(&folder.join("logs"), Arc::new(index))
}

async fn create(store: &dyn RunStore) {
    let run = NewRun {
        id: "r1".to_owned(),
        name: String::new(),
        cause: String::new(),
        trigger: None,
        request: Value::Null,
        secrets: Vec::new(),
        rerun_of: None,
        created_at: chrono::DateTime::UNIX_EPOCH,
    };
    match store.create_run(&run).await {
        Ok(()) | Err(StoreError::IdTaken(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Checks a claim on each store.
async fn on_every_store(claim: impl AsyncFn(&dyn FrameStore)) {
    claim(&MemoryFrames::new()).await;
    let folder = tempfile::tempdir().unwrap();
    claim(&files(folder.path()).await).await;
    on_postgres(async |store| {
        create(&store).await;
        let objects = folder.path().join("objects");
        let objects = ObjectFolder::at(objects.to_str().unwrap(), []);
        claim(&PostgresFrames::new(store, Arc::new(objects))).await;
    })
    .await;
}

fn key(step: u32, attempt: u32) -> LogKey {
    LogKey {
        run: "r1".to_owned(),
        generation: 1,
        step,
        attempt,
    }
}

fn frame(first_line: u64, lines: u32, data: &'static [u8]) -> Frame {
    let cursor = |bytes| Cursor {
        at_nanos: i64::MAX,
        bytes,
    };
    Frame {
        first_line,
        lines,
        first_at_nanos: first_line as i64 + 5,
        raw_bytes: 100,
        data: data.into(),
        stdout: cursor(1 << 40),
        stderr: cursor(2),
    }
}

fn first_lines(index: &[FrameIndex]) -> Vec<u64> {
    index.iter().map(|row| row.first_line).collect()
}

#[tokio::test]
async fn a_frame_reads_back_as_written() {
    on_every_store(async |store| {
        let frames = [
            (key(0, 1), frame(0, 10, b"one")),
            (key(1, 1), frame(0, 4, b"two")),
            (key(0, 1), frame(10, 5, b"three")),
        ];
        store.append(frames[..2].to_vec()).await.unwrap();
        store.append(frames[2..].to_vec()).await.unwrap();
        for (key, frame) in frames {
            let index = store.index(&key, frame.first_line, 1).await.unwrap();
            let row = &index[0];
            assert_eq!(store.read(&key, row).await.unwrap(), frame.data);
            assert_eq!(row.lines, frame.lines);
            assert_eq!(row.first_at_nanos, frame.first_at_nanos);
            assert_eq!((row.raw_bytes, row.length), (100, frame.data.len() as u32));
            assert_eq!((row.stdout, row.stderr), (frame.stdout, frame.stderr));
        }
    })
    .await;
}

#[tokio::test]
async fn the_index_begins_with_the_frame_that_holds_the_line() {
    on_every_store(async |store| {
        let frames = [0, 10, 20, 30].map(|line| (key(0, 1), frame(line, 10, b"x")));
        store.append(frames.to_vec()).await.unwrap();
        for (line, limit, expected) in [
            (0, 2, vec![0, 10]),
            (9, 1, vec![0]),
            (10, 1, vec![10]),
            (25, 9, vec![20, 30]),
            (39, 9, vec![30]),
            (40, 9, vec![]),
            (u64::MAX, 9, vec![]),
        ] {
            let index = store.index(&key(0, 1), line, limit).await.unwrap();
            assert_eq!(first_lines(&index), expected, "line {line}");
        }
        let last = store.last(&key(0, 1)).await.unwrap();
        assert_eq!(last.map(|row| row.first_line), Some(30));
        assert_eq!(store.last(&key(0, 2)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn the_logs_of_a_run_are_listed_by_their_keys() {
    on_every_store(async |store| {
        let frames = [
            (key(1, 2), 0),
            (key(1, 1), 0),
            (key(0, 1), 0),
            (key(1, 1), 7),
        ];
        let frames = frames.map(|(key, line)| (key, frame(line, 7, b"x")));
        store.append(frames.to_vec()).await.unwrap();
        let logs = store.logs("r1").await.unwrap();
        let found: Vec<_> = logs
            .iter()
            .map(|log| (log.key.step, log.key.attempt, log.lines, log.raw_bytes))
            .collect();
        assert_eq!(found, [(0, 1, 7, 100), (1, 1, 14, 200), (1, 2, 7, 100)]);
        assert!(logs.iter().all(|log| log.first_at_nanos == 5));
        assert_eq!(store.logs("r").await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn who_watches_a_run_is_told_of_its_frames() {
    on_every_store(async |store| {
        let mut changes = store.changes("r1");
        let others = store.changes("r2");
        store
            .append(vec![(key(0, 1), frame(0, 1, b"x"))])
            .await
            .unwrap();
        assert!(changes.has_changed().unwrap());
        changes.changed().await.unwrap();
        assert!(!changes.has_changed().unwrap());
        assert!(!others.has_changed().unwrap());
    })
    .await;
}

#[tokio::test]
async fn removed_logs_are_gone_and_may_begin_again() {
    on_every_store(async |store| {
        let frames = || vec![(key(0, 1), frame(0, 1, b"x"))];
        store.append(frames()).await.unwrap();
        store.remove("r1").await.unwrap();
        store.remove("r1").await.unwrap();
        assert_eq!(store.logs("r1").await.unwrap(), []);
        store.append(frames()).await.unwrap();
        assert_eq!(store.logs("r1").await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn files_and_folders_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = files(folder.path()).await;
    store
        .append(vec![(key(3, 2), frame(0, 1, b"x"))])
        .await
        .unwrap();
    let run = folder.path().join("logs/r1");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&run), 0o700);
    assert_eq!(mode(&run.join("g1-s3-a2.log")), 0o600);
    store.remove("r1").await.unwrap();
    assert!(!run.exists());
}

#[tokio::test]
async fn what_a_crash_left_behind_the_last_frame_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let write = async |line, data| {
        let store = files(folder.path()).await;
        store.append(vec![(key(0, 1), frame(line, 1, data))]).await
    };
    write(0, b"first").await.unwrap();
    let path = folder.path().join("logs/r1/g1-s0-a1.log");
    std::fs::write(&path, b"firsttorn tail").unwrap();
    write(1, b"second").await.unwrap();
    let store = files(folder.path()).await;
    for (line, data) in [(0, &b"first"[..]), (1, b"second")] {
        let index = store.index(&key(0, 1), line, 1).await.unwrap();
        assert_eq!(store.read(&key(0, 1), &index[0]).await.unwrap(), data);
    }
}

#[tokio::test]
async fn a_frame_without_its_row_is_not_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = files(folder.path()).await;
    store
        .append(vec![(key(0, 1), frame(0, 5, b"first"))])
        .await
        .unwrap();
    let doubled = store.append(vec![(key(0, 1), frame(0, 5, b"again"))]).await;
    assert!(
        matches!(doubled, Err(StoreError::Database(_))),
        "{doubled:?}"
    );
    let index = store.index(&key(0, 1), 0, 9).await.unwrap();
    assert_eq!(first_lines(&index), [0]);
    assert_eq!(
        store.read(&key(0, 1), &index[0]).await.unwrap(),
        &b"first"[..]
    );
    store
        .append(vec![(key(0, 1), frame(5, 1, b"next"))])
        .await
        .unwrap();
    let index = store.index(&key(0, 1), 5, 9).await.unwrap();
    assert_eq!(index[0].offset, 5, "the refused bytes are overwritten");
}

#[tokio::test]
async fn a_log_whose_run_was_deleted_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::new(Arc::new(files(folder.path()).await));
    let gone = LogKey {
        run: "gone".to_owned(),
        ..key(0, 1)
    };
    let mut writers = [gone, key(0, 1), key(1, 1)].map(|key| logs.begin(key, Arc::default()));
    for writer in &mut writers {
        let output = Output {
            stream: Stream::Stdout,
            at_nanos: 1,
            bytes: "line\n".into(),
        };
        writer.write(&output).await.unwrap();
        writer.flush().await.unwrap();
    }
    let [gone, first, second] = writers;
    assert!(gone.finish().await.is_err());
    for writer in [first, second] {
        assert_eq!(writer.finish().await.map(|written| written.lines), Ok(1));
    }
}

#[tokio::test]
async fn a_run_that_is_no_plain_name_has_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = files(folder.path()).await;
    for run in ["..", "a/b", "", ".x"] {
        assert!(store.remove(run).await.is_err(), "{run:?}");
    }
}

#[tokio::test]
async fn a_large_frame_is_an_object_of_its_own_and_goes_with_its_log() {
    on_postgres(async |store| {
        create(&store).await;
        let folder = tempfile::tempdir().unwrap();
        let objects = ObjectFolder::at(folder.path().to_str().unwrap(), []);
        let frames = PostgresFrames::new(store, Arc::new(objects));
        let large = frame(0, 1, &[7; 100_000]);
        let small = frame(1, 1, b"small");
        let all = [&large, &small].map(|frame| (key(0, 1), frame.clone()));
        frames.append(all.to_vec()).await.unwrap();
        let index = frames.index(&key(0, 1), 0, 9).await.unwrap();
        for (row, frame) in index.iter().zip([large, small]) {
            assert_eq!(frames.read(&key(0, 1), row).await.unwrap(), frame.data);
        }
        let object = folder.path().join("logs/r1/1/0/1/0");
        assert_eq!(object.metadata().unwrap().len(), 100_000);
        frames.remove("r1").await.unwrap();
        assert!(!object.exists());
    })
    .await;
}
