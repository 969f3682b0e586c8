//! Reads a `--secret` of a build.

use crate::spec::command_line::csv_fields;
use crate::spec::words::options::Problem;
use crate::spec::{SecretSource, SecretUse};

/// Reads `id=name[,src=path][,env=NAME][,type=file|env]`.
pub(super) fn parse(text: &str) -> Result<SecretUse, Problem> {
    let mut fields = Fields::default();
    for field in csv_fields(text) {
        fields.set(&field)?;
    }
    let Some(id) = fields.id.clone().filter(|id| !id.is_empty()) else {
        let problem = Problem::from(format!("`{text}` has no id"));
        return Err(problem.help("write for example --secret id=token,src=token.txt"));
    };
    let source = fields.source(&id)?;
    Ok(SecretUse { id, source })
}

#[derive(Default)]
struct Fields {
    id: Option<String>,
    kind: Option<String>,
    file: Option<String>,
    env: Option<String>,
}

impl Fields {
    fn set(&mut self, field: &str) -> Result<(), Problem> {
        let Some((key, value)) = field.split_once('=') else {
            return Err(format!("`{field}` is not NAME=VALUE").into());
        };
        let place = match key.trim().to_ascii_lowercase().as_str() {
            "id" => &mut self.id,
            "type" => &mut self.kind,
            "src" | "source" => &mut self.file,
            "env" => &mut self.env,
            _ => return Err(format!("`{key}` is none of id, src, env and type").into()),
        };
        *place = Some(value.to_owned());
        Ok(())
    }

    /// Where the secret comes from; docker takes `src` for the variable's name where `type=env` is said.
    fn source(self, id: &str) -> Result<SecretSource, Problem> {
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        let (file, env) = (given(self.file), given(self.env));
        match (self.kind.as_deref(), file, env) {
            (Some("file" | "env") | None, Some(_), Some(_)) => {
                Err("it comes from a file or from a variable, not from both"
                    .to_owned()
                    .into())
            }
            (Some("env"), Some(name), None) | (Some("env") | None, None, Some(name)) => {
                Ok(SecretSource::Env(name))
            }
            (Some("env"), None, None) => Ok(SecretSource::Env(id.to_owned())),
            (Some("file") | None, Some(path), None) => Ok(SecretSource::File(path)),
            (Some("file"), None, None) => Ok(SecretSource::File(id.to_owned())),
            (None, None, None) => Ok(SecretSource::EnvOrFile(id.to_owned())),
            (Some("file"), None, Some(_)) => {
                Err("`type=file` takes `src`, not `env`".to_owned().into())
            }
            (Some(kind), ..) => Err(format!("`type={kind}` is neither file nor env").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_a_file_or_a_variable() {
        let file = |path: &str| SecretSource::File(path.to_owned());
        let env = |name: &str| SecretSource::Env(name.to_owned());
        for (text, source) in [
            ("id=a,src=/run/a", file("/run/a")),
            ("id=a,source=b,type=file", file("b")),
            ("type=file,id=a", file("a")),
            ("id=a,env=A", env("A")),
            ("id=a,type=env,src=A", env("A")),
            ("id=a,type=env", env("a")),
            ("id=a", SecretSource::EnvOrFile("a".to_owned())),
            ("id=a,\"src=b,c\"", file("b,c")),
        ] {
            let read = parse(text).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(
                read,
                SecretUse {
                    id: "a".to_owned(),
                    source
                },
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "src=a",
            "id=,src=a",
            "a",
            "id=a,x=y",
            "id=a,src=a,env=b",
            "id=a,type=x",
            "id=a,type=file,env=A",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
