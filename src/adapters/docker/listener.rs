//! Listening to a build: its messages become lines, and what matters at its end is remembered.

use bollard::{
    moby::buildkit::v1::StatusResponse,
    models::{BuildInfo, BuildInfoAux},
};
use bytes::Bytes;
use chrono::Utc;

use crate::ports::{Output, Progress, Sink, Stream};

use super::{build_errors::Clues, build_log::BuildLog, excerpt, leftovers::Leftover};

/// Turns the messages of a build into lines, and remembers what matters at its end.
pub(super) struct Listener<'a> {
    sink: &'a dyn Sink,
    /// Whether it listens to the classic builder.
    pub(super) is_classic: bool,
    log: BuildLog,
    last_progress: Option<Progress>,
    /// The lines of the classic builder that have not ended, of standard output and standard error.
    open_lines: [String; 2],
    base: Option<String>,
    /// The image that was made, once the engine named it.
    pub(super) image_id: Option<String>,
    had_begun: bool,
    /// The container that the classic builder works in.
    pub(super) leftover: Leftover,
}

impl<'a> Listener<'a> {
    /// Begins to listen.
    pub(super) fn new(sink: &'a dyn Sink, is_classic: bool) -> Listener<'a> {
        Listener {
            sink,
            is_classic,
            log: BuildLog::default(),
            last_progress: None,
            open_lines: Default::default(),
            base: None,
            image_id: None,
            had_begun: false,
            leftover: Leftover::default(),
        }
    }

    /// Takes a message of a build over HTTP.
    pub(super) fn take(&mut self, message: BuildInfo) {
        self.had_begun = true;
        match message.aux {
            Some(BuildInfoAux::BuildKit(status)) => self.take_status(status),
            Some(BuildInfoAux::Default(image)) => self.image_id = image.id.or(self.image_id.take()),
            None => {}
        }
        if let Some(text) = message.stream {
            self.take_text(&text);
        }
        if let Some(status) = message.status {
            self.sink.progress(Progress {
                text: status,
                bytes: None,
            });
        }
    }

    /// Takes a message of BuildKit.
    pub(super) fn take_status(&mut self, status: StatusResponse) {
        self.had_begun = true;
        let lines = self.log.note(status);
        lines.into_iter().for_each(|line| self.sink.output(line));
        let parts = self.log.take_parts();
        parts.iter().for_each(|part| self.sink.part(part));
        let progress = self.log.progress();
        if progress != self.last_progress {
            let told = progress.clone().into_iter();
            told.for_each(|progress| self.sink.progress(progress));
            self.last_progress = progress;
        }
    }

    /// Shows what failed: its last output, and its lines of the Dockerfile, which has this name and text.
    pub(super) fn show_failure(&self, (name, text): (&str, &str), message: &str) {
        let lines = match self.log.failed() {
            Some(failed) => excerpt::of_vertex(text, &failed.name),
            None => excerpt::of_message(text, message),
        };
        let Some(lines) = lines else { return };
        let last = self.log.last_lines();
        let mut shown = String::new();
        if let Some(failed) = self.log.failed().filter(|_| !last.is_empty()) {
            let last = String::from_utf8_lossy(&last);
            shown = format!("------\n > {}:\n{}\n", failed.name, last.trim_end());
        }
        shown.push_str(&format!("------\n{name}:{}\n", lines.start() + 1));
        shown.push_str(&excerpt::draw(text, lines));
        shown.push_str("------\n");
        say(self.sink, Stream::Stderr, shown);
    }

    /// The last output of what failed.
    pub(super) fn last_output(&self) -> String {
        String::from_utf8_lossy(&self.log.last_lines()).into_owned()
    }

    /// Adds a line of our own to the log.
    pub(super) fn say(&self, text: &str) {
        say(self.sink, Stream::Stdout, text.to_owned());
    }

    /// The classic builder paints red what a command wrote to standard error.
    fn take_text(&mut self, text: &str) {
        let red = text.strip_prefix("\u{1b}[91m");
        let text = red.map_or(text, |red| red.trim_end_matches("\u{1b}[0m"));
        let (stream, open_line) = match red {
            Some(_) => (Stream::Stderr, &mut self.open_lines[1]),
            None => (Stream::Stdout, &mut self.open_lines[0]),
        };
        open_line.push_str(text);
        let end = open_line.rfind('\n').map_or(0, |last| last + 1);
        let whole: String = open_line.drain(..end).collect();
        whole.lines().for_each(|line| self.leftover.note(line));
        for line in whole.lines().filter(|line| line.starts_with("Step ")) {
            let base = line
                .split_once(" : FROM ")
                .and_then(|(_, base)| base.split(' ').next());
            self.base = base.map(str::to_string).or(self.base.take());
        }
        say(self.sink, stream, whole);
    }

    /// Says what is left when the build is over.
    pub(super) fn finish(&mut self) {
        let lines = self.log.finish();
        lines.into_iter().for_each(|line| self.sink.output(line));
        let [out, err] = std::mem::take(&mut self.open_lines);
        say(self.sink, Stream::Stdout, out);
        say(self.sink, Stream::Stderr, err);
    }

    /// Gives what is known of a failure beside its error.
    pub(super) fn clues(&self) -> Clues<'_> {
        Clues {
            vertex: self
                .log
                .failed()
                .map(|it| (it.name.as_str(), it.error.as_str())),
            base: self.base.as_deref(),
            had_begun: self.had_begun,
        }
    }
}

fn say(sink: &dyn Sink, stream: Stream, text: String) {
    if text.is_empty() {
        return;
    }
    sink.output(Output {
        stream,
        at_nanos: Utc::now().timestamp_nanos_opt().unwrap_or(0),
        bytes: Bytes::from(text),
    });
}
