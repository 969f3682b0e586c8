//! A Dockerfile that `careen build` reads from standard input: a volume of the task holds it, so that a rerun has it too.

use std::io::Read;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::CliError;

/// Where the volume is seen by the build.
const FOLDER: &str = "/careen-dockerfile";

/// What the build is told of its Dockerfile.
#[derive(Debug)]
pub struct BuildFile {
    /// Its path, as `-f` takes it.
    pub path: String,
    /// The text, where it came from standard input.
    text: Option<Vec<u8>>,
}

impl BuildFile {
    /// Takes a path, or standard input for `-`.
    pub fn read(path: &str) -> Result<BuildFile, CliError> {
        if path != "-" {
            return Ok(BuildFile {
                path: path.to_owned(),
                text: None,
            });
        }
        let mut text = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut text);
        read.map_err(|error| CliError::usage(format!("-f -: standard input: {error}"), ""))?;
        if text.iter().all(u8::is_ascii_whitespace) {
            let reason = "-f - reads a Dockerfile from standard input, which is empty";
            return Err(CliError::usage(reason, "Pipe one in, or name a file"));
        }
        Ok(BuildFile {
            path: format!("{FOLDER}/Dockerfile"),
            text: Some(text),
        })
    }

    /// Writes the task's volume, if there is one.
    pub fn volumes(&self) -> String {
        let Some(text) = &self.text else {
            return String::new();
        };
        let text = STANDARD.encode(text);
        format!("volumes:\n  - name: dockerfile\n    secret:\n      Dockerfile: {text}\n")
    }

    /// Writes where the step sees it.
    pub fn mounts(&self) -> String {
        match self.text {
            Some(_) => format!("    volumeMounts: [{{name: dockerfile, mountPath: {FOLDER}}}]\n"),
            None => String::new(),
        }
    }
}
