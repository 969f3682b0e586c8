//! The secrets of `careen build`: they become secret values of the run, which its one step has in its environment.

use secrecy::SecretString;

use super::CliError;
use crate::app::Secrets;

/// What is kept out of the task's text.
#[derive(Debug, Default)]
pub struct Hidden {
    /// The words that the docker build gets in addition; none is secret.
    pub words: Vec<String>,
    /// The values, by names of our own.
    pub secrets: Secrets,
    /// Variables of the step and the values they get.
    variables: Vec<(String, String)>,
}

impl Hidden {
    /// Reads the values of `--secret-build-arg` and `--secret`.
    pub fn read(arguments: &[String], secrets: &[String]) -> Result<Hidden, CliError> {
        let mut hidden = Hidden::default();
        for argument in arguments {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => (argument.as_str(), from_variable(argument, argument)?),
            };
            hidden
                .words
                .extend(["--build-arg".to_owned(), name.to_owned()]);
            hidden.keep(name.to_owned(), value);
        }
        for (number, text) in secrets.iter().enumerate() {
            let (id, value) = secret(text)?;
            let variable = format!("CAREEN_BUILD_SECRET_{number}");
            let word = format!("id={id},env={variable}");
            hidden.words.extend(["--secret".to_owned(), word]);
            hidden.keep(variable, value);
        }
        Ok(hidden)
    }

    /// Writes the step's environment, which holds the values only once it is rendered.
    pub fn environment(&self) -> String {
        if self.variables.is_empty() {
            return String::new();
        }
        let line = |(variable, value): &(String, String)| {
            format!("      - {{{{ printf \"%s=%s\" {variable:?} .Values.{value} | toJson }}}}\n")
        };
        let lines: String = self.variables.iter().map(line).collect();
        format!("    env:\n{lines}")
    }

    fn keep(&mut self, variable: String, value: String) {
        let name = format!("buildSecret{}", self.variables.len());
        self.secrets
            .values
            .insert(name.clone(), SecretString::from(value));
        self.variables.push((variable, name));
    }
}

/// Reads `id=ID,src=FILE` or `id=ID,env=NAME`; where it says neither, ID is the variable or the file.
fn secret(text: &str) -> Result<(String, String), CliError> {
    let usage = |reason: String| {
        CliError::usage(
            reason,
            "For example --secret id=token,src=token.txt or --secret id=token,env=TOKEN",
        )
    };
    let part = |key: &str| {
        let mut pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    let file = part("src").or_else(|| part("source"));
    let id = part("id").or(file).or_else(|| part("env"));
    let id = id.ok_or_else(|| usage(format!("--secret {text} names no id")))?;
    let read = |path: &str| {
        let read = std::fs::read_to_string(path);
        read.map_err(|error| usage(format!("--secret {text}: {path}: {error}")))
    };
    let value = match (file, part("env")) {
        (Some(name), None) if part("type") == Some("env") => from_variable(text, name)?,
        (Some(path), None) => read(path)?,
        (None, Some(name)) => from_variable(text, name)?,
        (None, None) => std::env::var(id).or_else(|_| read(id))?,
        (Some(_), Some(_)) => return Err(usage(format!("--secret {text} has both src and env"))),
    };
    Ok((id.to_owned(), value))
}

fn from_variable(word: &str, name: &str) -> Result<String, CliError> {
    std::env::var(name).map_err(|_| {
        CliError::usage(
            format!("{word}: no variable {name} is set"),
            "Set it, or write the value another way",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_only_named_in_the_words_and_the_environment() {
        let hidden = Hidden::read(&["A=hush".to_owned()], &["id=b,src=Cargo.toml".to_owned()]);
        let hidden = hidden.expect("both are there");
        let words = hidden.words.join(" ");
        assert_eq!(
            words,
            "--build-arg A --secret id=b,env=CAREEN_BUILD_SECRET_0"
        );
        let environment = hidden.environment();
        assert!(environment.contains(".Values.buildSecret0") && !environment.contains("hush"));
        assert_eq!(hidden.secrets.values.len(), 2);
        assert!(!format!("{hidden:?}").contains("hush"));
    }

    #[test]
    fn a_secret_that_is_nowhere_is_named() {
        for (arguments, secrets, reason) in [
            (&["NO_SUCH_VARIABLE"][..], &[][..], "NO_SUCH_VARIABLE"),
            (&[], &["src=nofile"], "nofile"),
            (&[], &["id=a,src=b,env=c"], "both"),
            (&[], &["b"], "no id"),
        ] {
            let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
            let error = Hidden::read(&owned(arguments), &owned(secrets)).expect_err(reason);
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
