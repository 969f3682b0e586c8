//! A definition as a YAML file.

use super::{Definition, Fault, check};

/// Why a manifest cannot be used; each line says one thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is no YAML, or not that of a task.
    #[error("{0}")]
    Unreadable(String),
    /// What it says is wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Wrong(Vec<Fault>),
}

/// Reads a manifest; `name` is the task's when the text has none.
pub fn read(text: &str, name: &str) -> Result<Definition, ManifestError> {
    let mut definition: Definition =
        serde_yaml::from_str(text).map_err(|error| ManifestError::Unreadable(error.to_string()))?;
    if definition.name.is_empty() {
        name.clone_into(&mut definition.name);
    }
    let faults = check(&definition);
    if !faults.is_empty() {
        return Err(ManifestError::Wrong(faults));
    }
    Ok(definition)
}

/// Writes a manifest that reads back as the same definition.
pub fn write(definition: &Definition) -> Result<String, ManifestError> {
    serde_yaml::to_string(definition).map_err(|error| ManifestError::Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{ManifestError, read, write};
    use crate::tasks::{Policy, Status, Text};

    const FULL: &str = "
context: https://example.com/app.git#main
file: acb.yaml
platform: linux/amd64
timeout_seconds: 600
cpu: 1.5
memory: 512m
values:
  tag: v1
secret_values: [token]
connections: [hub]
allow: [privileged]
triggers:
  source:
    - name: pushes
      repository: https://example.com/app.git
      branch: main
      events: [commit, pull_request]
  timer:
    - name: nightly
      schedule: 0 3 * * *
  base_image:
    name: base
    kind: all
status: disabled
pool: big
labels: {gpu: 'yes'}
priority: 5
max_runs: 2
concurrency:
  group: deploy
  policy: cancel-superseded
";

    #[test]
    fn a_manifest_with_everything_reads_back_as_written() {
        let task = read(FULL, "app").unwrap();
        assert_eq!(task.name, "app");
        assert_eq!(task.status, Status::Disabled);
        assert_eq!(task.text(), Text::File("acb.yaml".to_owned()));
        let policy = task.concurrency.as_ref().map(|it| it.policy);
        assert_eq!(policy, Some(Policy::CancelSuperseded));
        assert_eq!(task.triggers.kinds(), ["BASE_IMAGE", "SOURCE", "TIMER"]);
        assert_eq!(read(&write(&task).unwrap(), "other").unwrap(), task);
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let error = read("context: .\ntimeout: 5\n", "app")
            .unwrap_err()
            .to_string();
        assert!(error.contains("timeout") && error.contains('2'), "{error}");
        let error = read("context: [", "app").unwrap_err();
        assert!(matches!(error, ManifestError::Unreadable(_)), "{error}");
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_field() {
        let error = read("cpu: 0\n", "app").unwrap_err().to_string();
        assert!(
            error.contains("context:") && error.contains("cpu:"),
            "{error}"
        );
    }

    #[test]
    fn an_image_build_is_written_down_as_steps() {
        let text = "context: .\nregistry: r.io\nbuild:\n  images: [app:1]\n  target: slim\n";
        let Text::Inline(steps) = read(text, "app").unwrap().text() else {
            panic!("a build is inline");
        };
        assert!(steps.contains("-t r.io/app:1 --target slim"), "{steps}");
        assert!(steps.contains("push: [\"r.io/app:1\"]"), "{steps}");
    }
}
