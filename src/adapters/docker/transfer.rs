//! How far a pull or push has come, counted from what the engine says of each layer.

use std::collections::BTreeMap;

use bollard::models::ProgressDetail;

use crate::ports::Progress;

/// Words that end a layer.
const DONE: [&str; 5] = [
    "Pull complete",
    "Already exists",
    "Pushed",
    "Layer already exists",
    "Mounted from",
];

/// Says whether a layer is done by this.
pub(super) fn is_end(status: &str) -> bool {
    DONE.iter().any(|word| status.starts_with(word))
}

/// The layers of a pull on their way.
#[derive(Debug, Default)]
pub(super) struct Transfer {
    layers: BTreeMap<String, Layer>,
}

#[derive(Debug, Default)]
struct Layer {
    bytes: (u64, u64),
    is_done: bool,
}

impl Transfer {
    /// Takes a message about a layer; messages about the whole say nothing of it.
    pub(super) fn note(
        &mut self,
        layer: Option<&str>,
        status: &str,
        detail: Option<&ProgressDetail>,
    ) -> Option<Progress> {
        let id = layer.filter(|_| !status.starts_with("Pulling from"))?;
        let layer = self.layers.entry(id.to_string()).or_default();
        layer.is_done |= is_end(status);
        // Unpacking counts the same bytes a second time.
        if status != "Extracting"
            && let Some(detail) = detail
        {
            let count = |number: Option<i64>| u64::try_from(number.unwrap_or(0)).unwrap_or(0);
            let (current, total) = (count(detail.current), count(detail.total));
            layer.bytes = (
                current.max(layer.bytes.0),
                total.max(layer.bytes.1).max(current),
            );
        }
        if layer.is_done {
            layer.bytes.0 = layer.bytes.1;
        }
        Some(self.progress())
    }

    fn progress(&self) -> Progress {
        let layers = self.layers.values();
        let done = layers.clone().filter(|layer| layer.is_done).count();
        let bytes = layers.fold((0, 0), |sum, layer| {
            (sum.0 + layer.bytes.0, sum.1 + layer.bytes.1)
        });
        Progress {
            text: format!("{done} of {} layers", self.layers.len()),
            bytes: (bytes.1 > 0).then_some(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_and_bytes_are_counted() {
        let mut transfer = Transfer::default();
        let detail = |current, total| ProgressDetail {
            current: Some(current),
            total: Some(total),
        };
        let mut note = |layer: &str, status: &str, detail: Option<ProgressDetail>| {
            let progress = transfer.note(Some(layer), status, detail.as_ref())?;
            Some((progress.text, progress.bytes))
        };
        let some = |text: &str, bytes| Some((text.to_string(), bytes));
        assert_eq!(note("latest", "Pulling from library/a", None), None);
        assert_eq!(
            note("a", "Pulling fs layer", None),
            some("0 of 1 layers", None)
        );
        assert_eq!(
            note("b", "Already exists", None),
            some("1 of 2 layers", None)
        );
        assert_eq!(
            note("a", "Downloading", Some(detail(3, 10))),
            some("1 of 2 layers", Some((3, 10)))
        );
        assert_eq!(
            note("a", "Extracting", Some(detail(1, 10))),
            some("1 of 2 layers", Some((3, 10)))
        );
        assert_eq!(
            note("a", "Pull complete", None),
            some("2 of 2 layers", Some((10, 10)))
        );
    }
}
