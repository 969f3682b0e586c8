//! Gets an image onto the engine: what is there is used, what is not is pulled, with patience for networks.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use backon::{ExponentialBuilder, Retryable};

use super::{Job, Ports, examine};
use crate::{
    ports::{EngineError, ImageInfo, RegistryLogin, Repository, Right, Sink, name_of},
    spec::reference::Reference,
};

/// Tries of one pull or push, as ACR makes for a push.
const TRIES: usize = 3;
/// The wait before the second try; doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait between tries.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long a registry may hold up the next try by what it answers ourselves.
const LONGEST_DELAY: Duration = Duration::from_secs(90);

/// Waits between tries, with jitter so that many steps do not knock at once.
pub(super) fn patience() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_WAIT)
        .with_max_delay(LONGEST_WAIT)
        .with_max_times(TRIES - 1)
        .with_jitter()
}

/// Says whether another try may help: networks come back, refusals stay.
pub(super) fn is_passing(error: &EngineError) -> bool {
    matches!(error, EngineError::RegistryUnreachable { .. })
}

/// Pulls an image.
pub(super) async fn pull(
    ports: &Ports,
    job: &Job,
    reference: &str,
    platform: Option<&str>,
    sink: &dyn Sink,
) -> Result<ImageInfo, EngineError> {
    let credential = job.credential(reference, Right::Pull).await;
    let login = credential.as_ref().map(|it| &it.login);
    let tries = AtomicU32::new(0);
    let tried = || async {
        if tries.fetch_add(1, Ordering::Relaxed) > 0 {
            let image = Reference::parse(reference).ok();
            heed(ports, image, login, Right::Pull).await;
        }
        ports.images.pull(reference, platform, login, sink).await
    };
    tried.retry(patience()).when(is_passing).await
}

/// Waits as long as the registry asks to be waited for: an engine does not tell what it was asked, but our own client
/// hears and heeds it. What else the registry says is for the engine to find out.
pub(super) async fn heed(
    ports: &Ports,
    image: Option<Reference>,
    login: Option<&RegistryLogin>,
    right: Right,
) {
    let Some(image) = image else { return };
    let at = Repository::of(&image, login);
    let asked = async {
        match right {
            Right::Pull => {
                let _ = ports.registry.head(&at, &name_of(&image), None).await;
            }
            Right::Push | Right::Delete => {
                let _ = examine::ask(ports.registry.as_ref(), &at, right).await;
            }
        }
    };
    let _ = tokio::time::timeout(LONGEST_DELAY, asked).await;
}
