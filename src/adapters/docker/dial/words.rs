//! Why a connection cannot be had, in words that say what to do.

use std::io;

use rustls::{CertificateError, Error as TlsError};

use crate::ports::EngineError;

/// Somebody is there, but not for us, or not in this way.
pub(super) fn barred(address: &str, reason: String, advice: &str) -> io::Error {
    io::Error::other(EngineError::Barred {
        address: address.to_string(),
        reason,
        advice: advice.to_string(),
    })
}

/// Reads why two sides did not agree on TLS; `None` when it is about something else.
pub(in crate::adapters::docker) fn tls_error(
    error: &io::Error,
    address: &str,
) -> Option<EngineError> {
    let cause = error.get_ref()?.downcast_ref::<TlsError>()?;
    let advice = match cause {
        TlsError::InvalidMessage(_) => {
            "The engine does not speak TLS there: unset DOCKER_TLS_VERIFY, or name its TLS port in DOCKER_HOST"
        }
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "Name the engine in DOCKER_HOST as its certificate does",
        TlsError::InvalidCertificate(_) => {
            "Put the certificate of the authority that signed the engine's into ca.pem of DOCKER_CERT_PATH"
        }
        TlsError::AlertReceived(_) => {
            "The engine wants a certificate that it trusts: put cert.pem and key.pem into DOCKER_CERT_PATH"
        }
        _ => return None,
    };
    Some(EngineError::Barred {
        address: address.to_string(),
        reason: cause.to_string(),
        advice: advice.to_string(),
    })
}

/// There is no `ssh` to call.
pub(super) fn no_ssh_program(destination: &str) -> io::Error {
    barred(
        &format!("ssh://{destination}"),
        "there is no program ssh on this machine".to_string(),
        "Install it (Debian: apt-get install openssh-client), or set DOCKER_HOST to an engine reached otherwise",
    )
}

/// Reads the last words of an `ssh` that ended before anything came.
pub(super) fn ssh_error(said: &str, destination: &str) -> io::Error {
    let address = format!("ssh://{destination}");
    let reason = last_line(said);
    let lower = said.to_lowercase();
    let says = |words: &str| lower.contains(words);
    let user_and_host = destination
        .rsplit_once(':')
        .map_or(destination, |(host, _)| host);
    if says("dial unix") && says("permission denied") {
        return io::Error::other(EngineError::PermissionDenied { address });
    }
    let advice = if says("docker: not found") || says("docker: command not found") {
        "Install the docker command on that machine, where its non-interactive shells look for programs".to_string()
    } else if says("dial unix") || says("cannot connect to the docker daemon") {
        "SSH works, but no engine runs there: start it, as with `systemctl start docker`"
            .to_string()
    } else if says("host key verification failed") {
        format!("Call `ssh {user_and_host}` once by hand to see and accept the machine's key")
    } else if says("permission denied (") || says("too many authentication failures") {
        format!(
            "Make `ssh {user_and_host}` work without a password: ssh-add your key, or name it as IdentityFile in \
             ~/.ssh/config"
        )
    } else {
        return io::Error::other(EngineError::Unreachable { address, reason });
    };
    barred(&address, reason, &advice)
}

fn last_line(said: &str) -> String {
    let last = said
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or("ssh ended without a word");
    last.trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(said: &str) -> (String, String) {
        let error = ssh_error(said, "me@host:22").into_inner().expect("a cause");
        match *error.downcast::<EngineError>().expect("an error of ours") {
            EngineError::Barred { reason, advice, .. } => (reason, advice),
            other => (other.to_string(), String::new()),
        }
    }

    #[test]
    fn the_last_words_of_ssh_become_an_advice() {
        for (said, advice) in [
            (
                "sh: 1: eval: docker: not found",
                "Install the docker command",
            ),
            (
                "bash: line 1: docker: command not found\n",
                "Install the docker command",
            ),
            (
                "dial unix /x.sock: connect: no such file or directory",
                "start it",
            ),
            ("Host key verification failed.", "`ssh me@host` once"),
            (
                "me@host: Permission denied (publickey,password).",
                "ssh-add your key",
            ),
        ] {
            let (reason, found) = read(said);
            assert!(found.contains(advice), "{said}: {found}");
            assert_eq!(reason, said.trim().trim_end_matches('.'));
        }
    }

    #[test]
    fn a_socket_that_is_not_theirs_and_a_host_that_is_not_there_are_what_they_are_without_ssh() {
        let (socket, _) = read("x: dial unix /var/run/docker.sock: connect: permission denied");
        assert_eq!(
            socket,
            "no permission to use the Docker Engine at ssh://me@host:22"
        );
        let (host, _) = read("ssh: Could not resolve hostname host: Name or service not known\r\n");
        assert!(
            host.starts_with("no Docker Engine answers at ssh://me@host:22: ssh: Could"),
            "{host}"
        );
        assert!(read("").0.ends_with("without a word"));
    }
}
