//! What a container writes is what a reader reads: whole, once, in order, and without secrets.

mod properties;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use careen::{
    adapters::memory::store::MemoryFrames,
    logs::{
        CopyError, Ending, Line, LogError, LogLines, LogWriter, Logs, Masker, Matcher, RunLines,
    },
    ports::{EngineError, FrameStore, LogKey, Output, Since, StoreError, Stream},
};
use futures_util::{StreamExt, poll, stream};

const SECRETS: [&str; 2] = ["hunter22", "hunter22andmore"];

fn key(step: u32) -> LogKey {
    LogKey {
        run: "r1".to_owned(),
        generation: 1,
        step,
        attempt: 1,
    }
}

fn piece(stream: Stream, at_nanos: i64, bytes: &[u8]) -> Output {
    Output {
        stream,
        at_nanos,
        bytes: Bytes::copy_from_slice(bytes),
    }
}

fn out(at_nanos: i64, text: &str) -> Output {
    piece(Stream::Stdout, at_nanos, text.as_bytes())
}

async fn writer(store: &Arc<MemoryFrames>, step: u32) -> LogWriter {
    let masker = Arc::new(Masker::new(SECRETS));
    let logs = Logs::new(store.clone());
    logs.writer(key(step), masker).await.unwrap()
}

async fn write_all(store: &Arc<MemoryFrames>, step: u32, pieces: &[Output]) {
    let mut writer = writer(store, step).await;
    for piece in pieces {
        writer.write(piece).await.unwrap();
    }
    writer.finish().await.unwrap();
}

fn reader(store: &Arc<MemoryFrames>, step: u32, line: u64) -> LogLines {
    LogLines::from(store.clone(), key(step), line)
}

async fn read_all(store: &Arc<MemoryFrames>, step: u32) -> Vec<Line> {
    reader(store, step, 0).read(usize::MAX).await.unwrap()
}

fn texts(lines: &[Line]) -> Vec<String> {
    let text = |line: &Line| String::from_utf8_lossy(&line.text).into_owned();
    lines.iter().map(text).collect()
}

/// A log of more than three megabytes in lines that say their number.
async fn long_log() -> Arc<MemoryFrames> {
    let store = Arc::new(MemoryFrames::new());
    let mut writer = writer(&store, 0).await;
    for first in (0..200_000).step_by(1_000) {
        let lines: String = (first..first + 1_000)
            .map(|n| format!("this is line {n}\n"))
            .collect();
        writer.write(&out(first + 1, &lines)).await.unwrap();
    }
    assert_eq!(writer.finish().await.unwrap().lines, 200_000);
    store
}

