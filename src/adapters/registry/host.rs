//! One registry host: its address, whether it speaks https, and the client for it.

use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};

use reqwest::{Certificate, Client, ClientBuilder, redirect::Policy};
use url::Url;

use super::{HttpRegistry, Terms, refusals::unsent};
use crate::{
    ports::{RegistryError, Trust},
    spec::reference::DEFAULT_DOMAIN,
};

/// Where the default registry really is.
const DEFAULT_HOST: &str = "registry-1.docker.io";
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long nothing may come before a connection counts as dead.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// A host that was reached once.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// `https://host/` or `http://host/`.
    pub(super) base: Url,
    /// The client; it follows no redirects, for each must be looked at.
    pub(super) client: Client,
    /// The same for uploads, which are answered only after their last byte.
    pub(super) uploads: Client,
}

impl HttpRegistry {
    /// Finds out how a host is spoken to, once.
    pub(super) async fn host(&self, name: &str) -> Result<Host, RegistryError> {
        let cell = {
            let mut hosts = self.hosts.lock().expect("no one panics with this lock");
            Arc::clone(hosts.entry(name.to_lowercase()).or_default())
        };
        let trust = self.trust_in(name);
        let found = cell
            .get_or_try_init(|| reach(name, &self.terms, &trust))
            .await;
        found.cloned()
    }

    /// Takes note of how a host is trusted; what was found out about it is found out again if that has changed.
    pub(super) fn note(&self, name: &str, trust: &Trust) {
        if self.trust_in(name) == *trust {
            return;
        }
        let (key, trust) = (name.to_lowercase(), trust.clone());
        let mut trusted = self.trusted.lock().expect("no one panics with this lock");
        trusted.insert(key.clone(), trust);
        let mut hosts = self.hosts.lock().expect("no one panics with this lock");
        hosts.remove(&key);
    }

    fn trust_in(&self, name: &str) -> Trust {
        let trusted = self.trusted.lock().expect("no one panics with this lock");
        trusted
            .get(&name.to_lowercase())
            .cloned()
            .unwrap_or_default()
    }
}

/// Tries https, and plain http where that is allowed and nobody there speaks TLS.
async fn reach(name: &str, terms: &Terms, trust: &Trust) -> Result<Host, RegistryError> {
    let client = || client(name, terms, trust);
    let built = |it: ClientBuilder| it.build().map_err(|error| broken(name, error.to_string()));
    let host = Host {
        base: base("https", name)?,
        client: built(client()?.read_timeout(SILENCE_TIMEOUT))?,
        uploads: built(client()?)?,
    };
    if !trust.plain_http && !is_this_machine(name) {
        return Ok(host);
    }
    match answers(&host).await {
        Ok(()) => Ok(host),
        // A certificate that does not fit is no reason to go without one.
        Err(error @ RegistryError::Tls { .. }) if speaks_tls(&error) => Err(error),
        Err(error) => {
            let plain = Host {
                base: base("http", name)?,
                ..host
            };
            answers(&plain).await.map_err(|_| error)?;
            Ok(plain)
        }
    }
}

async fn answers(host: &Host) -> Result<(), RegistryError> {
    let url = host.base.join("v2/").expect("a path that is always fine");
    let sent = host.client.get(url.clone()).send().await;
    sent.map(drop).map_err(|error| unsent(&url, &error))
}

/// Tells a certificate that is refused from a peer that speaks no TLS at all.
fn speaks_tls(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Tls { reason, .. } if reason.contains("certificate"))
}

fn base(scheme: &str, name: &str) -> Result<Url, RegistryError> {
    let real = if name == DEFAULT_DOMAIN {
        DEFAULT_HOST
    } else {
        name
    };
    Url::parse(&format!("{scheme}://{real}/")).map_err(|error| RegistryError::Odd {
        host: name.to_owned(),
        reason: format!("the address is not one: {error}"),
    })
}

fn is_this_machine(name: &str) -> bool {
    let host = name.rsplit_once(':').map_or(name, |(host, _)| host);
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|it| it.is_loopback())
}

fn broken(name: &str, reason: String) -> RegistryError {
    RegistryError::Tls {
        host: name.to_owned(),
        reason,
    }
}

fn client(name: &str, terms: &Terms, trust: &Trust) -> Result<ClientBuilder, RegistryError> {
    let certificates = authorities(name, terms, trust);
    let certificates = certificates.map_err(|reason| broken(name, reason))?;
    Ok(Client::builder()
        .tls_certs_merge(certificates)
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        // A blob is what its digest says, packed or not.
        .no_gzip()
        .user_agent(concat!("careen/", env!("CARGO_PKG_VERSION"))))
}

/// Reads the certificates of the private authorities that vouch for a host.
fn authorities(name: &str, terms: &Terms, trust: &Trust) -> Result<Vec<Certificate>, String> {
    let mut texts: Vec<Vec<u8>> = terms
        .certificates
        .iter()
        .flat_map(|it| files(&it.join(name)))
        .collect();
    texts.extend(trust.authority.as_ref().map(|pem| pem.as_bytes().to_vec()));
    let mut found = Vec::new();
    for text in texts {
        let read = Certificate::from_pem_bundle(&text);
        found.extend(
            read.map_err(|error| format!("the authority's certificate cannot be read: {error}"))?,
        );
    }
    Ok(found)
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new(); // most hosts have none
    };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|it| it == "crt"))
        .filter_map(|path| std::fs::read(path).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_name_and_addresses() {
        for (name, is_it) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.9.9.9", true),
            ("r.lan", false),
            ("localhost.example.com", false),
            ("10.0.0.1:5000", false),
            ("docker.io", false),
        ] {
            assert_eq!(is_this_machine(name), is_it, "{name}");
        }
    }

    #[test]
    fn the_default_registry_is_elsewhere() {
        let url = base("https", "docker.io").unwrap();
        assert_eq!(url.as_str(), "https://registry-1.docker.io/");
        assert!(base("https", "a b").is_err());
    }
}
