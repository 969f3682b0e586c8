//! What BuildKit says of a build, as lines of a log.
//!
//! BuildKit sends each vertex of its graph again whenever something of it changes, and its output in pieces. Lines
//! look as in the plain progress of `docker build`: `#5 [2/3] RUN make`, `#5 0.312 text`, `#5 DONE 0.4s`.

use std::collections::{HashMap, VecDeque};

use bollard::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog};
use bytes::Bytes;

use crate::ports::{BuildPart, Output, Progress, Stream};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

const NANOS_PER_MILLISECOND: i64 = 1_000_000;

/// How much of a vertex's output is shown again when it fails.
const LAST_LINES: usize = 20;

/// What took more seconds than this did not come from the cache.
const LONGEST_LOOK_INTO_CACHE: f64 = 0.2;

/// The log of a build.
#[derive(Debug, Default)]
pub(super) struct BuildLog {
    vertices: HashMap<String, Known>,
    /// Digests of vertices that have ended and may still turn out to have come from the cache.
    ended: Vec<String>,
    /// What is transferred, by name: bytes done and in all.
    bytes: HashMap<String, (i64, i64)>,
    last_number: usize,
    last_nanos: i64,
    lines: Vec<Output>,
    /// The name of the vertex that failed, its error, and its last output.
    failed: Option<Failed>,
    /// Digests of vertices of which something new is known.
    news: Vec<String>,
}

/// The vertex that a build failed at.
#[derive(Debug, Default, Clone)]
pub(super) struct Failed {
    pub(super) digest: String,
    pub(super) name: String,
    pub(super) error: String,
}

#[derive(Debug, Default)]
struct Known {
    /// Its number in the log, from 1 in the order of the starts.
    number: usize,
    name: String,
    error: String,
    is_cached: bool,
    started_nanos: Option<i64>,
    completed_nanos: Option<i64>,
    is_told: bool,
    /// What it wrote last, line by line.
    last_lines: VecDeque<Vec<u8>>,
    /// Beginnings of lines, of standard output and standard error.
    open: [Vec<u8>; 2],
}

impl BuildLog {
    /// Takes a message and returns the lines it makes: first what it says of older vertices, then the new ones.
    pub(super) fn note(&mut self, message: StatusResponse) -> Vec<Output> {
        let held = std::mem::take(&mut self.ended);
        let has_number = |log: &Self, digest: &str| {
            log.vertices
                .get(digest)
                .is_some_and(|known| known.number > 0)
        };
        let (older, newer): (Vec<_>, Vec<_>) = message
            .vertexes
            .into_iter()
            .partition(|vertex| has_number(self, &vertex.digest));
        let (older_logs, newer_logs): (Vec<_>, Vec<_>) = message
            .logs
            .into_iter()
            .partition(|log| has_number(self, &log.vertex));
        older.into_iter().for_each(|vertex| self.take(vertex));
        older_logs.iter().for_each(|log| self.take_log(log));
        held.iter().for_each(|digest| self.tell_end(digest));
        self.tell_certain_ends();
        newer.into_iter().for_each(|vertex| self.take(vertex));
        newer_logs.iter().for_each(|log| self.take_log(log));
        for status in message
            .statuses
            .into_iter()
            .filter(|status| status.total > 0)
        {
            self.bytes.insert(status.id, (status.current, status.total));
        }
        std::mem::take(&mut self.lines)
    }

    /// Returns the lines that are left when the build is over.
    pub(super) fn finish(&mut self) -> Vec<Output> {
        self.note(StatusResponse::default())
    }

    /// Tells the ends that no later message can turn into "it was in the cache".
    fn tell_certain_ends(&mut self) {
        let ended = std::mem::take(&mut self.ended);
        let (certain, uncertain): (Vec<_>, Vec<_>) = ended.into_iter().partition(|digest| {
            let known = &self.vertices[digest];
            known.is_cached || !known.error.is_empty() || took(known) > LONGEST_LOOK_INTO_CACHE
        });
        self.ended = uncertain;
        self.ended.dedup();
        certain.iter().for_each(|digest| self.tell_end(digest));
    }

    /// Says where the build is: how much is done, and the youngest vertex that has not ended.
    pub(super) fn progress(&self) -> Option<Progress> {
        let begun = || self.vertices.values().filter(|known| known.number > 0);
        let youngest = begun().filter(|known| !known.is_told);
        let youngest = youngest.max_by_key(|known| known.number)?;
        let done = begun().filter(|known| known.is_told).count();
        let cached = begun().filter(|known| known.is_cached).count();
        Some(Progress {
            text: format!("{done} done, {cached} cached: {}", youngest.name),
            bytes: self.bytes_under_way(),
        })
    }

