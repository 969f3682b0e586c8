//! Where the engine is: `DOCKER_HOST` and its companions.

use std::path::PathBuf;

use crate::ports::EngineError;

/// The socket that Docker's packages make.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// Where the engine is and how to speak with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A Unix socket.
    Unix(String),
    /// `host:port` without encryption.
    Http(String),
    /// `host:port` with TLS; the folder holds `ca.pem`, `cert.pem` and `key.pem`.
    Tls {
        /// The host and port.
        host: String,
        /// The folder of certificates.
        certificates: PathBuf,
    },
    /// `user@host:port`, through the `ssh` program.
    Ssh(String),
}

impl Address {
    /// Reads the address from `host`, else from the environment, as the docker command does.
    pub(super) fn resolve(
        host: Option<&str>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Address, EngineError> {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let Some(host) = host.map(str::to_string).or_else(|| set("DOCKER_HOST")) else {
            return Ok(Address::Unix(DEFAULT_SOCKET.to_string()));
        };
        let Some((scheme, rest)) = host.split_once("://") else {
            return Err(unsupported(&host));
        };
        let rest = rest.trim_end_matches('/');
        let tls = || Address::Tls {
            host: with_port(rest, 2376),
            certificates: certificates(&set),
        };
        match scheme {
            _ if rest.is_empty() => Err(unsupported(&host)),
            "unix" => Ok(Address::Unix(rest.to_string())),
            "ssh" => Ok(Address::Ssh(rest.to_string())),
            "https" => Ok(tls()),
            "tcp" | "http" if set("DOCKER_TLS_VERIFY").is_some() => Ok(tls()),
            "tcp" | "http" => Ok(Address::Http(with_port(rest, 2375))),
            _ => Err(unsupported(&host)),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Unix(path) => write!(formatter, "unix://{path}"),
            Address::Http(host) => write!(formatter, "tcp://{host}"),
            Address::Tls { host, .. } => write!(formatter, "tcp://{host} (TLS)"),
            Address::Ssh(host) => write!(formatter, "ssh://{host}"),
        }
    }
}

fn with_port(host: &str, port: u16) -> String {
    let after_brackets = host.rsplit(']').next().unwrap_or(host);
    if after_brackets.contains(':') {
        host.to_string()
    } else {
        format!("{host}:{port}")
    }
}

fn certificates(set: &impl Fn(&str) -> Option<String>) -> PathBuf {
    match set("DOCKER_CERT_PATH").or_else(|| set("DOCKER_CONFIG")) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(set("HOME").unwrap_or_default()).join(".docker"),
    }
}

fn unsupported(host: &str) -> EngineError {
    EngineError::Other(format!(
        "DOCKER_HOST {host:?} is not an address of an engine: write unix:///path, tcp://host:port or ssh://user@host"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(pairs: &[(&str, &str)]) -> Result<String, EngineError> {
        let find = |name: &str| {
            let pair = pairs.iter().find(|pair| pair.0 == name);
            pair.map(|pair| pair.1.to_string())
        };
        Address::resolve(None, find).map(|address| format!("{address:?}"))
    }

    #[test]
    fn an_address_is_read_as_the_docker_command_reads_it() {
        let tls = r#"Tls { host: "h:2376", certificates: "/c" }"#;
        let home = r#"Tls { host: "h:1", certificates: "/root/.docker" }"#;
        for (pairs, expected) in [
            (vec![], r#"Unix("/var/run/docker.sock")"#),
            (vec![("DOCKER_HOST", "")], r#"Unix("/var/run/docker.sock")"#),
            (
                vec![("DOCKER_HOST", "unix:///a.sock")],
                r#"Unix("/a.sock")"#,
            ),
            (vec![("DOCKER_HOST", "tcp://h")], r#"Http("h:2375")"#),
            (
                vec![("DOCKER_HOST", "tcp://[::1]")],
                r#"Http("[::1]:2375")"#,
            ),
            (
                vec![("DOCKER_HOST", "tcp://[::1]:9/")],
                r#"Http("[::1]:9")"#,
            ),
            (vec![("DOCKER_HOST", "ssh://u@h:22")], r#"Ssh("u@h:22")"#),
            (
                vec![
                    ("DOCKER_HOST", "tcp://h"),
                    ("DOCKER_TLS_VERIFY", "1"),
                    ("DOCKER_CERT_PATH", "/c"),
                ],
                tls,
            ),
            (
                vec![("DOCKER_HOST", "https://h:1"), ("HOME", "/root")],
                home,
            ),
        ] {
            assert_eq!(resolve(&pairs).as_deref(), Ok(expected), "{pairs:?}");
        }
    }

    #[test]
    fn an_address_of_no_known_form_is_refused_with_the_forms_that_are() {
        for host in [
            "/var/run/docker.sock",
            "h:2375",
            "fd://",
            "unix://",
            "npipe:////./pipe/d",
        ] {
            let refused = resolve(&[("DOCKER_HOST", host)])
                .expect_err(host)
                .to_string();
            assert!(
                refused.contains(host) && refused.contains("unix:///path"),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_given_host_wins_over_the_environment() {
        let address = Address::resolve(Some("unix:///mine"), |_| Some("tcp://other".into()));
        assert_eq!(address, Ok(Address::Unix("/mine".into())));
    }
}
