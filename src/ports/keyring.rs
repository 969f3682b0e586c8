//! Which credential is for which repository.

use std::sync::Arc;

use async_trait::async_trait;

use super::{CredentialScopes, RegistryLogin, Repository, Right};
use crate::spec::reference::Reference;

/// Programs that keep logins for the docker client; asked only when a login is needed.
#[async_trait]
pub trait LoginHelpers: Send + Sync {
    /// Finds the login of a host; `Err` says why a program did not answer.
    async fn login(&self, host: &str) -> Result<Option<RegistryLogin>, String>;
    /// Lists the hosts that some login is kept for.
    async fn hosts(&self) -> Vec<String>;
}

/// A credential, and what it is for.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Host, user and password.
    pub login: RegistryLogin,
    /// The repositories it is for: those at or below this path; empty is all of them.
    pub prefix: String,
    /// Whether it must not be used to push or delete.
    pub pull_only: bool,
    /// The connection it comes from; `None` is the docker client's own login.
    pub connection: Option<String>,
}

impl Credential {
    /// Takes a login of the docker client for a credential of everything on its host.
    pub fn of_docker(login: RegistryLogin) -> Credential {
        Credential {
            login,
            prefix: String::new(),
            pull_only: false,
            connection: None,
        }
    }

    /// What it is called in messages.
    pub fn title(&self) -> String {
        let username = &self.login.username;
        match &self.connection {
            Some(name) => format!("connection {name} (user {username})"),
            None => format!("the docker client's own login (user {username})"),
        }
    }

    fn covers(&self, host: &str, path: &str) -> bool {
        let below = path.strip_prefix(self.prefix.as_str());
        let is_at = below
            .is_some_and(|rest| self.prefix.is_empty() || rest.is_empty() || rest.starts_with('/'));
        is_at && self.login.server.eq_ignore_ascii_case(host)
    }
}

/// All credentials that are at hand.
#[derive(Clone, Default)]
pub struct Keyring {
    credentials: Vec<Credential>,
    helpers: Option<Arc<dyn LoginHelpers>>,
    /// What those may use it for on whose behalf it is used.
    bounds: Vec<CredentialScopes>,
}

impl Keyring {
    /// Takes credentials, and whom to ask for more.
    pub fn new(credentials: Vec<Credential>, helpers: Option<Arc<dyn LoginHelpers>>) -> Keyring {
        Keyring {
            credentials,
            helpers,
            bounds: Vec::new(),
        }
    }

    /// Gives nothing any more beyond these bounds, each of which counts.
    pub fn within(self, bounds: Vec<CredentialScopes>) -> Keyring {
        Keyring { bounds, ..self }
    }

    fn allows(&self, host: &str, path: &str, right: Right) -> bool {
        self.bounds.iter().all(|it| it.allow(host, path, right))
    }

    /// Says whether a login may be given away for all that it is good for; who is told only hosts may use it for that.
    pub fn may_give_away(&self, credential: &Credential) -> bool {
        let most = match credential.pull_only {
            true => Right::Pull,
            false => Right::Push,
        };
        self.allows(&credential.login.server, &credential.prefix, most)
    }

    /// Those of these logins that may be given away.
    pub fn all_of_host(&self, logins: &[RegistryLogin]) -> Vec<RegistryLogin> {
        let mut logins = logins.to_vec();
        logins.retain(|it| self.may_give_away(&Credential::of_docker(it.clone())));
        logins
    }

    /// Finds the credential for a repository: the longest path wins, then a connection before the docker client's
    /// own login, and for anything but pulls one that may do more than pull.
    pub async fn find(&self, image: &Reference, right: Right) -> Option<Credential> {
        if !self.allows(&image.domain, &image.path, right) {
            return None;
        }
        match self.known(image, right) {
            Some(found) => Some(found.clone()),
            None => self.helped(&image.domain).await,
        }
    }

