//! The container that a classic build works in. It carries no label of ours, so a sweep would never find it.
//!
//! The engine removes it when a build ends or is cut off, but not when the engine itself stops meanwhile. The log of
//! the build names it, and the image it was made from; both must agree before it is removed.

use std::time::Duration;

use super::DockerEngine;
use crate::ports::{ContainerState, Containers};

/// How often and how long the engine is asked again whether it has removed the container.
const TRIES: u32 = 30;
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// How many digits of an id the builder writes.
const SHORT_ID: usize = 12;

/// What the log of a classic build has said of its containers so far.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Leftover {
    /// The image that the next container is made from.
    image: String,
    /// The container under way, and its image.
    container: Option<(String, String)>,
}

impl Leftover {
    /// Reads a line of the build's log.
    pub(super) fn note(&mut self, line: &str) {
        let line = line.trim();
        let removed = line.strip_prefix("Removing intermediate container ");
        if self.container.is_some() {
            // Whatever else is said now, the command says it.
            self.container
                .take_if(|(running, _)| removed == Some(running.as_str()));
        } else if let Some(id) = line.strip_prefix("---> Running in ").filter(|id| is_id(id)) {
            self.container = Some((id.to_owned(), self.image.clone()));
        } else if let Some(id) = line.strip_prefix("---> ").filter(|id| is_id(id)) {
            self.image = id.to_owned();
        }
    }

    /// Removes the container in the background if it is still there in a while.
    pub(super) fn remove(self, engine: &DockerEngine) {
        let (Some((container, image)), Ok(runtime)) =
            (self.container, tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let engine = engine.clone();
        runtime.spawn(async move {
            for _ in 0..TRIES {
                if is_gone(&engine, &container, &image).await {
                    return;
                }
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
        });
    }
}

/// Removes the container, if it is there and made from that image; `false` while the engine does not answer.
async fn is_gone(engine: &DockerEngine, container: &str, image: &str) -> bool {
    match engine.inspect(container).await {
        Ok(Some(found)) if is_nobodys(&found) && made_from(&found.image_id, image) => {
            engine.remove(&found.id).await.is_ok()
        }
        Ok(_) => true,
        Err(_) => false,
    }
}

/// Tells whether no run has it under its label.
fn is_nobodys(container: &ContainerState) -> bool {
    let mut names = container.labels.keys();
    !names.any(|name| name.contains("careen"))
}

fn made_from(image_id: &str, short_id: &str) -> bool {
    let id = image_id.strip_prefix("sha256:").unwrap_or(image_id);
    is_id(short_id) && id.starts_with(short_id)
}

fn is_id(text: &str) -> bool {
    text.len() == SHORT_ID && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_under_way_is_read_from_the_log_with_its_image() {
        let mut leftover = Leftover::default();
        let under_way = |leftover: &Leftover| {
            let container = leftover.container.clone();
            container.map(|(container, image)| format!("{container} of {image}"))
        };
        for (line, expected) in [
            ("Step 1/2 : FROM busybox", None),
            (" ---> 0123456789ab", None),
            ("Step 2/2 : RUN echo ---> x", None),
            (
                " ---> Running in 55556666aaaa",
                Some("55556666aaaa of 0123456789ab"),
            ),
            (
                " ---> Running in 666655556666",
                Some("55556666aaaa of 0123456789ab"),
            ),
            ("Removing intermediate container 55556666aaaa", None),
        ] {
            leftover.note(line);
            assert_eq!(under_way(&leftover).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn only_a_container_of_that_image_is_removed() {
        for (image_id, short, expected) in [
            ("sha256:0123456789abcdef", "0123456789ab", true),
            ("sha256:1123456789abcdef", "0123456789ab", false),
            ("sha256:0123456789abcdef", "", false),
        ] {
            assert_eq!(made_from(image_id, short), expected, "{image_id} {short}");
        }
    }
}
