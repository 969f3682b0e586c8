//! Puts back what a tag held where a push gave a list of images, one for each platform, that has the same content.
//!
//! What an engine has of such a list it does not tell, so the registry is asked once the list is there. Until the tag
//! is put back, nobody builds on it: the end of the run says what it holds.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;

use super::{dispatch::Env, unchanged::read_config};
use crate::{
    fleet::same_content,
    ports::{Manifest, Registry, RegistryError, Repository, Right, name_of},
    spec::reference::Reference,
};

/// How long the comparison may hold up a push.
const PATIENCE: Duration = Duration::from_secs(60);
/// What stands beside images in a list, and tells how they were made: that is different every time.
const ATTESTATION: &str = "vnd.docker.reference.type";

/// A list that a tag holds.
#[derive(Debug)]
pub struct HeldList {
    /// The image with its tag.
    pub image: Reference,
    /// The list.
    pub manifest: Manifest,
}

/// The list that the tag holds before a push. Only builds on bases that were decided ask.
pub(super) async fn held(env: &Arc<Env>, reference: &str) -> Option<HeldList> {
    if env.job.bases.is_empty() {
        return None;
    }
    let image = Reference::parse(reference).ok()?.with_default_tag();
    let at = env.job.keyring.repository(&image, Right::Pull).await;
    let manifest = env.ports.registry.manifest(&at, &name_of(&image)).await;
    let manifest = manifest.ok()?;
    let is_list = manifest.contents().ok()?.is_index();
    is_list.then_some(HeldList { image, manifest })
}

/// Lets the tag hold the earlier list again if what was pushed has the same content; gives its digest if it did so.
pub(super) async fn put_back(env: &Arc<Env>, held: &HeldList, pushed: &str) -> Option<String> {
    let at = env.job.keyring.repository(&held.image, Right::Push).await;
    let registry = &*env.ports.registry;
    let done = held.put_back((registry, &at), pushed);
    let done = tokio::time::timeout(PATIENCE, done).await.ok()?;
    // What cannot be compared is taken for different, and stays.
    done.ok()
        .filter(|it| *it)
        .map(|_| held.manifest.digest.clone())
}

impl HeldList {
    /// Lets the tag hold this list again if the one that was pushed, by its digest, has the same content on every
    /// platform; says whether it did so.
    pub async fn put_back(
        &self,
        (registry, at): (&dyn Registry, &Repository),
        pushed: &str,
    ) -> Result<bool, RegistryError> {
        if self.manifest.digest == pushed {
            return Ok(false);
        }
        let new = registry.manifest(at, pushed).await?;
        let before = images((registry, at), &self.manifest).await?;
        let after = images((registry, at), &new).await?;
        let is_same = before.is_some_and(|before| after.is_some_and(|it| is_alike(&before, &it)));
        if is_same {
            let name = name_of(&self.image);
            registry.put_manifest(at, &name, &self.manifest).await?;
        }
        Ok(is_same)
    }
}

/// The configurations of a list's images by their platforms; `None` for what is no list, or tells of no platform.
async fn images(
    (registry, at): (&dyn Registry, &Repository),
    list: &Manifest,
) -> Result<Option<BTreeMap<String, Value>>, RegistryError> {
    let mut found = BTreeMap::new();
    for entry in list.contents().unwrap_or_default().manifests {
        let notes = entry.annotations().as_ref();
        if notes.is_some_and(|it| it.contains_key(ATTESTATION)) {
            continue;
        }
        let manifest = registry.manifest(at, entry.digest().as_ref()).await?;
        let config = read_config((registry, at), &manifest).await?;
        let (Some(platform), Some(config)) = (entry.platform(), config) else {
            return Ok(None);
        };
        let variant = platform.variant().clone().unwrap_or_default();
        let name = format!("{}/{}/{variant}", platform.os(), platform.architecture());
        found.insert(name, config);
    }
    Ok(Some(found).filter(|it| !it.is_empty()))
}

fn is_alike(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> bool {
    before.len() == after.len()
        && before.iter().all(|(platform, one)| {
            after
                .get(platform)
                .is_some_and(|other| same_content(one, other))
        })
}
