//! Gets an image onto the engine: what is there is used, what is not is pulled, with patience for networks.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::{Job, Ports};
use crate::ports::{EngineError, ImageInfo, Right, Sink};

/// Tries of one pull or push, as ACR makes for a push.
const TRIES: usize = 3;
/// The wait before the second try; doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait between tries.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

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
    (|| ports.images.pull(reference, platform, login, sink))
        .retry(patience())
        .when(is_passing)
        .await
}
