//! Images from a context and a Dockerfile, by the best builder that the engine has.
//!
//! BuildKit through a session comes first: it is sent only what it lacks. An engine that has none is sent the whole
//! context, for BuildKit or for the classic builder.

use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use futures_util::TryStreamExt;

use crate::ports::{
    BuildError, BuildRequest, Built, ContextFiles, EngineError, FolderError, Images, Output, Sink,
    Stream,
};

use super::{
    DockerEngine,
    archive::watch,
    build_errors::build_error,
    build_options::{options, query},
    foreign,
    hidden_args::hide,
    listener::Listener,
    logins::by_host,
    places::{self, Place},
    session::{self, SessionError},
};

/// Builds an image with BuildKit, unless the classic builder is asked for or there is no other.
pub(super) async fn build(
    engine: &DockerEngine,
    request: &BuildRequest,
    sink: &dyn Sink,
) -> Result<Built, BuildError> {
    let place = places::choose(engine, request).await?;
    for text in &place.notes {
        note(sink, text);
    }
    if std::ptr::eq(place.engine, engine) {
        return build_at(&place, request, sink).await;
    }
    let built = build_at(&place, request, sink).await?;
    let fetched = places::fetch((place.engine, engine), request, &built).await;
    fetched.map_err(BuildError::Engine)
}

async fn build_at(
    place: &Place<'_>,
    request: &BuildRequest,
    sink: &dyn Sink,
) -> Result<Built, BuildError> {
    let engine = place.engine;
    if request.classic {
        needs_session(place, request, "the classic builder is asked for")?;
        tell_of_arguments(request, sink);
        return build_whole(engine, request, Listener::new(sink, true)).await;
    }
    if let Some(files) = request.files.clone().filter(|_| fits_session(request)) {
        match build_in_session(place, request, files, Listener::new(sink, false)).await {
            Err(NotBuilt::NoSession(reason)) => note(
                sink,
                &format!(
                    "the engine has no build sessions ({reason}): sending it the whole context"
                ),
            ),
            Err(NotBuilt::Because(error)) => return Err(error),
            Ok(built) => return Ok(built),
        }
    }
    needs_session(place, request, "this build has no session")?;
    tell_of_arguments(request, sink);
    match build_whole(engine, request, Listener::new(sink, false)).await {
        Err(BuildError::Engine(EngineError::Other(message))) if lacks_buildkit(&message) => {
            note(
                sink,
                "the engine has no BuildKit: building with the classic builder",
            );
            build_whole(engine, request, Listener::new(sink, true)).await
        }
        Err(BuildError::Failed { message, .. }) if lacks_whole_contexts(&message) => {
            let reason = "the engine's BuildKit takes no whole context with its image store";
            note(
                sink,
                &format!("{reason}: building with the classic builder"),
            );
            build_whole(engine, request, Listener::new(sink, true)).await
        }
        other => other,
    }
}

/// Why a session built nothing.
enum NotBuilt {
    NoSession(String),
    Because(BuildError),
}

impl From<EngineError> for NotBuilt {
    fn from(error: EngineError) -> NotBuilt {
        NotBuilt::Because(BuildError::Engine(error))
    }
}

/// Tells whether BuildKit can do in a session what is asked for: one layer it cannot make, and the name of the
/// engine's own address only the engine itself can resolve.
fn fits_session(request: &BuildRequest) -> bool {
    let needs_engine = |host: &String| host.ends_with(":host-gateway");
    !request.squash && !request.extra_hosts.iter().any(needs_engine)
}

fn needs_session(
    place: &Place<'_>,
    request: &BuildRequest,
    reason: &str,
) -> Result<(), BuildError> {
    let what = match (request.secrets.is_empty(), place.caches.are_in_folders()) {
        (false, _) => "--secret",
        (true, true) => "a cache in a folder",
        (true, false) => return Ok(()),
    };
    let message = format!(
        "{what} needs a BuildKit session, and {reason}: remove DOCKER_BUILDKIT=0, a network by name, --squash and host-gateway, or use an engine with BuildKit"
    );
    Err(BuildError::Failed {
        message,
        exit_code: None,
    })
}

