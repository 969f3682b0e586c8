//! Images from the engine to registries.

use std::collections::BTreeMap;

use bollard::{models::ProgressDetail, query_parameters::PushImageOptionsBuilder};
use futures_util::TryStreamExt;

use crate::ports::{EngineError, Progress, PushedImage, RegistryLogin, Sink};

use super::{
    DockerEngine, logins::credentials, reference::split, registry_errors::registry_error,
    transfer::is_end,
};

/// Pushes an image.
pub(super) async fn push(
    engine: &DockerEngine,
    reference: &str,
    login: Option<&RegistryLogin>,
    sink: &dyn Sink,
) -> Result<PushedImage, EngineError> {
    let (repository, tag) = split(reference);
    let options = PushImageOptionsBuilder::default().tag(tag).build();
    let docker = engine.patient().await?;
    let mut messages = docker.push_image(repository, Some(options), login.map(credentials));
    let (mut count, mut digest) = (Count::default(), None);
    let refused = |error| registry_error(engine.error(error), reference);
    while let Some(message) = messages.try_next().await.map_err(refused)? {
        let status = message.status.as_deref().unwrap_or_default();
        digest = digest.or_else(|| digest_in(status));
        count.note(status, message.progress_detail.as_ref());
        sink.progress(count.progress());
    }
    let digest = digest.ok_or_else(|| {
        EngineError::Other(format!(
            "the engine named no digest after the push of {reference}"
        ))
    })?;
    Ok(PushedImage { digest })
}

/// The digest in `v1: digest: sha256:… size: 527`, the only place where an engine names it.
fn digest_in(status: &str) -> Option<String> {
    let (_, rest) = status.split_once("digest: ")?;
    let digest = rest.split(' ').next()?;
    digest.starts_with("sha256:").then(|| digest.to_string())
}

/// How far the layers are. The client drops their ids, so they are counted, and told apart by their sizes.
#[derive(Default)]
struct Count {
    layers: usize,
    done: usize,
    sent_by_size: BTreeMap<i64, i64>,
}

impl Count {
    fn note(&mut self, status: &str, detail: Option<&ProgressDetail>) {
        self.layers += usize::from(status == "Preparing");
        self.done += usize::from(is_end(status));
        if let Some(total) = detail.and_then(|detail| detail.total) {
            let current = detail.and_then(|detail| detail.current).unwrap_or(0);
            self.sent_by_size.insert(total, current.min(total));
        }
    }

    fn progress(&self) -> Progress {
        let sum = |numbers: &mut dyn Iterator<Item = &i64>| {
            u64::try_from(numbers.sum::<i64>()).unwrap_or(0)
        };
        let sent = sum(&mut self.sent_by_size.values());
        let total = sum(&mut self.sent_by_size.keys());
        Progress {
            text: format!("{} of {} layers", self.done, self.layers),
            bytes: (total > 0).then_some((sent, total)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_found_in_the_status() {
        let status = "v1: digest: sha256:00ff size: 527";
        assert_eq!(digest_in(status).as_deref(), Some("sha256:00ff"));
        assert_eq!(digest_in("Pushed"), None);
    }

    #[test]
    fn layers_are_counted_without_their_ids() {
        let mut count = Count::default();
        for status in ["Preparing", "Preparing", "Waiting", "Layer already exists"] {
            count.note(status, None);
        }
        let detail = |current, total| ProgressDetail {
            current: Some(current),
            total: Some(total),
        };
        count.note("Pushing", Some(&detail(5, 10)));
        count.note("Pushing", Some(&detail(12, 10)));
        let expected = Progress {
            text: "1 of 2 layers".to_string(),
            bytes: Some((10, 10)),
        };
        assert_eq!(count.progress(), expected);
    }
}
