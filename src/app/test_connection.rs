//! What a credential may do, asked by a person.

use super::{App, AppError};
use crate::{
    ports::{Credential, RegistryLogin, Repository, Right},
    runner::{Examination, examine},
    spec::reference::Reference,
};

impl App {
    /// Examines a repository (`HOST/REPOSITORY`), a registry (`HOST`) or where a connection leads, with the credential
    /// that a run would take, or with a named connection's.
    pub async fn test_connection(
        &self,
        place: &str,
        connection: Option<&str>,
        docker: &[RegistryLogin],
    ) -> Result<Examination, AppError> {
        let all = self.credentials.connections.connections().await?;
        let named = all.into_iter().find(|it| it.name == place);
        let (place, connection) = match &named {
            Some(found) => (found.place(), Some(found.name.as_str())),
            None => (place.to_owned(), connection),
        };
        let (host, path) = split(&place)?;
        let credential = match connection {
            Some(name) => self.credential(self.connection(name).await?).await?,
            None => self.taken_by_runs((&host, &path), docker).await?,
        };
        let at = Repository {
            host,
            path,
            login: credential.as_ref().map(|it| it.login.clone()),
        };
        Ok(examine(self.ports.registry.as_ref(), &at, credential.as_ref()).await)
    }

    async fn taken_by_runs(
        &self,
        (host, path): (&str, &str),
        docker: &[RegistryLogin],
    ) -> Result<Option<Credential>, AppError> {
        let image = Reference {
            domain: host.to_owned(),
            path: path.to_owned(),
            tag: None,
            digest: None,
        };
        let keyring = self.keyring(docker).await?;
        Ok(keyring.find(&image, Right::Pull).await)
    }
}

/// Splits `HOST[/PATH]`; what looks like no host is a repository of the default registry.
fn split(place: &str) -> Result<(String, String), AppError> {
    let bare = place
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let looks_like_host = |word: &str| word.contains(['.', ':']) || word == "localhost";
    if !bare.contains('/') && looks_like_host(bare) {
        let read = Reference::parse(&format!("{bare}/x/y"));
        if read.is_ok_and(|it| it.domain == bare) {
            return Ok((bare.to_lowercase(), String::new()));
        }
    }
    match Reference::parse(bare) {
        Ok(image) => Ok((image.domain, image.path)),
        Err(error) => Err(AppError::usage(
            format!("{place} names no repository: {error}"),
            "Write HOST/REPOSITORY, HOST, or the name of a connection",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_place_is_a_host_or_a_repository() {
        for (place, host, path) in [
            ("r.io", "r.io", ""),
            ("https://r.io/", "r.io", ""),
            ("localhost:5000", "localhost:5000", ""),
            ("r.io/team/app", "r.io", "team/app"),
            ("r.io/team/app:1", "r.io", "team/app"),
            ("localhost/app", "localhost", "app"),
            ("busybox", "docker.io", "library/busybox"),
            ("me/app", "docker.io", "me/app"),
        ] {
            assert_eq!(
                split(place).unwrap(),
                (host.to_owned(), path.to_owned()),
                "{place}"
            );
        }
        assert!(split("A B").is_err());
    }
}
