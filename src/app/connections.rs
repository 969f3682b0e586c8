//! Connections: added, changed, removed, and made into a keyring for a run.

use chrono::{DateTime, Utc};
use rand::Rng;
use secrecy::SecretString;

use super::{App, AppError};
use crate::{
    ports::{
        Connection, Credential, Keyring, PasswordSource, RegistryLogin, Sealed, Trust, VaultError,
    },
    spec::reference::Reference,
};

/// The longest name of a connection or secret, in characters.
const LONGEST_NAME: usize = 100;

/// Where a new password comes from.
#[derive(Debug, Clone)]
pub enum NewPassword {
    /// It is this.
    Given(SecretString),
    /// The docker client has it, and is asked at each use.
    DockerConfig,
}

/// A connection to add.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// Its name.
    pub name: String,
    /// The registry's host, as people write it.
    pub server: String,
    /// The user.
    pub username: String,
    /// The password.
    pub password: NewPassword,
    /// All else.
    pub change: ConnectionChange,
}

/// What is to change in a connection; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ConnectionChange {
    /// The repositories it is for.
    pub prefix: Option<String>,
    /// The user.
    pub username: Option<String>,
    /// The password.
    pub password: Option<NewPassword>,
    /// Whether it is for pulls only.
    pub pull_only: Option<bool>,
    /// The private authority's certificate, in PEM.
    pub authority: Option<String>,
    /// Whether plain http is allowed.
    pub plain_http: Option<bool>,
}

impl App {
    /// Adds a connection.
    pub async fn add_connection(&self, new: NewConnection) -> Result<Connection, AppError> {
        check_name("connection", &new.name)?;
        let now = self.ports.clock.now();
        let mut connection = Connection {
            id: draw_row_id(),
            name: new.name,
            server: host(&new.server)?,
            prefix: String::new(),
            username: new.username,
            password: PasswordSource::DockerConfig,
            pull_only: false,
            authority: None,
            plain_http: false,
            created_at: now,
            updated_at: now,
        };
        let password = Some(new.password);
        let change = ConnectionChange {
            password,
            ..new.change
        };
        self.apply(&mut connection, change, now)?;
        match self
            .credentials
            .connections
            .add_connection(&connection)
            .await?
        {
            true => Ok(connection),
            false => Err(AppError::usage(
                format!("there is a connection {} already", connection.name),
                format!(
                    "careen connection update {} changes it; or choose another name",
                    connection.name
                ),
            )),
        }
    }

    /// Changes a connection.
    pub async fn update_connection(
        &self,
        name: &str,
        change: ConnectionChange,
    ) -> Result<Connection, AppError> {
        let mut connection = self.connection(name).await?;
        self.apply(&mut connection, change, self.ports.clock.now())?;
        match self
            .credentials
            .connections
            .update_connection(&connection)
            .await?
        {
            true => Ok(connection),
            false => Err(no_connection(name)),
        }
    }

    fn apply(
        &self,
        connection: &mut Connection,
        change: ConnectionChange,
        now: DateTime<Utc>,
    ) -> Result<(), AppError> {
        let of = |new: Option<String>, old: &String| new.unwrap_or_else(|| old.clone());
        if let Some(prefix) = change.prefix {
            connection.prefix = checked_prefix(&connection.server, &prefix)?;
        }
        connection.username = of(change.username, &connection.username);
        connection.pull_only = change.pull_only.unwrap_or(connection.pull_only);
        connection.plain_http = change.plain_http.unwrap_or(connection.plain_http);
        connection.authority = change.authority.or(connection.authority.take());
        connection.updated_at = now;
        match change.password {
            None => {}
            Some(NewPassword::DockerConfig) => connection.password = PasswordSource::DockerConfig,
            Some(NewPassword::Given(password)) => {
                let sealed = self.vault.seal(&connection.row(), &password)?;
                connection.password = PasswordSource::Sealed(sealed);
            }
        }
        let is_sealed = matches!(connection.password, PasswordSource::Sealed(_));
        if is_sealed && connection.username.is_empty() {
            return Err(AppError::usage(
                format!("connection {} has no user name", connection.name),
                "Name the user with --username; for a bare token, what its registry says to write there",
            ));
        }
        Ok(())
    }

    /// Removes a connection.
    pub async fn remove_connection(&self, name: &str) -> Result<(), AppError> {
        match self.credentials.connections.remove_connection(name).await? {
            true => Ok(()),
            false => Err(no_connection(name)),
        }
    }

    /// Finds a connection by name.
    pub async fn connection(&self, name: &str) -> Result<Connection, AppError> {
        let all = self.credentials.connections.connections().await?;
        let found = all.into_iter().find(|it| it.name == name);
        found.ok_or_else(|| no_connection(name))
    }

    /// Makes a keyring of the connections and the docker client's own logins, and tells the registry client how the
    /// connections' hosts are trusted.
    pub async fn keyring(&self, docker: &[RegistryLogin]) -> Result<Keyring, AppError> {
        let mut credentials = Vec::new();
        for connection in self.credentials.connections.connections().await? {
            credentials.extend(self.credential(connection).await?);
        }
        let own = docker.iter().cloned().map(Credential::of_docker);
        credentials.extend(own);
        Ok(Keyring::new(
            credentials,
            Some(self.credentials.helpers.clone()),
        ))
    }

