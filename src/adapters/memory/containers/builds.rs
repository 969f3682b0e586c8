//! Builds that run nothing.

use std::io::Read;

use bytes::Bytes;
use tokio::time::Instant;

use crate::ports::{BuildError, BuildRequest, Built, EngineError, Output, Sink, Stream};

use super::{
    Behaviour, MemoryEngine,
    digest::digest,
    dockerfile::{Dockerfile, failed},
};

/// Builds an image. `FAKE_SLEEP_MS` among the build arguments makes it take time, `FAKE_EXIT_CODE` makes it fail at its
/// end; `RUN exit 3` fails with that code.
pub(super) async fn build(
    engine: &MemoryEngine,
    request: &BuildRequest,
    context: &[u8],
    sink: &dyn Sink,
) -> Result<Built, BuildError> {
    let files = read(context).map_err(|error| EngineError::Other(error.to_string()))?;
    let wanted = request.dockerfile.trim_start_matches("./");
    let Some((_, text)) = files.iter().find(|(path, _)| path == wanted) else {
        return failed(
            &format!("failed to read dockerfile: open {wanted}: no such file or directory"),
            None,
        );
    };
    let variables = request
        .build_args
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let variables: Vec<String> = variables.collect();
    let behaviour = Behaviour::from_environment(variables.iter().map(String::as_str));
    tokio::time::sleep(behaviour.sleep).await;
    let key = digest(&format!("{variables:?} {:?} {files:?}", request.target));
    let dockerfile = Dockerfile::read(text, files.iter().map(|(path, _)| path.clone()).collect());
    let key = run(engine, (&dockerfile, key), request.no_cache, sink)?;
    if behaviour.exit_code != 0 {
        return failed("the build was told to fail", Some(behaviour.exit_code));
    }
    let image_id = digest(&format!("image {key}"));
    let images = &mut engine.state().images;
    for name in request.tags.iter().chain([&image_id]) {
        images.tag(name, &image_id);
    }
    Ok(Built { image_id })
}

/// Goes through the instructions; each makes a new key out of the last.
fn run(
    engine: &MemoryEngine,
    (dockerfile, mut key): (&Dockerfile, String),
    no_cache: bool,
    sink: &dyn Sink,
) -> Result<String, BuildError> {
    let all = dockerfile.instructions.len();
    for (number, instruction) in (1..).zip(&dockerfile.instructions) {
        dockerfile.check(instruction, |base| {
            engine.state().images.find(base).is_some()
        })?;
        key = digest(&format!("{key}\n{instruction}"));
        let is_new = engine.state().images.built.insert(key.clone()) || no_cache;
        let end = if is_new { "DONE 0.0s" } else { "CACHED" };
        say(
            engine,
            sink,
            format!("#{number} [{number}/{all}] {instruction}\n#{number} {end}\n"),
        );
    }
    Ok(key)
}

fn say(engine: &MemoryEngine, sink: &dyn Sink, text: String) {
    let now = engine.state().time_of(Instant::now());
    sink.output(Output {
        stream: Stream::Stdout,
        at_nanos: now.timestamp_nanos_opt().unwrap_or(0),
        bytes: Bytes::from(text),
    });
}

/// The names and texts of the files of a context.
fn read(context: &[u8]) -> std::io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(context).entries()? {
        let mut entry = entry?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        let path = entry
            .path()?
            .to_string_lossy()
            .trim_start_matches("./")
            .to_string();
        files.push((path, String::from_utf8_lossy(&content).into_owned()));
    }
    Ok(files)
}
