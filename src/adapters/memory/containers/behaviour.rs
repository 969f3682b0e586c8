//! How a container of the engine in memory behaves.

use std::time::Duration;

/// How a container behaves; each field is also a `FAKE_…` variable of the container's environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// `FAKE_EXIT_CODE`: the exit code.
    pub exit_code: i64,
    /// `FAKE_SLEEP_MS`: how long it runs.
    pub sleep: Duration,
    /// `FAKE_OUTPUT`: what it writes at its start.
    pub output: String,
    /// `FAKE_ERROR_OUTPUT`: what it writes to standard error at its start.
    pub error_output: String,
    /// `FAKE_OUTPUT_MB`: how many megabytes of numbered lines it writes after that.
    pub output_megabytes: u64,
    /// `FAKE_OOM=1`: whether it ends for want of memory.
    pub out_of_memory: bool,
    /// `FAKE_FAIL_TIMES`: how many starts of the same step in the same run fail before one succeeds.
    pub fail_times: Option<u32>,
    /// `FAKE_START_ERROR`: 127 for a missing command, 126 for one that cannot be executed.
    pub start_error: Option<i64>,
    /// `FAKE_HEALTHY_AFTER_MS`: when its health check passes; without it, it has none.
    pub healthy_after: Option<Duration>,
    /// `FAKE_IGNORES_TERM=1`: whether only a kill ends it.
    pub ignores_term: bool,
    /// `FAKE_FILE=PATH=TEXT`: a file that it writes at its start.
    pub file: Option<(String, String)>,
}

impl Behaviour {
    /// Reads the `FAKE_…` variables among `NAME=value` pairs; the later of two wins.
    pub fn from_environment<'a>(variables: impl IntoIterator<Item = &'a str>) -> Behaviour {
        let mut behaviour = Behaviour::default();
        for variable in variables {
            let fake = variable.strip_prefix("FAKE_");
            if let Some((name, value)) = fake.and_then(|fake| fake.split_once('=')) {
                behaviour.set(name, value);
            }
        }
        behaviour
    }

    fn set(&mut self, name: &str, value: &str) {
        let number = value.parse::<u32>().ok();
        let millis = number.map(|number| Duration::from_millis(number.into()));
        match name {
            "EXIT_CODE" => self.exit_code = value.parse().unwrap_or(0),
            "SLEEP_MS" => self.sleep = millis.unwrap_or_default(),
            "OUTPUT" => self.output = value.to_string(),
            "ERROR_OUTPUT" => self.error_output = value.to_string(),
            "OUTPUT_MB" => self.output_megabytes = number.unwrap_or(0).into(),
            "OOM" => self.out_of_memory = value == "1",
            "FAIL_TIMES" => self.fail_times = number,
            "START_ERROR" => self.start_error = value.parse().ok(),
            "HEALTHY_AFTER_MS" => self.healthy_after = millis,
            "IGNORES_TERM" => self.ignores_term = value == "1",
            "FILE" => {
                let file = value.split_once('=');
                self.file = file.map(|(path, text)| (path.to_string(), text.to_string()));
            }
            _ => {}
        }
    }

    /// The exit code of the start with this number, counted from 1 among the starts of the step.
    pub(super) fn exit_code_of(&self, start: u32) -> i64 {
        match self.fail_times {
            _ if self.out_of_memory => 137,
            Some(times) if start <= times => self.exit_code.max(1),
            Some(_) => 0,
            None => self.exit_code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_tells_how_to_behave() {
        let variables = [
            "A=1",
            "FAKE_EXIT_CODE=3",
            "FAKE_SLEEP_MS=5",
            "FAKE_FILE=/a=b=c",
            "FAKE_EXIT_CODE=4",
        ];
        let expected = Behaviour {
            exit_code: 4,
            sleep: Duration::from_millis(5),
            file: Some(("/a".to_string(), "b=c".to_string())),
            ..Behaviour::default()
        };
        assert_eq!(Behaviour::from_environment(variables), expected);
    }

    #[test]
    fn a_step_that_fails_some_times_succeeds_then() {
        let behaviour = Behaviour::from_environment(["FAKE_FAIL_TIMES=2", "FAKE_EXIT_CODE=9"]);
        let codes: Vec<i64> = (1..=4).map(|start| behaviour.exit_code_of(start)).collect();
        assert_eq!(codes, [9, 9, 0, 0]);
    }
}