    /// Opens a connection; `None` when it stands for a login that the docker client does not have.
    pub async fn credential(&self, connection: Connection) -> Result<Option<Credential>, AppError> {
        self.note_trust(&connection);
        let login = match &connection.password {
            PasswordSource::Sealed(sealed) => Some(self.open(&connection, sealed)?),
            PasswordSource::DockerConfig => {
                let asked = self.credentials.helpers.login(&connection.server).await;
                asked.map_err(|reason| {
                    AppError::usage(
                        reason,
                        "Mend it, or give the connection a password of its own",
                    )
                })?
            }
        };
        Ok(login.map(|login| Credential {
            login,
            prefix: connection.prefix,
            pull_only: connection.pull_only,
            connection: Some(connection.name),
        }))
    }

    fn note_trust(&self, connection: &Connection) {
        if connection.authority.is_none() && !connection.plain_http {
            return;
        }
        let trust = Trust {
            authority: connection.authority.clone(),
            plain_http: connection.plain_http,
        };
        self.ports.registry.trust(&connection.server, &trust);
    }

    fn open(&self, connection: &Connection, sealed: &Sealed) -> Result<RegistryLogin, AppError> {
        let opened = self.vault.open(&connection.row(), sealed);
        let password = opened.map_err(|error| match error {
            VaultError::DoesNotOpen(_) => AppError::usage(
                format!(
                    "the password of connection {} does not open: it was sealed with another key",
                    connection.name
                ),
                format!(
                    "careen connection update {} --password-stdin sets it anew",
                    connection.name
                ),
            ),
            other => other.into(),
        })?;
        Ok(RegistryLogin {
            server: connection.server.clone(),
            username: connection.username.clone(),
            password,
        })
    }
}

/// Refuses names that would be trouble on a command line.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), AppError> {
    let is_fine = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    let starts_well = name.starts_with(|c: char| c.is_alphanumeric());
    if starts_well && name.chars().all(is_fine) && name.chars().count() <= LONGEST_NAME {
        return Ok(());
    }
    Err(AppError::usage(
        format!("{name:?} is no name for a {what}"),
        "Use letters, digits, - _ . and /, a letter or digit first",
    ))
}

fn no_connection(name: &str) -> AppError {
    AppError::usage(
        format!("there is no connection {name}"),
        "careen connection list shows those there are",
    )
}

fn draw_row_id() -> String {
    let mut bytes = [0; 8];
    rand::rng().fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a host as people write it: with or without a scheme, by any name that Docker Hub has.
fn host(text: &str) -> Result<String, AppError> {
    let bare = text
        .trim_start_matches("https://")
        .trim_start_matches("http://");
    let bare = match bare.trim_end_matches('/') {
        "index.docker.io/v1" | "index.docker.io" | "registry-1.docker.io" | "hub.docker.com" => {
            "docker.io"
        }
        other => other,
    };
    let read = Reference::parse(&format!("{bare}/x/y"));
    let host = read.ok().map(|it| it.domain).filter(|it| it == bare);
    host.map(|it| it.to_lowercase()).ok_or_else(|| {
        AppError::usage(
            format!("{text} is no host of a registry"),
            "Write it as in image names, such as r.example.com or r.example.com:5000; repositories go into --repository",
        )
    })
}

fn checked_prefix(server: &str, prefix: &str) -> Result<String, AppError> {
    let bare = prefix.trim_matches('/');
    let read = Reference::parse(&format!("{server}/{bare}"));
    let is_path = read.is_ok_and(|it| it.tag.is_none() && it.digest.is_none());
    match bare.is_empty() || is_path {
        true => Ok(bare.to_owned()),
        false => Err(AppError::usage(
            format!("{prefix} is no path of repositories"),
            "Write the beginning of their path, such as team or team/app",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_people_write_them() {
        for (text, expected) in [
            ("r.example.com", Some("r.example.com")),
            ("https://R.example.com/", Some("r.example.com")),
            ("localhost:5000", Some("localhost:5000")),
            ("127.0.0.1:5000", Some("127.0.0.1:5000")),
            ("https://index.docker.io/v1/", Some("docker.io")),
            ("docker.io", Some("docker.io")),
            ("r.example.com/team", None),
            ("-r.example.com", None),
            ("busybox", None),
            ("", None),
        ] {
            assert_eq!(host(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn prefixes_are_paths() {
        for (text, expected) in [
            ("team", Some("team")),
            ("/team/app/", Some("team/app")),
            ("", Some("")),
            ("Team", None),
            ("team:1", None),
            ("../x", None),
        ] {
            assert_eq!(
                checked_prefix("r.io", text).ok().as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn names_can_be_typed() {
        for name in ["ci", "team/ci-1", "ü"] {
            assert!(check_name("secret", name).is_ok(), "{name}");
        }
        for name in ["", "-x", "a b", "a\n", &"x".repeat(101)] {
            assert!(check_name("secret", name).is_err(), "{name}");
        }
    }
}