#[tokio::test]
async fn lines_are_joined_per_stream_and_numbered_as_they_end() {
    let store = Arc::new(MemoryFrames::new());
    let pieces = [
        out(1, "one\ntw"),
        piece(Stream::Stderr, 2, b"err"),
        out(3, "o\nthree\nfo"),
        piece(Stream::Stderr, 4, b"or\r\n"),
        out(5, "ur"),
    ];
    write_all(&store, 0, &pieces).await;
    let expected = [
        (Stream::Stdout, 1, Ending::Newline, "one"),
        (Stream::Stdout, 1, Ending::Newline, "two"),
        (Stream::Stdout, 3, Ending::Newline, "three"),
        (Stream::Stderr, 2, Ending::Newline, "error\r"),
        (Stream::Stdout, 3, Ending::Stream, "four"),
    ];
    let expected = (0..).zip(expected);
    let expected = expected.map(|(number, (stream, at_nanos, ending, text))| Line {
        number,
        stream,
        at_nanos,
        ending,
        text: text.into(),
    });
    assert_eq!(read_all(&store, 0).await, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn any_line_of_a_long_log_opens_without_those_before_it() {
    let store = long_log().await;
    let frames = store.index(&key(0), 0, 99).await.unwrap();
    assert!(frames.len() >= 3, "{} frames", frames.len());
    for line in [0, 1, 70_000, 123_456, 199_999] {
        let lines = reader(&store, 0, line).read(2).await.unwrap();
        let expected = (line..200_000).take(2);
        let expected: Vec<_> = expected.map(|n| format!("this is line {n}")).collect();
        assert_eq!(texts(&lines), expected);
        assert_eq!(
            (lines[0].number, lines[0].at_nanos),
            (line, line as i64 / 1_000 * 1_000 + 1)
        );
    }
    assert_eq!(reader(&store, 0, 200_000).next().await, Ok(None));
}

#[tokio::test]
async fn a_tail_is_the_last_lines() {
    let store = long_log().await;
    let tail = async |count| LogLines::tail(store.clone(), key(0), count).await.unwrap();
    let mut last = tail(2).await;
    assert_eq!(last.position(), 199_998);
    let lines = last.read(9).await.unwrap();
    assert_eq!(
        texts(&lines),
        ["this is line 199998", "this is line 199999"]
    );
    assert_eq!(tail(u64::MAX).await.position(), 0);
}

#[tokio::test]
async fn a_tap_hears_every_line_as_it_will_be_read() {
    let store = Arc::new(MemoryFrames::new());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let tap = heard.clone();
    let mut writer = writer(&store, 0).await.with_tap(Box::new(move |line| {
        tap.lock().unwrap().push(Line {
            number: line.number,
            stream: line.stream,
            at_nanos: line.at_nanos,
            ending: line.ending,
            text: Bytes::copy_from_slice(line.text),
        });
    }));
    for text in [
        "a\n\nb hunter22\nc",
        " and ",
        "d\n",
        &"x".repeat(150_000),
        "end",
    ] {
        writer.write(&out(1, text)).await.unwrap();
    }
    writer.finish().await.unwrap();
    let read = read_all(&store, 0).await;
    assert_eq!(read.len(), 7);
    assert_eq!(*heard.lock().unwrap(), read);
}

#[tokio::test]
async fn a_line_is_readable_before_its_step_has_ended() {
    let store = Arc::new(MemoryFrames::new());
    let mut writer = writer(&store, 0).await;
    let output = stream::iter([Ok(out(1, "first\n"))]).chain(stream::pending());
    let copying = tokio::spawn(async move { writer.copy(output.boxed()).await });
    let mut lines = reader(&store, 0, 0);
    let first = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Some(line) = lines.next().await.unwrap() {
                break line;
            }
            lines.changed().await;
        }
    });
    assert_eq!(first.await.unwrap().text, "first");
    copying.abort();
}

