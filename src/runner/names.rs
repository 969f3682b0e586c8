//! Names and labels of everything that careen makes on an engine.

use super::Job;
use crate::ports::Labels;

/// The store that a thing belongs to.
pub const LABEL_STORE: &str = "careen.store";
/// The run that it belongs to.
pub const LABEL_RUN: &str = "careen.run";
/// The run's generation.
pub const LABEL_GENERATION: &str = "careen.generation";
/// The exact id of the step.
pub const LABEL_STEP: &str = "careen.step";
/// The step's position in the file.
pub const LABEL_POSITION: &str = "careen.position";
/// The attempt.
pub const LABEL_ATTEMPT: &str = "careen.attempt";
/// The lease under which it was made.
pub const LABEL_TOKEN: &str = "careen.token";

/// The longest part of a step's id that goes into a name: names are DNS labels on some networks.
const SLUG_LENGTH: usize = 40;

impl Job {
    /// The labels of everything of this run.
    pub(super) fn labels(&self, store: &str) -> Labels {
        Labels::from([
            (LABEL_STORE.to_owned(), store.to_owned()),
            (LABEL_RUN.to_owned(), self.run.id.clone()),
            (LABEL_GENERATION.to_owned(), self.run.generation.to_string()),
            (LABEL_TOKEN.to_owned(), self.lease.token.to_string()),
        ])
    }

    /// The labels of everything of this run, under whatever lease it was made.
    pub(super) fn lasting_labels(&self, store: &str) -> Labels {
        let mut labels = self.labels(store);
        labels.remove(LABEL_TOKEN);
        labels
    }

    /// The labels of one attempt's container.
    pub(super) fn attempt_labels(&self, store: &str, step: u32, attempt: u32) -> Labels {
        let mut labels = self.labels(store);
        labels.insert(LABEL_STEP.to_owned(), self.plan.step(step).id.clone());
        labels.insert(LABEL_POSITION.to_owned(), step.to_string());
        labels.insert(LABEL_ATTEMPT.to_owned(), attempt.to_string());
        labels
    }

    /// The name of one attempt's container.
    pub(super) fn attempt_name(&self, store: &str, step: u32, attempt: u32) -> String {
        let id = &self.plan.step(step).id;
        format!("{}-{}-{attempt}", self.prefix(store), slug(id, step))
    }

    /// The name of a network or volume of this run, from its name in the file.
    pub(super) fn own_name(&self, store: &str, name: &str) -> String {
        format!("{}-{name}", self.prefix(store))
    }

    fn prefix(&self, store: &str) -> String {
        format!("careen-{store}-{}-g{}", self.run.id, self.run.generation)
    }
}

/// Makes an id fit for a name; where that loses something, the position keeps it unique.
fn slug(id: &str, step: u32) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let clean: String = id
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .take(SLUG_LENGTH)
        .collect();
    if clean == id {
        clean
    } else {
        format!("{clean}-{step}")
    }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_plain_id_is_its_own_slug_and_an_odd_one_keeps_its_position() {
        assert_eq!(slug("build-web_1.x", 3), "build-web_1.x");
        assert_eq!(slug("bäu/x", 3), "b-u-x-3");
        assert_eq!(slug(&"a".repeat(90), 7), format!("{}-7", "a".repeat(40)));
    }
}