    fn known(&self, image: &Reference, right: Right) -> Option<&Credential> {
        let rank = |it: &&Credential| {
            let may = right == Right::Pull || !it.pull_only;
            (it.prefix.len(), may, it.connection.is_some())
        };
        let fitting = self.credentials.iter().rev();
        fitting
            .filter(|it| it.covers(&image.domain, &image.path))
            .max_by_key(rank)
    }

    async fn helped(&self, host: &str) -> Option<Credential> {
        let helpers = self.helpers.as_ref()?;
        match helpers.login(host).await {
            Ok(login) => login.map(Credential::of_docker),
            Err(reason) => {
                tracing::warn!("{reason}");
                None
            }
        }
    }

    /// The repository of an image with its credential.
    pub async fn repository(&self, image: &Reference, right: Right) -> Repository {
        let found = self.find(image, right).await;
        Repository::of(image, found.as_ref().map(|it| &it.login))
    }

    /// Logins for what can be told only hosts: for each host the one for these images, else the one for most of it.
    pub async fn by_host(&self, images: &[Reference]) -> Vec<RegistryLogin> {
        let mut logins = self.held_by_host(images);
        let Some(helpers) = &self.helpers else {
            return logins;
        };
        for host in helpers.hosts().await {
            if !logins.iter().any(|it| it.server == host) {
                let helped = self.helped(&host).await;
                let helped = helped.filter(|it| self.may_give_away(it));
                logins.extend(helped.map(|it| it.login));
            }
        }
        logins
    }

    /// Logins for the hosts of these images and no others, for eyes that must not see more; no helper is asked.
    pub fn only_for(&self, images: &[Reference]) -> Vec<RegistryLogin> {
        let mut logins = self.held_by_host(images);
        logins.retain(|login| {
            let mut hosts = images.iter().map(|it| &it.domain);
            hosts.any(|host| host.eq_ignore_ascii_case(&login.server))
        });
        logins
    }

    /// The same of what is held here; no helper is asked.
    pub fn held_by_host(&self, images: &[Reference]) -> Vec<RegistryLogin> {
        let named = images.iter().filter_map(|it| self.known(it, Right::Pull));
        let mut rest: Vec<&Credential> = self.credentials.iter().collect();
        rest.sort_by_key(|it| (it.prefix.len(), it.connection.is_none()));
        let mut logins: Vec<RegistryLogin> = Vec::new();
        for found in named.chain(rest).filter(|it| self.may_give_away(it)) {
            if !logins.iter().any(|it| it.server == found.login.server) {
                logins.push(found.login.clone());
            }
        }
        logins
    }

