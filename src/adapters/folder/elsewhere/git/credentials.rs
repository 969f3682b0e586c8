//! Who we say we are: a token for the host that the user named, a key for ssh, nothing for anybody else.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use git2::{Cred, CredentialType, Error};
use secrecy::ExposeSecret;
use url::{Host, Url};

use super::{address::host_of, session::Session};

/// The user beside a token, where none was given; code hosts look at the token only.
const TOKEN_USER: &str = "x-access-token";
/// The user of ssh where the address names none.
const SSH_USER: &str = "git";
/// The names of ssh keys that are tried after the agent's.
const SSH_KEYS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// Answers one connection's questions, each answer once: git asks again for as long as it gets one.
pub struct Credentials<'a> {
    session: &'a Session,
    is_trusted: bool,
    has_given_login: bool,
    has_asked_agent: bool,
    keys: std::vec::IntoIter<PathBuf>,
}

impl<'a> Credentials<'a> {
    /// Answers for a connection to this address.
    pub fn new(session: &'a Session, url: &str) -> Credentials<'a> {
        let is_own_host = host_of(url) == host_of(&session.root_url);
        Credentials {
            session,
            is_trusted: is_own_host && is_private_talk(url),
            has_given_login: false,
            has_asked_agent: false,
            keys: ssh_keys().into_iter(),
        }
    }

    /// Gives the next answer, or none.
    pub fn next(
        &mut self,
        _url: &str,
        user: Option<&str>,
        allowed: CredentialType,
    ) -> Result<Cred, Error> {
        let user = user.unwrap_or(SSH_USER);
        if allowed.contains(CredentialType::USERNAME) {
            return Cred::username(user);
        }
        if allowed.contains(CredentialType::USER_PASS_PLAINTEXT)
            && let Some(login) = self.session.access.login.as_ref()
            && self.is_trusted
            && !std::mem::replace(&mut self.has_given_login, true)
        {
            let user = Some(login.username.as_str()).filter(|it| !it.is_empty());
            let password = login.password.expose_secret();
            return Cred::userpass_plaintext(user.unwrap_or(TOKEN_USER), password);
        }
        if allowed.contains(CredentialType::SSH_KEY) {
            if !std::mem::replace(&mut self.has_asked_agent, true) {
                return Cred::ssh_key_from_agent(user);
            }
            if let Some(key) = self.keys.next() {
                return Cred::ssh_key(user, None, &key, None);
            }
        }
        Err(Error::new(
            git2::ErrorCode::Auth,
            git2::ErrorClass::Callback,
            "there is no other login to try",
        ))
    }
}

/// Says whether nobody else hears what is said: by TLS or ssh, or within this machine.
fn is_private_talk(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        // `USER@HOST:PATH` is ssh.
        return true;
    };
    match url.scheme() {
        "https" | "ssh" => true,
        "http" => match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
            None => false,
        },
        _ => false,
    }
}

fn ssh_keys() -> Vec<PathBuf> {
    let folder = dirs::home_dir().map(|home| home.join(".ssh"));
    let keys = folder
        .iter()
        .flat_map(|folder| SSH_KEYS.map(|name| folder.join(name)));
    keys.filter(|key| Path::is_file(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::is_private_talk;

    #[test]
    fn a_token_is_said_only_where_nobody_else_hears_it() {
        for (url, expected) in [
            ("https://h.io/a.git", true),
            ("ssh://git@h.io/a", true),
            ("git@h.io:a", true),
            ("http://127.0.0.1:81/a.git", true),
            ("http://[::1]/a.git", true),
            ("http://h.io/a.git", false),
            ("http://127.0.0.1.h.io/a.git", false),
            ("git://h.io/a", false),
        ] {
            assert_eq!(is_private_talk(url), expected, "{url}");
        }
    }
}
