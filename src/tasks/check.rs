//! What is wrong with a definition, all of it at once.

use std::collections::BTreeSet;

use super::{Definition, TimerTrigger, schedule::Schedule};
use crate::spec::{Grant, command_line, reference::Reference};

/// The longest name, as in ACR.
const NAME_LENGTH: usize = 50;
/// A task's run may take a day at most.
const TIMEOUT_SECONDS: std::ops::RangeInclusive<u64> = 1..=86_400;

/// The longest jitter: half a day.
const JITTER_SECONDS: u32 = 43_200;

/// Something wrong with one field of a definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{field}: {message}")]
pub struct Fault {
    /// The field, as manifests write it.
    pub field: &'static str,
    /// What is wrong with it.
    pub message: String,
}

/// Finds everything that keeps a definition from being stored.
pub fn check(definition: &Definition) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    faults.check_name(&definition.name);
    faults.check_text(definition);
    faults.check_limits(definition);
    faults.check_words(definition);
    faults.check_timers(&definition.triggers.timer);
    faults.check_follow(definition);
    faults.0
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, field: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.0.push(Fault { field, message });
    }

    fn check_name(&mut self, name: &str) {
        let is_fine = name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.len() <= NAME_LENGTH
            && name.chars().all(is_name_character);
        if !is_fine {
            self.add(
                "name",
                format!(
                    "{name:?} is no task name: it has 1 to {NAME_LENGTH} letters, digits, '-', '_' or '.', a letter or digit first"
                ),
            );
        }
    }

    fn check_text(&mut self, definition: &Definition) {
        let given = [
            ("file", definition.file.is_some()),
            ("yaml", definition.yaml.is_some()),
            ("build", definition.build.is_some()),
        ];
        let given: Vec<&str> = given.iter().filter(|it| it.1).map(|it| it.0).collect();
        if given.len() > 1 {
            self.add(
                "yaml",
                format!("{} say the same thing; keep one", given.join(" and ")),
            );
        }
        let needs_context = definition.build.is_some() || definition.yaml.is_none();
        if needs_context && definition.context.as_deref().is_none_or(str::is_empty) {
            self.add("context", "it says where the files are; it is missing");
        }
    }

    fn check_limits(&mut self, definition: &Definition) {
        if !TIMEOUT_SECONDS.contains(&definition.timeout_seconds) {
            let (first, last) = (TIMEOUT_SECONDS.start(), TIMEOUT_SECONDS.end());
            self.add("timeout_seconds", format!("it is from {first} to {last}"));
        }
        if definition
            .cpu
            .is_some_and(|it| !it.is_finite() || it <= 0.0)
        {
            self.add("cpu", "it is a number above 0");
        }
        if let Some(Err(error)) = definition.memory.as_deref().map(command_line::parse_memory) {
            self.add("memory", error.to_string());
        }
        if definition.max_runs == Some(0) {
            self.add(
                "max_runs",
                "with 0, nothing would ever run; disable the task instead",
            );
        }
    }

    fn check_words(&mut self, definition: &Definition) {
        for word in &definition.allow {
            if Grant::parse(word).is_none() {
                self.add("allow", format!("{word:?} is not known"));
            }
        }
        for name in &definition.secret_values {
            if definition.values.contains_key(name) {
                self.add("secret_values", format!("{name} has an open value, too"));
            }
        }
        let mut seen = BTreeSet::new();
        for name in definition.triggers.names() {
            if !seen.insert(name) {
                self.add("triggers", format!("two are called {name:?}"));
            }
        }
        if let Some(concurrency) = &definition.concurrency
            && concurrency.group.is_empty()
        {
            self.add("concurrency", "its group has no name");
        }
    }

    fn check_follow(&mut self, definition: &Definition) {
        let rules = definition.triggers.base_image.iter();
        for rule in rules.flat_map(|it| &it.follow) {
            let named = Reference::parse(&rule.image).map_err(|error| error.to_string());
            if let Err(error) = named.and_then(|_| rule.check()) {
                let image = &rule.image;
                self.add("triggers", format!("following {image:?}: {error}"));
            }
        }
    }

    fn check_timers(&mut self, timers: &[TimerTrigger]) {
        let mut seen = BTreeSet::new();
        for timer in timers {
            if let Err(error) = Schedule::of(timer) {
                self.add("triggers", format!("timer {}: {error}", timer.name));
            }
            if timer.jitter_seconds > JITTER_SECONDS {
                let name = &timer.name;
                self.add(
                    "triggers",
                    format!("timer {name}: its jitter is at most {JITTER_SECONDS} seconds"),
                );
            }
            if !seen.insert((&timer.schedule, &timer.time_zone)) {
                let (name, schedule) = (&timer.name, &timer.schedule);
                self.add(
                    "triggers",
                    format!("timer {name}: another has the schedule {schedule:?}, too"),
                );
            }
        }
    }
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tasks::{Definition, TimerTrigger};

    fn fields(change: impl FnOnce(&mut Definition)) -> Vec<&'static str> {
        let mut definition = Definition::named("nightly");
        definition.context = Some("/src".to_owned());
        change(&mut definition);
        check(&definition).iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn a_definition_with_a_context_and_nothing_else_is_fine() {
        assert_eq!(fields(|_| ()), [""; 0]);
    }

    #[test]
    fn every_fault_is_named_by_its_field() {
        let timer = |name: &str, schedule: &str| TimerTrigger::new(name, schedule);
        assert_eq!(fields(|it| it.name = "-x".to_owned()), ["name"]);
        assert_eq!(fields(|it| it.name = "a/b".to_owned()), ["name"]);
        assert_eq!(fields(|it| it.name = "n".repeat(51)), ["name"]);
        assert_eq!(fields(|it| it.context = None), ["context"]);
        assert_eq!(fields(|it| it.timeout_seconds = 0), ["timeout_seconds"]);
        assert_eq!(fields(|it| it.cpu = Some(f64::NAN)), ["cpu"]);
        assert_eq!(fields(|it| it.memory = Some("much".to_owned())), ["memory"]);
        assert_eq!(fields(|it| it.max_runs = Some(0)), ["max_runs"]);
        assert_eq!(fields(|it| it.allow = vec!["all".to_owned()]), ["allow"]);
        assert_eq!(
            fields(|it| it.triggers.timer = vec![timer("t", "0 0 * * *"), timer("t", "1 0 * * *")]),
            ["triggers"]
        );
        assert_eq!(
            fields(|it| it.triggers.timer = vec![timer("a", "0 0 * * *"), timer("b", "0 0 * * *")]),
            ["triggers"]
        );
        assert_eq!(
            fields(|it| it.triggers.timer = vec![timer("never", "0 0 31 2 *")]),
            ["triggers"]
        );
    }

    #[test]
    fn all_faults_come_at_once() {
        let found = fields(|it| {
            it.name.clear();
            it.file = Some("a.yaml".to_owned());
            it.yaml = Some("steps: []".to_owned());
            it.cpu = Some(-1.0);
        });
        assert_eq!(found, ["name", "yaml", "cpu"]);
    }

    #[test]
    fn steps_in_the_definition_need_no_context() {
        let found = fields(|it| {
            it.context = None;
            it.yaml = Some("steps: []".to_owned());
        });
        assert_eq!(found, [""; 0]);
    }
}