    /// Every login that is held here, to be hidden in logs.
    pub fn logins(&self) -> impl Iterator<Item = &RegistryLogin> {
        self.credentials.iter().map(|it| &it.login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(place: &str, name: &str, pull_only: bool) -> Credential {
        let (server, prefix) = place.split_once('/').unwrap_or((place, ""));
        let login = RegistryLogin {
            server: server.to_owned(),
            username: name.to_owned(),
            password: "x".into(),
        };
        Credential {
            login,
            prefix: prefix.to_owned(),
            pull_only,
            connection: (name != "docker").then(|| name.to_owned()),
        }
    }

    fn keyring() -> Keyring {
        let all = [
            ("r.io", "docker", false),
            ("r.io", "all", false),
            ("r.io/team", "team", false),
            ("r.io/team/app", "reader", true),
            ("r.io/both", "both-reader", true),
            ("r.io/both", "both-writer", false),
            ("other.io/deep/down", "down", false),
            ("docker.io", "docker", false),
        ];
        let all = all.map(|(place, name, pull_only)| credential(place, name, pull_only));
        Keyring::new(all.to_vec(), None)
    }

    fn image(text: &str) -> Reference {
        Reference::parse(text).unwrap()
    }

    #[tokio::test]
    async fn the_longest_path_wins_and_never_half_a_name() {
        for (text, right, found) in [
            ("r.io/x", Right::Pull, Some("all")),
            ("r.io/team/x", Right::Pull, Some("team")),
            ("r.io/teamwork/x", Right::Pull, Some("all")),
            ("r.io/team/app", Right::Pull, Some("reader")),
            ("r.io/team/app/deep:1", Right::Push, Some("reader")),
            ("r.io/both/x", Right::Push, Some("both-writer")),
            ("busybox", Right::Pull, Some("docker")),
            ("other.io/deep", Right::Pull, None),
            ("nobody.io/x", Right::Pull, None),
        ] {
            let credential = keyring().find(&image(text), right).await;
            let name = credential.map(|it| it.login.username);
            assert_eq!(name.as_deref(), found, "{text}");
        }
    }

    #[tokio::test]
    async fn what_knows_only_hosts_gets_one_login_for_each() {
        let by_host = |logins: Vec<RegistryLogin>| {
            let pairs = logins.into_iter().map(|it| (it.server, it.username));
            pairs.collect::<std::collections::BTreeMap<_, _>>()
        };
        let images = [image("r.io/team/x:1")];
        let all = by_host(keyring().by_host(&images).await);
        assert_eq!(all["r.io"], "team");
        assert_eq!(all["other.io"], "down");
        let few = by_host(keyring().only_for(&images));
        assert_eq!(few.into_keys().collect::<Vec<_>>(), ["r.io"]);
        assert_eq!(by_host(keyring().by_host(&[]).await)["r.io"], "all");
    }

    #[tokio::test]
    async fn beyond_its_bounds_a_keyring_gives_nothing_and_nothing_that_reaches_further() {
        let bound = |text: &str| {
            let words: Vec<String> = text.split(',').map(str::to_owned).collect();
            CredentialScopes::parse(&words).unwrap()
        };
        let bounds = vec![bound("pull:r.io/team,push:other.io"), bound("push:*")];
        let bounded = keyring().within(bounds.clone());
        for (text, right, found) in [
            ("r.io/team/x", Right::Pull, Some("team")),
            ("r.io/team/x", Right::Push, None),
            ("r.io/x", Right::Pull, None),
            ("other.io/deep/down", Right::Push, Some("down")),
            ("busybox", Right::Pull, None),
        ] {
            let credential = bounded.find(&image(text), right).await;
            let name = credential.map(|it| it.login.username);
            assert_eq!(name.as_deref(), found, "{text}");
        }
        // The login of `team` could push, and that of `both` is for more: neither is given where only hosts are told.
        let named = [image("r.io/team/x"), image("r.io/team/app")];
        let names = |logins: Vec<RegistryLogin>| {
            let names = logins.into_iter().map(|it| it.username);
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(bounded.by_host(&named).await), ["reader", "down"]);
        let docker = [credential("r.io", "docker", false).login];
        assert!(bounded.all_of_host(&docker).is_empty());
        let helped = Keyring::new(Vec::new(), Some(Arc::new(Helper))).within(bounds);
        assert!(helped.find(&image("new.io/x"), Right::Pull).await.is_none());
    }

    struct Helper;

    #[async_trait]
    impl LoginHelpers for Helper {
        async fn login(&self, host: &str) -> Result<Option<RegistryLogin>, String> {
            match host {
                "broken.io" => Err("it does not answer".to_owned()),
                _ => Ok(Some(credential(host, "helped", false).login)),
            }
        }

        async fn hosts(&self) -> Vec<String> {
            Vec::new()
        }
    }

    #[tokio::test]
    async fn a_helper_is_asked_where_nothing_is_known() {
        let keyring = Keyring::new(keyring().credentials, Some(Arc::new(Helper)));
        for (text, found) in [
            ("r.io/x", Some("all")),
            ("new.io/x", Some("helped")),
            ("broken.io/x", None),
        ] {
            let credential = keyring.find(&image(text), Right::Pull).await;
            assert_eq!(credential.map(|it| it.login.username).as_deref(), found);
        }
    }
}
