//! Prints how fast a log goes from a fake step to disk, how long a line of it takes to open, and the memory it took.
//!
//! `cargo bench --bench logs [-- MEBIBYTES]`

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use careen::{
    adapters::{files::FileFrames, sqlite::SqliteStore},
    logs::{LogLines, Logs, Masker},
    ports::{FrameStore, LogKey, NewRun, Output, OutputStream, RunStore, Stream},
};
use futures_util::{StreamExt, stream};

const MIB: usize = 1 << 20;
/// The output repeats after so many bytes, far beyond what zstd looks back.
const PERIOD: usize = 8 * MIB;

#[tokio::main]
async fn main() {
    let size = std::env::args().filter_map(|word| word.parse().ok()).next();
    let size = size.unwrap_or(1024) * MIB;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = open(folder.path()).await;
    println!("{} MiB each, to {}", size / MIB, folder.path().display());
    let secrets = ["correct horse", "battery-staple-9"];
    for (step, name, piece_bytes, secrets) in [
        (0, "pieces of 64 KiB", 64 << 10, &[][..]),
        (1, "pieces of 64 KiB, 2 secrets", 64 << 10, &secrets[..]),
        (2, "a piece for each line, 2 secrets", 0, &secrets[..]),
    ] {
        let masker = Arc::new(Masker::new(secrets.iter().copied()));
        let begun = Instant::now();
        let lines = write(&store, step, output(size, piece_bytes), masker).await;
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{name}: {:.0} MB/s, {lines} lines, {} stored, peak {} of memory",
            size as f64 / 1e6 / seconds,
            mebibytes(stored_bytes(&store, step).await),
            mebibytes(peak_memory()),
        );
    }
    print_opening_times(&store).await;
}

async fn open(folder: &Path) -> Arc<dyn FrameStore> {
    let index = SqliteStore::open(&folder.join("careen.db"))
        .await
        .expect("the folder can be written");
    let run = NewRun {
        id: "bench".to_owned(),
        name: String::new(),
        cause: String::new(),
        trigger: None,
        request: serde_json::Value::Null,
        secrets: Vec::new(),
        rerun_of: None,
        created_at: chrono::Utc::now(),
    };
    index.create_run(&run).await.expect("a new database");
    Arc::new(FileFrames::open(&folder.join("logs"), Arc::new(index)))
}

fn key(step: u32) -> LogKey {
    LogKey {
        run: "bench".to_owned(),
        generation: 1,
        step,
        attempt: 1,
    }
}

async fn write(
    store: &Arc<dyn FrameStore>,
    step: u32,
    output: OutputStream,
    masker: Arc<Masker>,
) -> u64 {
    let logs = Logs::new(store.clone());
    let mut writer = logs.writer(key(step), masker).await.expect("a new log");
    writer.copy(output).await.expect("the disk has room");
    writer.finish().await.expect("the disk has room").lines
}

/// Lines such as a compiler writes, cut into pieces of this size, or into lines for 0.
fn output(size: usize, piece_bytes: usize) -> OutputStream {
    let text = period();
    let piece = move |(at_nanos, offset): (i64, usize)| {
        let start = offset % PERIOD;
        let end = match piece_bytes {
            0 => start + line_bytes(&text[start..]),
            bytes => (start + bytes).min(PERIOD),
        };
        let next = (at_nanos + 1_000, offset + end - start);
        let bytes = text.slice(start..end);
        let stream = Stream::Stdout;
        (offset < size).then(|| {
            let piece = Output {
                stream,
                at_nanos,
                bytes,
            };
            (Ok(piece), next)
        })
    };
    let first = (1_700_000_000_000_000_000, 0);
    stream::unfold(first, move |place| std::future::ready(piece(place))).boxed()
}

fn period() -> Bytes {
    let mut text = Vec::with_capacity(PERIOD);
    let mut state = 1_u64;
    while text.len() < PERIOD - 200 {
        // Knuth's constants; any numbers that do not repeat would do.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (file, took) = (state >> 40 & 0xfff, state >> 52);
        let line = format!(
            "[{took:4} ms] compiling module_{file:03x}.rs with feature set {state:016x}, no warnings\n"
        );
        text.extend_from_slice(line.as_bytes());
    }
    text.resize(PERIOD - 1, b'.');
    text.push(b'\n');
    text.into()
}

fn line_bytes(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).map_or(text.len(), |end| end + 1)
}

async fn stored_bytes(store: &Arc<dyn FrameStore>, step: u32) -> u64 {
    let last = store.last(&key(step)).await.expect("the index is there");
    last.map_or(0, |last| last.offset + u64::from(last.length))
}

async fn print_opening_times(store: &Arc<dyn FrameStore>) {
    let logs = store.logs("bench").await.expect("the index is there");
    let lines = logs[0].lines;
    let mut times = Vec::new();
    for part in 0..100 {
        let line = lines * (part * 37 % 100) / 100;
        let begun = Instant::now();
        let mut reader = LogLines::from(store.clone(), key(0), line);
        let found = reader.next().await.expect("the log is whole");
        times.push(begun.elapsed());
        assert_eq!(found.map(|found| found.number), Some(line));
    }
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "any of {lines} lines opens in {:.1} ms (median of 100; slowest {:.1} ms)",
        milliseconds(times[50]),
        milliseconds(times[99]),
    );
}

/// The most memory this process had, as Linux counts it.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kibibytes.and_then(|n| n.parse().ok()).unwrap_or(0) * 1024
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes / MIB as u64)
}
