//! Says what is missing where an engine was to run programs of another architecture.

use crate::ports::BuildError;

/// Adds to the error of a build what its last output means: the kernel does not know the program's format.
pub(super) fn explained(
    error: BuildError,
    last_output: &str,
    platform: Option<&str>,
) -> BuildError {
    match error {
        BuildError::Failed { message, exit_code } if is_foreign(last_output) => {
            BuildError::Failed {
                message: format!("{message}; {}", missing(platform)),
                exit_code,
            }
        }
        other => other,
    }
}

fn is_foreign(output: &str) -> bool {
    output.contains("exec format error")
}

fn missing(platform: Option<&str>) -> String {
    let (of, architecture) = match platform {
        Some(platform) => (platform, platform.split('/').nth(1).unwrap_or("all")),
        None => ("another platform", "all"),
    };
    let architecture = architecture.split(',').next().unwrap_or(architecture);
    format!(
        "the engine cannot run programs of {of}: give it an emulator with `docker run --privileged --rm \
         tonistiigi/binfmt --install {architecture}`, build on a machine of that kind, or let RUN run on \
         $BUILDPLATFORM"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_kernel_does_not_know_is_explained() {
        let failed = || BuildError::Failed {
            message: "exit code: 1".to_owned(),
            exit_code: Some(1),
        };
        for (output, platform, said) in [
            ("no such file\n", Some("linux/arm64"), None),
            (
                "exec /x: exec format error\n",
                Some("linux/arm64"),
                Some("--install arm64`"),
            ),
            (
                "exec format error",
                Some("linux/arm/v7"),
                Some("--install arm`"),
            ),
            (
                "exec format error",
                Some("linux/s390x,linux/amd64"),
                Some("--install s390x`"),
            ),
            ("exec format error", None, Some("--install all`")),
        ] {
            let text = explained(failed(), output, platform).to_string();
            assert!(text.starts_with("exit code: 1"), "{text}");
            let is_said = said.is_none_or(|said| text.contains(said));
            assert!(
                is_said && said.is_some() == text.contains("emulator"),
                "{text}"
            );
        }
    }
}