async fn build_in_session(
    place: &Place<'_>,
    request: &BuildRequest,
    files: Arc<dyn ContextFiles>,
    mut listener: Listener<'_>,
) -> Result<Built, NotBuilt> {
    let engine = place.engine;
    let not_built = |error: SessionError, listener: &Listener<'_>| match error {
        SessionError::Missing(reason) => NotBuilt::NoSession(reason),
        SessionError::Engine(error) => error.into(),
        SessionError::Refused(message) => {
            NotBuilt::Because(build_error(EngineError::Other(message), &listener.clues()))
        }
    };
    let dockerfile = read_dockerfile(&*files)?;
    let hidden = hide(&dockerfile.1, &request.secret_args);
    for (name, reason) in &hidden.exposed {
        listener.say(&format!(
            "the secret build argument {name} will be in the image's history: {reason}\n"
        ));
    }
    let request = &hidden.apply(request);
    let text = (dockerfile.0.clone(), hidden.text.into_bytes());
    let session = session::open(engine, (request, &place.caches), (files, text)).await;
    let session = session.map_err(|error| not_built(error, &listener))?;
    if request.memory_bytes.is_some() {
        listener.say("BuildKit does not limit the memory of commands: --memory has no effect\n");
    }
    let solved = session::solve(engine, &session, (request, &place.caches), |message| {
        listener.take_status(message)
    });
    let solved = solved.await;
    listener.finish();
    if let Err(SessionError::Refused(message)) = &solved {
        listener.show_failure((&dockerfile.0, &dockerfile.1), message);
    }
    let solved = solved.map_err(|error| match not_built(error, &listener) {
        NotBuilt::Because(error) => {
            let platform = request.platform.as_deref();
            NotBuilt::Because(foreign::explained(error, &listener.last_output(), platform))
        }
        other => other,
    })?;
    if let Some(manifest) = &solved.cache {
        place.caches.name(manifest).map_err(EngineError::Other)?;
    }
    for id in &solved.ids {
        if let Some(image) = engine.image(id).await? {
            return Ok(Built { image_id: image.id });
        }
    }
    Ok(Built {
        image_id: id_by_tag(engine, request).await?,
    })
}

fn tell_of_arguments(request: &BuildRequest, sink: &dyn Sink) {
    for name in &request.secret_args {
        let reason = "only BuildKit in a session can hide it";
        note(
            sink,
            &format!("the secret build argument {name} will be in the image's history: {reason}"),
        );
    }
}

/// The name and the text of the Dockerfile.
fn read_dockerfile(files: &dyn ContextFiles) -> Result<(String, String), EngineError> {
    let read = files.dockerfile();
    let (name, text) = read.map_err(|FolderError(message)| EngineError::Other(message))?;
    Ok((name, String::from_utf8_lossy(&text).into_owned()))
}

async fn build_whole(
    engine: &DockerEngine,
    request: &BuildRequest,
    listener: Listener<'_>,
) -> Result<Built, BuildError> {
    let mut listener = Tidied { engine, listener };
    let (tar, source_error) = watch((request.context)());
    let body = bollard::body_try_stream(tar);
    let docker = engine.builder(query(request)).await?;
    let options = options(request, listener.listener.is_classic);
    let mut messages = docker.build_image(options, Some(by_host(&request.logins)), Some(body));
    let ended = loop {
        match messages.try_next().await {
            Ok(Some(message)) => listener.listener.take(message),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    listener.listener.finish();
    if let Err(error) = ended {
        let source_error = source_error.take().map(BuildError::Engine);
        return Err(source_error
            .unwrap_or_else(|| build_error(engine.error(error), &listener.listener.clues())));
    }
    let image_id = match listener.listener.image_id.take() {
        Some(id) => id,
        None => id_by_tag(engine, request).await?,
    };
    Ok(Built { image_id })
}

/// A listener whose build leaves no container behind, however it ends.
struct Tidied<'a> {
    engine: &'a DockerEngine,
    listener: Listener<'a>,
}

impl Drop for Tidied<'_> {
    fn drop(&mut self) {
        std::mem::take(&mut self.listener.leftover).remove(self.engine);
    }
}

/// Asks for the id that the engine did not name in its answer.
async fn id_by_tag(engine: &DockerEngine, request: &BuildRequest) -> Result<String, EngineError> {
    let missing = || EngineError::Other("the engine named no image after the build".to_string());
    let tag = request.tags.first().ok_or_else(missing)?;
    Ok(engine.image(tag).await?.ok_or_else(missing)?.id)
}

fn note(sink: &dyn Sink, text: &str) {
    sink.output(Output {
        stream: Stream::Stdout,
        at_nanos: Utc::now().timestamp_nanos_opt().unwrap_or(0),
        bytes: Bytes::from(format!("{text}\n")),
    });
}

fn lacks_buildkit(message: &str) -> bool {
    let lower = message.to_lowercase();
    let words = ["not supported", "not enabled", "unsupported"];
    lower.contains("buildkit") && words.iter().any(|word| lower.contains(word))
}

/// Engine 26 with containerd's image store looks for the context that it was sent at an address that nobody has.
fn lacks_whole_contexts(message: &str) -> bool {
    message.contains("http://build-context-")
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