    /// Takes the parts of the build of which something new is known.
    pub(super) fn take_parts(&mut self) -> Vec<BuildPart> {
        let news = std::mem::take(&mut self.news);
        let known = news.iter().filter_map(|digest| self.vertices.get(digest));
        known.filter(|known| known.number > 0).map(part).collect()
    }

    fn bytes_under_way(&self) -> Option<(u64, u64)> {
        let is_under_way = self.bytes.values().any(|(current, total)| current < total);
        let sum = |numbers: &mut dyn Iterator<Item = i64>| {
            u64::try_from(numbers.sum::<i64>()).unwrap_or(0)
        };
        let current = sum(&mut self.bytes.values().map(|bytes| bytes.0));
        let total = sum(&mut self.bytes.values().map(|bytes| bytes.1));
        is_under_way.then_some((current, total))
    }

    /// Gives the vertex that failed.
    pub(super) fn failed(&self) -> Option<&Failed> {
        self.failed.as_ref()
    }

    /// Gives what the vertex that failed wrote last.
    pub(super) fn last_lines(&self) -> Vec<u8> {
        let failed = self
            .failed
            .as_ref()
            .and_then(|failed| self.vertices.get(&failed.digest));
        let lines = failed
            .into_iter()
            .flat_map(|known| known.last_lines.iter().chain(&known.open));
        lines.flatten().copied().collect()
    }

    fn take(&mut self, vertex: Vertex) {
        let known = self.vertices.entry(vertex.digest.clone()).or_default();
        self.news.push(vertex.digest.clone());
        if vertex.completed.is_some() && known.completed_nanos.is_none() && !known.is_told {
            self.ended.push(vertex.digest.clone());
        }
        let is_canceled = vertex.error.contains("context canceled");
        if !vertex.error.is_empty() && !is_canceled && self.failed.is_none() {
            self.failed = Some(Failed {
                digest: vertex.digest,
                name: vertex.name.clone(),
                error: vertex.error.clone(),
            });
        }
        known.started_nanos = vertex.started.map(|at| nanos(at.seconds, at.nanos));
        known.completed_nanos = vertex.completed.map(|at| nanos(at.seconds, at.nanos));
        known.is_cached = vertex.cached;
        known.name = vertex.name;
        known.error = vertex.error;
        let Some(started) = known.started_nanos.filter(|_| known.number == 0) else {
            return;
        };
        self.last_number += 1;
        known.number = self.last_number;
        let line = format!("#{} {}\n", known.number, known.name);
        self.say(Stream::Stdout, started, line.into());
    }

    fn take_log(&mut self, log: &VertexLog) {
        let Some(known) = self.vertices.get_mut(&log.vertex) else {
            return;
        };
        let (stream, open) = match log.stream {
            2 => (Stream::Stderr, &mut known.open[1]),
            _ => (Stream::Stdout, &mut known.open[0]),
        };
        open.extend_from_slice(&log.msg);
        let end = open
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |last| last + 1);
        let whole: Vec<u8> = open.drain(..end).collect();
        let lines = whole.split_inclusive(|byte| *byte == b'\n');
        known.last_lines.extend(lines.map(<[u8]>::to_vec));
        let surplus = known.last_lines.len().saturating_sub(LAST_LINES);
        known.last_lines.drain(..surplus);
        let at = log
            .timestamp
            .as_ref()
            .map_or(0, |at| nanos(at.seconds, at.nanos));
        let text = prefixed(known, at, &whole);
        self.say(stream, at, text);
    }

    fn tell_end(&mut self, digest: &str) {
        let Some(known) = self.vertices.get_mut(digest) else {
            return;
        };
        if std::mem::replace(&mut known.is_told, true) {
            return;
        }
        let at = known.completed_nanos.unwrap_or(0);
        let open = std::mem::take(&mut known.open);
        let open = open.map(|text| prefixed(known, at, &text));
        let line = end_line(known);
        let [out, err] = open;
        self.say(Stream::Stdout, at, out);
        self.say(Stream::Stderr, at, err);
        self.say(Stream::Stdout, at, line.into());
    }

    fn say(&mut self, stream: Stream, at_nanos: i64, text: Vec<u8>) {
        self.last_nanos = self.last_nanos.max(at_nanos);
        if !text.is_empty() {
            self.lines.push(Output {
                stream,
                at_nanos: self.last_nanos,
                bytes: Bytes::from(text),
            });
        }
    }
}

/// What is known of a vertex, in the words of our ports.
fn part(known: &Known) -> BuildPart {
    let started = known.started_nanos.unwrap_or(0);
    let took = |end: i64| (end - started).max(0) / NANOS_PER_MILLISECOND;
    BuildPart {
        number: known.number,
        name: known.name.clone(),
        cached: known.is_cached,
        started_at: started / NANOS_PER_MILLISECOND,
        milliseconds: known.completed_nanos.map(took),
        error: Some(known.error.clone()).filter(|error| !error.is_empty()),
    }
}

