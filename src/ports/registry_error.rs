//! What can go wrong with a registry, told apart as far as registries let us, each with what to try.

use std::time::Duration;

use super::Right;

/// Why a registry did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The repository is there, the tag or digest is not.
    #[error("{image} is not in its registry: the repository has no such tag or digest")]
    NoSuchTag {
        /// The image.
        image: String,
    },
    /// There is no such repository.
    #[error("{repository} is not in its registry: there is no such repository")]
    NoSuchRepository {
        /// Host and path.
        repository: String,
    },
    /// The image is not there for this platform.
    #[error("{image} is not there for {platform}, only for {}", .there.join(", "))]
    NoSuchPlatform {
        /// The image.
        image: String,
        /// What was asked for.
        platform: String,
        /// What there is.
        there: Vec<String>,
    },
    /// The blob is not there.
    #[error("{repository} has no blob {digest}")]
    NoSuchBlob {
        /// Host and path.
        repository: String,
        /// The blob.
        digest: String,
    },
    /// The registry wants a login, and there is none.
    #[error("{host} wants a login to {right} {repository}, and there is none for it")]
    NoLogin {
        /// The host.
        host: String,
        /// The path.
        repository: String,
        /// What was to be done.
        right: Right,
    },
    /// The registry does not take the password.
    #[error("{host} refuses the login of {username}{}", because(.reason))]
    LoginRefused {
        /// The host.
        host: String,
        /// The user.
        username: String,
        /// What the registry said; may be empty.
        reason: String,
    },
    /// The login is good and may not do this.
    #[error("{host} does not let {} {right} {repository}{}", who(.username), because(.reason))]
    Denied {
        /// The host.
        host: String,
        /// The path.
        repository: String,
        /// The right that is missing.
        right: Right,
        /// The user, if there was a login.
        username: Option<String>,
        /// What the registry said; may be empty.
        reason: String,
    },
    /// Nobody answers.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// The connection cannot be trusted.
    #[error("the connection to {host} cannot be trusted: {reason}")]
    Tls {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// The registry leads somewhere that credentials must not go.
    #[error("{host} leads to {target}, {reason}")]
    Astray {
        /// The host.
        host: String,
        /// Where it leads.
        target: String,
        /// Why that is refused.
        reason: String,
    },
    /// The registry or the network falters; later it may work.
    #[error("{host} falters: {reason}")]
    Busy {
        /// The host.
        host: String,
        /// What it said.
        reason: String,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The registry does not do such things.
    #[error("{host} does not support this: {reason}")]
    Unsupported {
        /// The host.
        host: String,
        /// What it said.
        reason: String,
    },
    /// The bytes are not those that the digest names.
    #[error("{host} sent bytes that are not {digest}")]
    Corrupt {
        /// The host.
        host: String,
        /// The digest.
        digest: String,
    },
    /// The registry answers what no registry should.
    #[error("{host} does not answer as a registry should: {reason}")]
    Odd {
        /// The host.
        host: String,
        /// What it said.
        reason: String,
    },
}

fn because(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    }
}

fn who(username: &Option<String>) -> &str {
    username.as_deref().unwrap_or("those without a login")
}

impl RegistryError {
    /// Says whether another try may help.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            RegistryError::Unreachable { .. }
                | RegistryError::Busy { .. }
                | RegistryError::Corrupt { .. }
        )
    }

    /// How long the registry asks us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            RegistryError::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            RegistryError::NoSuchTag { .. } => {
                "Check the tag; is it pushed by an earlier step, under this very name?".to_owned()
            }
            RegistryError::NoSuchRepository { .. } => {
                "Check the name; some registries also say this to those who may not see it"
                    .to_owned()
            }
            RegistryError::NoSuchPlatform { .. } => {
                "Choose one of these platforms, or have the image built for yours".to_owned()
            }
            RegistryError::NoSuchBlob { .. } => {
                "The image is incomplete in its registry; push it there again".to_owned()
            }
            RegistryError::NoLogin { host, .. } => format!(
                "Add one with `careen connection add NAME --server {host} --username USER`, or log in with the docker client"
            ),
            RegistryError::LoginRefused { host, .. } => format!(
                "The password or token is wrong or has expired; set a new one with `careen connection update`, and see `careen connection test {host}`"
            ),
            RegistryError::Denied {
                host,
                repository,
                right,
                username,
                ..
            } => match username {
                Some(username) => format!(
                    "Have {username} given the {right} right on {repository} (or check the name), or use another credential for {host}/{repository}"
                ),
                None => format!(
                    "Add a credential with the {right} right: `careen connection add NAME --server {host} --username USER`"
                ),
            },
            RegistryError::Unreachable { .. } => {
                "Check the registry's address and that this machine can reach it".to_owned()
            }
            RegistryError::Tls { host, .. } => format!(
                "If {host} has a certificate of a private authority, put that authority's certificate into /etc/docker/certs.d/{host}/ca.crt or name it with --ca-file on its connection"
            ),
            RegistryError::Astray { .. } => {
                "Credentials are not sent there; have the registry's configuration corrected"
                    .to_owned()
            }
            RegistryError::Busy { .. } => "Try again later".to_owned(),
            RegistryError::Unsupported { .. } => {
                "See whether it can be turned on in the registry's configuration".to_owned()
            }
            RegistryError::Corrupt { .. } => {
                "Something between here and the registry changes what is sent".to_owned()
            }
            RegistryError::Odd { .. } => "Check that this is the address of a registry".to_owned(),
        }
    }
}
