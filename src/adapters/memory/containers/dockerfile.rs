//! As much of a Dockerfile as it takes to refuse what a real build would refuse.

use crate::ports::{BuildError, EngineError};

/// The instructions of a Dockerfile.
const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// A Dockerfile with the names of the files beside it.
#[derive(Debug)]
pub(super) struct Dockerfile {
    /// One line each.
    pub(super) instructions: Vec<String>,
    stages: Vec<String>,
    files: Vec<String>,
}

impl Dockerfile {
    /// Reads the lines, joined where they end in a backslash.
    pub(super) fn read(text: &str, files: Vec<String>) -> Dockerfile {
        let mut instructions = Vec::new();
        let mut open = String::new();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            open.push_str(line.trim_end_matches('\\'));
            if !line.ends_with('\\') {
                instructions.push(std::mem::take(&mut open));
            }
        }
        let stages = instructions
            .iter()
            .filter_map(|instruction| stage(instruction))
            .collect();
        Dockerfile {
            instructions,
            stages,
            files,
        }
    }

    /// Refuses an instruction that cannot be carried out; `is_here` says whether an image is.
    pub(super) fn check(
        &self,
        instruction: &str,
        is_here: impl Fn(&str) -> bool,
    ) -> Result<(), BuildError> {
        let (word, rest) = instruction.split_once(' ').unwrap_or((instruction, ""));
        let words: Vec<&str> = rest
            .split_whitespace()
            .filter(|word| !word.starts_with("--"))
            .collect();
        match (word.to_uppercase().as_str(), &words[..]) {
            ("FROM", [base, ..]) if *base == "scratch" || self.is_stage(base) || is_here(base) => {
                Ok(())
            }
            ("FROM", words) => Err(BuildError::Engine(EngineError::ImageNotFound {
                reference: words.first().copied().unwrap_or_default().to_string(),
                reason: "manifest unknown".to_string(),
            })),
            ("RUN", ["exit", code]) if *code != "0" => {
                let message = format!("{rest} did not complete successfully: exit code: {code}");
                failed(&message, code.parse().ok())
            }
            ("COPY", [source, _]) if !rest.contains("--from") && !self.has(source) => {
                failed(&format!("{source:?} not found"), None)
            }
            (known, _) if INSTRUCTIONS.contains(&known) => Ok(()),
            _ => failed(
                &format!("dockerfile parse error: unknown instruction: {word}"),
                None,
            ),
        }
    }

    fn is_stage(&self, base: &str) -> bool {
        self.stages.iter().any(|stage| stage == base)
    }

    fn has(&self, source: &str) -> bool {
        let source = source.trim_start_matches("./").trim_matches('/');
        let is_pattern = source.contains(['*', '?', '[', '$']);
        is_pattern || source == "." || self.files.iter().any(|file| file.starts_with(source))
    }
}

/// Fails a build by the user's fault.
pub(super) fn failed<T>(message: &str, exit_code: Option<i64>) -> Result<T, BuildError> {
    Err(BuildError::Failed {
        message: message.to_string(),
        exit_code,
    })
}

/// The name that an instruction gives to a stage.
fn stage(instruction: &str) -> Option<String> {
    let words: Vec<&str> = instruction.split_whitespace().collect();
    let [from, .., word, name] = words[..] else {
        return None;
    };
    let names = from.eq_ignore_ascii_case("from") && word.eq_ignore_ascii_case("as");
    names.then(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_each_instruction_is_checked() {
        let text = "# syntax=x\nFROM a AS b\n\nRUN one \\\n  && two\nFROM b\nCOPY --from=b /x /\nCOPY src/* dir/ /\n\
                    COPY sub /\nCOPY missing /\nRUN exit 3\nRUN exit 0\nFROM c\nBAD x";
        let dockerfile = Dockerfile::read(text, vec!["sub/file".to_string()]);
        let wrong = |instruction: &String| match dockerfile.check(instruction, |base| base == "a") {
            Ok(()) => None,
            Err(error) => Some(error.to_string()),
        };
        let errors: Vec<String> = dockerfile.instructions.iter().filter_map(wrong).collect();
        assert_eq!(dockerfile.instructions[1], "RUN one && two");
        assert_eq!(
            errors,
            [
                "\"missing\" not found",
                "exit 3 did not complete successfully: exit code: 3",
                "image c not found: manifest unknown",
                "dockerfile parse error: unknown instruction: BAD",
            ]
        );
    }
}