/// Puts the number of the vertex and the time since its start before each line.
fn prefixed(known: &Known, at: i64, text: &[u8]) -> Vec<u8> {
    let since_start = seconds(known.started_nanos, at);
    let mut lines = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        lines.extend_from_slice(format!("#{} {since_start:.3} ", known.number).as_bytes());
        lines.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            lines.push(b'\n');
        }
    }
    lines
}

fn end_line(known: &Known) -> String {
    let number = known.number;
    if !known.error.is_empty() {
        return format!("#{number} ERROR: {}\n", known.error);
    }
    if known.is_cached {
        return format!("#{number} CACHED\n");
    }
    format!("#{number} DONE {:.1}s\n", took(known))
}

fn took(known: &Known) -> f64 {
    seconds(known.started_nanos, known.completed_nanos.unwrap_or(0))
}

fn seconds(start: Option<i64>, end: i64) -> f64 {
    let nanos = start.map_or(0, |start| end - start);
    std::time::Duration::from_nanos(u64::try_from(nanos).unwrap_or(0)).as_secs_f64()
}

fn nanos(seconds: i64, nanos: i32) -> i64 {
    seconds * NANOS_PER_SECOND + i64::from(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vertex(name: &str, started: i64, completed: Option<i64>) -> Vertex {
        let mut vertex = Vertex {
            digest: format!("sha256:{name}"),
            name: name.to_string(),
            ..Default::default()
        };
        vertex.started.insert(Default::default()).seconds = started;
        if let Some(completed) = completed {
            vertex.completed.insert(Default::default()).seconds = completed;
        }
        vertex
    }

    fn log(name: &str, at: i64, text: &str) -> VertexLog {
        let mut log = VertexLog {
            vertex: format!("sha256:{name}"),
            stream: 1,
            msg: text.into(),
            ..Default::default()
        };
        log.timestamp.insert(Default::default()).seconds = at;
        log
    }

    fn lines(outputs: Vec<Output>) -> Vec<String> {
        let text = |output: Output| String::from_utf8_lossy(&output.bytes).into_owned();
        outputs.into_iter().map(text).collect()
    }

    #[test]
    fn vertices_and_their_output_become_numbered_lines() {
        let mut build = BuildLog::default();
        let started = StatusResponse {
            vertexes: vec![
                vertex("[1/2] FROM a", 10, None),
                vertex("[2/2] RUN b", 10, None),
            ],
            logs: vec![log("[2/2] RUN b", 11, "one\ntw")],
            ..Default::default()
        };
        let expected = ["#1 [1/2] FROM a\n", "#2 [2/2] RUN b\n", "#2 1.000 one\n"];
        assert_eq!(lines(build.note(started)), expected);
        let progress = build.progress().map(|progress| progress.text);
        assert_eq!(progress.as_deref(), Some("0 done, 0 cached: [2/2] RUN b"));
        let ended = StatusResponse {
            vertexes: vec![
                vertex("[1/2] FROM a", 10, Some(10)),
                vertex("[2/2] RUN b", 10, Some(13)),
            ],
            logs: vec![log("[2/2] RUN b", 12, "o\n")],
            ..Default::default()
        };
        let expected = ["#2 2.000 two\n", "#2 DONE 3.0s\n"];
        assert_eq!(lines(build.note(ended)), expected);
        let mut cached = vertex("[1/2] FROM a", 10, Some(10));
        cached.cached = true;
        let late = StatusResponse {
            vertexes: vec![cached],
            ..Default::default()
        };
        assert_eq!(lines(build.note(late)), ["#1 CACHED\n"]);
        let parts: Vec<_> = build.take_parts();
        let last = parts.last().expect("a part");
        assert_eq!(
            (last.number, last.cached, last.milliseconds),
            (1, true, Some(0))
        );
        assert!(build.take_parts().is_empty() && build.failed().is_none());
        assert_eq!(build.progress(), None);
    }

    #[test]
    fn the_first_error_that_is_no_cancellation_is_the_builds() {
        let mut build = BuildLog::default();
        let failed = |name: &str, error: &str| Vertex {
            error: error.to_string(),
            ..vertex(name, 1, Some(2))
        };
        let vertexes = vec![failed("a", "context canceled"), failed("b", "exit code: 9")];
        build.note(StatusResponse {
            vertexes,
            ..Default::default()
        });
        let failed = build.failed().expect("it failed");
        assert_eq!(
            (failed.name.as_str(), failed.error.as_str()),
            ("b", "exit code: 9")
        );
        let expected = ["#1 ERROR: context canceled\n", "#2 ERROR: exit code: 9\n"];
        assert_eq!(lines(build.finish()), expected);
    }
}
