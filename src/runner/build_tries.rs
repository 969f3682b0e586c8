//! Tries of one build: a registry that falters while a base is fetched costs time, and not the build.
//!
//! Before the next try the engine itself pulls the base. It has more patience than a builder, and may know the registry
//! better: BuildKit in an engine learns of certificates only when the engine starts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backon::Retryable;

use super::{dispatch::Env, images, logging::LogSink};
use crate::{
    ports::{BuildError, BuildRequest, Built, EngineError, Right},
    spec::reference::Reference,
};

/// Builds, and again when a registry faltered: what was built by then comes from the cache.
pub(super) async fn build(
    env: &Arc<Env>,
    request: &BuildRequest,
    sink: &LogSink,
) -> Result<Built, BuildError> {
    let is_passing = |error: &BuildError| matches!(error, BuildError::Engine(error) if images::is_passing(error));
    let faltered: Mutex<Option<String>> = Mutex::default();
    let tried = || async {
        let image = hold(&faltered).take();
        if let Some(image) = image {
            fetch(env, request, &image, sink).await;
        }
        env.ports.images.build(request, sink).await
    };
    let note = |error: &BuildError, _| {
        sink.say(&format!("Building again, for {error}"));
        if let BuildError::Engine(EngineError::RegistryUnreachable { reference, .. }) = error {
            *hold(&faltered) = Some(reference.clone());
        }
    };
    let patient = tried.retry(images::patience());
    patient.when(is_passing).notify(note).await
}

/// Lets the engine pull a base, after as long as the registry asks to be waited for. What is wrong with it the builder
/// will tell, in the place where it needs the image.
async fn fetch(env: &Arc<Env>, request: &BuildRequest, image: &str, sink: &LogSink) {
    let credential = env.job.credential(image, Right::Pull).await;
    let login = credential.as_ref().map(|it| &it.login);
    images::heed(&env.ports, Reference::parse(image).ok(), login, Right::Pull).await;
    let platform = request.platform.as_deref();
    let _ = env.ports.images.pull(image, platform, login, sink).await;
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked left nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
