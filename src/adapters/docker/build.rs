//! Images from a context and a Dockerfile.

use bollard::models::{BuildInfo, BuildInfoAux};
use bytes::Bytes;
use chrono::Utc;
use futures_util::TryStreamExt;

use crate::ports::{
    BuildError, BuildRequest, Built, EngineError, Images, Output, Progress, Sink, Stream,
};

use super::{
    DockerEngine,
    archive::watch,
    build_errors::{Clues, build_error},
    build_log::BuildLog,
    build_options::{options, query},
    logins::by_host,
};

/// Builds an image, with BuildKit unless the classic builder is asked for or there is no other.
pub(super) async fn build(
    engine: &DockerEngine,
    request: &BuildRequest,
    sink: &dyn Sink,
) -> Result<Built, BuildError> {
    if !request.classic {
        match build_with(engine, request, Listener::new(sink, false)).await {
            Err(BuildError::Engine(EngineError::Other(message))) if lacks_buildkit(&message) => {
                let note = "the engine has no BuildKit: building with the classic builder\n";
                say(sink, Stream::Stdout, note.into());
            }
            other => return other,
        }
    }
    build_with(engine, request, Listener::new(sink, true)).await
}

async fn build_with(
    engine: &DockerEngine,
    request: &BuildRequest,
    mut listener: Listener<'_>,
) -> Result<Built, BuildError> {
    let (tar, source_error) = watch((request.context)());
    let body = bollard::body_try_stream(tar);
    let docker = engine.builder(query(request)).await?;
    let options = options(request, listener.is_classic);
    let mut messages = docker.build_image(options, Some(by_host(&request.logins)), Some(body));
    let ended = loop {
        match messages.try_next().await {
            Ok(Some(message)) => listener.take(message),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    listener.finish();
    if let Err(error) = ended {
        let source_error = source_error.take().map(BuildError::Engine);
        return Err(
            source_error.unwrap_or_else(|| build_error(engine.error(error), &listener.clues()))
        );
    }
    let image_id = match listener.image_id {
        Some(id) => id,
        None => id_by_tag(engine, request).await?,
    };
    Ok(Built { image_id })
}

/// Asks for the id that the engine did not name in its answer.
async fn id_by_tag(engine: &DockerEngine, request: &BuildRequest) -> Result<String, EngineError> {
    let missing = || EngineError::Other("the engine named no image after the build".to_string());
    let tag = request.tags.first().ok_or_else(missing)?;
    Ok(engine.image(tag).await?.ok_or_else(missing)?.id)
}

/// Turns the messages of a build into lines, and remembers what matters at its end.
struct Listener<'a> {
    sink: &'a dyn Sink,
    is_classic: bool,
    log: BuildLog,
    last_progress: Option<Progress>,
    /// The lines of the classic builder that have not ended, of standard output and standard error.
    open_lines: [String; 2],
    base: Option<String>,
    image_id: Option<String>,
    had_begun: bool,
}

impl<'a> Listener<'a> {
    fn new(sink: &'a dyn Sink, is_classic: bool) -> Listener<'a> {
        Listener {
            sink,
            is_classic,
            log: BuildLog::default(),
            last_progress: None,
            open_lines: Default::default(),
            base: None,
            image_id: None,
            had_begun: false,
        }
    }

    fn take(&mut self, message: BuildInfo) {
        self.had_begun = true;
        match message.aux {
            Some(BuildInfoAux::BuildKit(status)) => {
                let lines = self.log.note(status);
                lines.into_iter().for_each(|line| self.sink.output(line));
                let progress = self.log.progress();
                if progress != self.last_progress {
                    progress
                        .clone()
                        .into_iter()
                        .for_each(|progress| self.sink.progress(progress));
                    self.last_progress = progress;
                }
            }
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
        for line in whole.lines().filter(|line| line.starts_with("Step ")) {
            let base = line
                .split_once(" : FROM ")
                .and_then(|(_, base)| base.split(' ').next());
            self.base = base.map(str::to_string).or(self.base.take());
        }
        say(self.sink, stream, whole);
    }

    fn finish(&mut self) {
        let lines = self.log.finish();
        lines.into_iter().for_each(|line| self.sink.output(line));
        let [out, err] = std::mem::take(&mut self.open_lines);
        say(self.sink, Stream::Stdout, out);
        say(self.sink, Stream::Stderr, err);
    }

    fn clues(&self) -> Clues<'_> {
        Clues {
            vertex: self.log.failed(),
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

fn lacks_buildkit(message: &str) -> bool {
    let lower = message.to_lowercase();
    let words = ["not supported", "not enabled", "unsupported"];
    lower.contains("buildkit") && words.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_without_buildkit_is_known_by_its_words() {
        for (message, expected) in [
            ("buildkit not supported by daemon", true),
            ("BuildKit is not enabled", true),
            ("squash is only supported with experimental mode", false),
        ] {
            assert_eq!(lacks_buildkit(message), expected, "{message}");
        }
    }
}
