//! What registries in memory hold, and whom they let in.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use secrecy::ExposeSecret;

use super::Repositories;
use crate::ports::{Manifest, RegistryError, Repository, Right};

/// All registries there are.
#[derive(Default)]
pub(super) struct Hosts {
    pub(super) open: BTreeMap<String, Host>,
    pub(super) faults: VecDeque<RegistryError>,
    pub(super) upload_faults: VecDeque<RegistryError>,
    pub(super) written_bytes: u64,
}

/// One registry.
#[derive(Default)]
pub(super) struct Host {
    /// Passwords and rights by name; nobody's means everybody may do everything.
    pub(super) users: BTreeMap<String, (String, Vec<Right>)>,
    repositories: Repositories,
}

/// What one repository holds.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) tags: BTreeMap<String, String>,
    pub(super) manifests: BTreeMap<String, Manifest>,
    pub(super) blobs: BTreeMap<String, Bytes>,
}

impl Hosts {
    /// Meets a fault if one is due, and checks who is there and what they may do.
    pub(super) fn enter(
        &mut self,
        at: &Repository,
        right: Option<Right>,
    ) -> Result<&mut Host, RegistryError> {
        if let Some(fault) = self.faults.pop_front() {
            return Err(fault);
        }
        let host = self.find(&at.host)?;
        host.admit(at, right)?;
        Ok(host)
    }

    /// Finds a registry.
    pub(super) fn find(&mut self, host: &str) -> Result<&mut Host, RegistryError> {
        let found = self.open.get_mut(host);
        found.ok_or_else(|| RegistryError::Unreachable {
            host: host.to_owned(),
            reason: "no such host".to_owned(),
        })
    }

    /// Finds a repository.
    pub(super) fn repository(
        &mut self,
        at: &Repository,
        right: Right,
    ) -> Result<&mut Kept, RegistryError> {
        let found = self.enter(at, Some(right))?.repositories.get_mut(&at.path);
        found.ok_or_else(|| RegistryError::NoSuchRepository {
            repository: at.name(),
        })
    }

    /// Finds a repository to write to, or makes it.
    pub(super) fn make_repository(&mut self, at: &Repository) -> Result<&mut Kept, RegistryError> {
        let host = self.enter(at, Some(Right::Push))?;
        Ok(host.repositories.entry(at.path.clone()).or_default())
    }
}

impl Host {
    fn admit(&self, at: &Repository, right: Option<Right>) -> Result<(), RegistryError> {
        let (host, repository) = (at.host.clone(), at.path.clone());
        let wanted = right.unwrap_or(Right::Pull);
        let Some(login) = &at.login else {
            return match self.users.is_empty() {
                true => Ok(()),
                false => Err(RegistryError::NoLogin {
                    host,
                    repository,
                    right: wanted,
                }),
            };
        };
        let username = login.username.clone();
        let Some((password, rights)) = self.users.get(&username) else {
            return match self.users.is_empty() {
                true => Ok(()),
                false => Err(refused(host, username)),
            };
        };
        if password != login.password.expose_secret() {
            return Err(refused(host, username));
        }
        if right.is_none_or(|right| rights.contains(&right)) {
            return Ok(());
        }
        Err(RegistryError::Denied {
            host,
            repository,
            right: wanted,
            username: Some(username),
            reason: String::new(),
        })
    }
}

fn refused(host: String, username: String) -> RegistryError {
    RegistryError::LoginRefused {
        host,
        username,
        reason: String::new(),
    }
}

impl Kept {
    /// Checks that everything a manifest lists is there, as registries do.
    pub(super) fn check(&self, manifest: &Manifest) -> Result<(), String> {
        let contents = manifest.contents()?;
        let blobs = contents
            .blobs()
            .into_iter()
            .map(|it| it.digest().to_string());
        let missing_blob = blobs.into_iter().find(|it| !self.blobs.contains_key(it));
        let manifests = contents.manifests.iter().map(|it| it.digest().to_string());
        let missing = manifests
            .into_iter()
            .find(|it| !self.manifests.contains_key(it));
        match missing_blob.or(missing) {
            Some(digest) => Err(format!("{digest} is listed and not there")),
            None => Ok(()),
        }
    }
}
