//! Builds that run nothing: enough of a Dockerfile is read to succeed, fail and come from the cache as a real one would.

use std::io::Read;

use bytes::Bytes;
use tokio::time::Instant;

use crate::ports::{BuildError, BuildRequest, Built, EngineError, Output, Sink, Stream};

use super::{Behaviour, MemoryEngine, images::digest};

/// The instructions of a Dockerfile.
const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Builds an image. `FAKE_SLEEP_MS` among the build arguments makes it take time; `RUN exit 3` fails with that code.
pub(super) async fn build(
    engine: &MemoryEngine,
    request: &BuildRequest,
    context: &[u8],
    sink: &dyn Sink,
) -> Result<Built, BuildError> {
    let files = read(context).map_err(|error| EngineError::Other(error.to_string()))?;
    let wanted = request.dockerfile.trim_start_matches("./");
    let dockerfile = files.iter().find(|(path, _)| path == wanted);
    let Some((_, dockerfile)) = dockerfile else {
        return failed(
            format!("failed to read dockerfile: open {wanted}: no such file or directory"),
            None,
        );
    };
    let variables: Vec<String> = request
        .build_args
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let behaviour = Behaviour::from_environment(variables.iter().map(String::as_str));
    tokio::time::sleep(behaviour.sleep).await;

    let names: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let mut key = format!("{variables:?} {:?} {files:?}", request.target);
    let lines = dockerfile.lines().map(str::trim);
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let stages: Vec<&str> = lines.iter().filter_map(|line| stage(line)).collect();
    for (index, line) in lines.iter().enumerate() {
        check(engine, line, (&names, &stages))?;
        key = digest(&format!("{key}\n{line}"));
        let is_new = engine.state().images.built.insert(key.clone()) || request.no_cache;
        let end = if is_new { "DONE 0.0s" } else { "CACHED" };
        say(
            engine,
            sink,
            &format!(
                "#{0} [{0}/{1}] {line}\n#{0} {end}\n",
                index + 1,
                lines.len()
            ),
        );
    }
    if behaviour.exit_code != 0 {
        return failed(
            "the build was told to fail".to_string(),
            Some(behaviour.exit_code),
        );
    }
    let image_id = digest(&format!("image {key}"));
    for tag in &request.tags {
        engine.state().images.tag(tag, &image_id);
    }
    engine.state().images.tag(&image_id, &image_id);
    Ok(Built { image_id })
}

/// Refuses what a real build would refuse.
fn check(
    engine: &MemoryEngine,
    line: &str,
    (files, stages): (&[&str], &[&str]),
) -> Result<(), BuildError> {
    let (instruction, rest) = line.split_once(' ').unwrap_or((line, ""));
    let words: Vec<&str> = rest.split_whitespace().collect();
    match instruction.to_uppercase().as_str() {
        "FROM" => {
            let base = words
                .iter()
                .find(|word| !word.starts_with("--"))
                .copied()
                .unwrap_or_default();
            let is_known = base == "scratch"
                || stages.contains(&base)
                || engine.state().images.find(base).is_some();
            if is_known {
                return Ok(());
            }
            Err(BuildError::Engine(EngineError::ImageNotFound {
                reference: base.to_string(),
                reason: "manifest unknown".to_string(),
            }))
        }
        "RUN" if words.len() == 2 && words[0] == "exit" && words[1] != "0" => failed(
            format!(
                "{rest} did not complete successfully: exit code: {}",
                words[1]
            ),
            words[1].parse().ok(),
        ),
        "COPY" if words.len() == 2 && !rest.starts_with("--") => {
            let source = words[0].trim_start_matches("./").trim_end_matches('/');
            let is_there =
                matches!(source, "." | "") || files.iter().any(|file| file.starts_with(source));
            if is_there {
                Ok(())
            } else {
                failed(format!("\"/{source}\" not found"), None)
            }
        }
        known if INSTRUCTIONS.contains(&known) => Ok(()),
        _ => failed(
            format!("dockerfile parse error: unknown instruction: {instruction}"),
            None,
        ),
    }
}

/// The name that a line gives to a stage.
fn stage(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        [from, .., as_word, name]
            if from.eq_ignore_ascii_case("from") && as_word.eq_ignore_ascii_case("as") =>
        {
            Some(name)
        }
        _ => None,
    }
}

fn failed<T>(message: String, exit_code: Option<i64>) -> Result<T, BuildError> {
    Err(BuildError::Failed { message, exit_code })
}

fn say(engine: &MemoryEngine, sink: &dyn Sink, text: &str) {
    let now = engine.state().time_of(Instant::now());
    sink.output(Output {
        stream: Stream::Stdout,
        at_nanos: now.timestamp_nanos_opt().unwrap_or(0),
        bytes: Bytes::from(text.to_string()),
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