#[tokio::test]
async fn who_follows_a_log_misses_nothing() {
    let store = Arc::new(MemoryFrames::new());
    let ended = Arc::new(AtomicBool::new(false));
    let (mut lines, over) = (reader(&store, 0, 0), ended.clone());
    let following = tokio::spawn(async move {
        let mut found = Vec::new();
        loop {
            let had_ended = over.load(Ordering::SeqCst);
            found.extend(lines.read(usize::MAX).await.unwrap());
            if had_ended {
                return found;
            }
            lines.changed().await;
        }
    });
    let mut writer = writer(&store, 0).await;
    for n in 0..50 {
        writer.write(&out(n + 1, &format!("{n}\n"))).await.unwrap();
        writer.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    writer.finish().await.unwrap();
    ended.store(true, Ordering::SeqCst);
    let found = following.await.unwrap();
    assert_eq!(found.len(), 50);
    assert_eq!(found, read_all(&store, 0).await);
}

#[tokio::test]
async fn all_logs_of_a_run_are_read_as_one_by_time() {
    let store = Arc::new(MemoryFrames::new());
    let mut lines = RunLines::new(store.clone(), "r1");
    write_all(
        &store,
        0,
        &[out(10, "a10\n"), out(40, "a40\n"), out(90, "a90\n")],
    )
    .await;
    write_all(
        &store,
        1,
        &[out(20, "b20\n"), out(15, "b15 late\n"), out(50, "b50\n")],
    )
    .await;
    write_all(&store, 2, &[out(60, "c60\n")]).await;
    let mut read = async || {
        let mut found = String::new();
        while let Some((key, line)) = lines.next().await.unwrap() {
            found += &format!("{}:{} ", key.step, String::from_utf8_lossy(&line.text));
        }
        found
    };
    assert_eq!(
        read().await,
        "0:a10 1:b20 1:b15 late 0:a40 1:b50 2:c60 0:a90 "
    );
    write_all(&store, 2, &[out(5, "c5 last\n")]).await;
    write_all(&store, 3, &[out(1, "d1\n")]).await;
    assert_eq!(read().await, "3:d1 2:c5 last ");
}

#[tokio::test]
async fn a_writer_waits_for_a_slow_store_and_loses_nothing() {
    let store = Arc::new(MemoryFrames::new());
    store.stall(true);
    let mut writer = writer(&store, 0).await;
    let block = "a line of a log that goes on and on\n".repeat(1_800);
    let mut blocks: u64 = 0;
    loop {
        tokio::task::yield_now().await;
        blocks += 1;
        assert!(blocks < 1_000, "60 MB were taken and nobody waited");
        let piece = out(blocks as i64, &block);
        if poll!(std::pin::pin!(writer.write(&piece))).is_pending() {
            break;
        }
    }
    store.stall(false);
    assert_eq!(writer.finish().await.unwrap().lines, blocks * 1_800);
    assert_eq!(read_all(&store, 0).await.len() as u64, blocks * 1_800);
}

#[tokio::test]
async fn a_log_that_cannot_be_stored_says_so_and_may_go_on_later() {
    let store = Arc::new(MemoryFrames::new());
    let mut first = writer(&store, 0).await;
    first.write(&out(1, "kept\n")).await.unwrap();
    first.flush().await.unwrap();
    first.stored().await.unwrap();
    store.fail_next_append(1);
    first.write(&out(2, "lost\n")).await.unwrap();
    let error = first.finish().await.unwrap_err();
    assert_eq!(error, LogError::Store(StoreError::DiskFull));
    let mut second = writer(&store, 0).await;
    assert_eq!(
        second.since(),
        Since { at_nanos: 0 },
        "stderr has nothing yet"
    );
    for piece in [out(1, "kept\n"), out(2, "lost\n")] {
        second.write(&piece).await.unwrap();
    }
    second.finish().await.unwrap();
    assert_eq!(texts(&read_all(&store, 0).await), ["kept", "lost"]);
}

#[tokio::test]
async fn an_output_whose_connection_broke_is_taken_up_again() {
    let store = Arc::new(MemoryFrames::new());
    let broken = EngineError::Broken("gone".to_owned());
    let mut writer = writer(&store, 0).await;
    let pieces = [out(1, "one\ntwo\n"), out(2, "three\nhal")];
    let first = pieces
        .clone()
        .map(Ok)
        .into_iter()
        .chain([Err(broken.clone())]);
    let error = writer.copy(stream::iter(first).boxed()).await;
    assert_eq!(error, Err(CopyError::Engine(broken)));
    writer.since();
    let again = pieces.into_iter().chain([out(2, "f\n")]).map(Ok);
    writer.copy(stream::iter(again).boxed()).await.unwrap();
    writer.finish().await.unwrap();
    assert_eq!(
        texts(&read_all(&store, 0).await),
        ["one", "two", "three", "half"]
    );
}

#[tokio::test]
async fn a_matcher_sees_secrets_and_what_was_stored_before_a_crash() {
    let store = Arc::new(MemoryFrames::new());
    let pieces = [
        out(1, "hunter22 refused\n"),
        piece(Stream::Stderr, 2, b"fine\n"),
    ];
    write_all(&store, 0, &pieces).await;
    let matcher = Matcher::new(["hunter22 refused"]);
    let mut writer = writer(&store, 0).await.with_matcher(matcher);
    assert_eq!(writer.since(), Since { at_nanos: 0 });
    for piece in &pieces {
        writer.write(piece).await.unwrap();
    }
    let written = writer.finish().await.unwrap();
    assert_eq!((written.lines, written.matched), (2, true));
    assert_eq!(texts(&read_all(&store, 0).await), ["*** refused", "fine"]);
}
