//! The options that say what a connection is, shared by `add` and `update`.

use super::super::{CliError, password};
use crate::app::{ConnectionChange, NewPassword};

/// What a connection is.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The user
    #[arg(short, long, value_name = "USER")]
    username: Option<String>,
    /// Read the password or token from standard input
    #[arg(long, group = "password")]
    password_stdin: bool,
    /// Take the password or token from this environment variable, now
    #[arg(long, value_name = "VARIABLE", group = "password")]
    password_env: Option<String>,
    /// Use what the docker client has for the host: its configuration file or a credential helper
    #[arg(long, group = "password")]
    docker_config: bool,
    /// Only repositories at or below this path; the longest path wins
    #[arg(long, value_name = "PATH")]
    repository: Option<String>,
    /// Never push or delete with it, whatever the registry would allow
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pull_only: Option<bool>,
    /// The certificate of the private authority that vouches for the registry, in PEM
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,
    /// Allow plain http to this host
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    plain_http: Option<bool>,
}

impl Options {
    /// The user, if one is named.
    pub fn username(&self) -> Option<String> {
        self.username.clone()
    }

    /// Reads the password from where the options say; `None` when they say nothing.
    pub fn password(&self) -> Result<Option<NewPassword>, CliError> {
        let given = if self.docker_config {
            return Ok(Some(NewPassword::DockerConfig));
        } else if self.password_stdin {
            password::from_stdin("password")?
        } else if let Some(name) = &self.password_env {
            password::from_variable("password", name)?
        } else {
            return Ok(None);
        };
        Ok(Some(NewPassword::Given(given)))
    }

    /// Reads everything else.
    pub fn change(&self) -> Result<ConnectionChange, CliError> {
        let authority = self.ca_file.as_ref().map(|path| {
            let read = std::fs::read_to_string(path);
            read.map_err(|error| CliError::usage(format!("the certificate {path}: {error}"), ""))
        });
        Ok(ConnectionChange {
            prefix: self.repository.clone(),
            username: self.username.clone(),
            password: None,
            pull_only: self.pull_only,
            authority: authority.transpose()?,
            plain_http: self.plain_http,
        })
    }
}
