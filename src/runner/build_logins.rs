//! Which logins a build gets: builders ask for one by host alone, and a host may have several by repository.

use std::sync::Arc;

use super::{dispatch::Env, images, logging::LogSink};
use crate::{
    ports::{BuildError, BuildRequest, Credential, Right},
    spec::{dependencies::KnownBase, reference::Reference},
};

/// Gives a build, for each host, the login of the first image that it names there. What needs another login of the
/// same host, or one that reaches further than the run may, is fetched beforehand with its own.
pub(super) async fn settle(
    env: &Arc<Env>,
    request: &mut BuildRequest,
    bases: &[KnownBase],
    sink: &LogSink,
) -> Result<(), BuildError> {
    let mut given: Vec<Credential> = Vec::new();
    for (image, right) in named(request, bases) {
        let Some(found) = env.job.keyring.find(&image, right).await else {
            continue;
        };
        if !env.job.keyring.may_give_away(&found) {
            if right == Right::Pull {
                fetch(env, request, &image, sink).await?;
            }
            continue;
        }
        match given
            .iter()
            .find(|it| it.login.server == found.login.server)
        {
            None => given.push(found),
            Some(first) if is_same(first, &found) => {}
            Some(first) => {
                sink.say(&apart(first, &found, &image));
                if right == Right::Pull {
                    fetch(env, request, &image, sink).await?;
                }
            }
        }
    }
    for Credential { login, .. } in given {
        request.logins.retain(|it| it.server != login.server);
        request.logins.push(login);
    }
    Ok(())
}

/// Lists what the builder asks registries for, bases first.
fn named(request: &BuildRequest, bases: &[KnownBase]) -> Vec<(Reference, Right)> {
    let bases = bases.iter().filter_map(|base| {
        let image = Reference::parse(&base.image).ok()?;
        Some((with_digest(image, base.digest.as_deref()), Right::Pull))
    });
    let cache = |right| move |text: &String| Some((cached_at(text)?, right));
    let taken = request.cache_from.iter().filter_map(cache(Right::Pull));
    let left = request.cache_to.iter().chain(&request.kept_cache);
    bases
        .chain(taken)
        .chain(left.filter_map(cache(Right::Push)))
        .collect()
}

fn with_digest(mut image: Reference, digest: Option<&str>) -> Reference {
    if let Some(digest) = digest {
        image.digest = Some(digest.to_owned());
    }
    image
}

/// The image in `type=registry,ref=IMAGE`, or in a name alone.
fn cached_at(text: &str) -> Option<Reference> {
    let named = text.split(',').find_map(|part| part.strip_prefix("ref="));
    let image = named.or_else(|| (!text.contains('=')).then_some(text))?;
    Reference::parse(image).ok()
}

fn is_same(left: &Credential, right: &Credential) -> bool {
    left.connection == right.connection && left.login.username == right.login.username
}

fn apart(first: &Credential, other: &Credential, image: &Reference) -> String {
    format!(
        "A build has one login for a registry: at {} it uses {}, and {} is fetched with {}",
        first.login.server,
        first.title(),
        image.name(),
        other.title()
    )
}

/// Pulls an image that the builder could not, unless the engine has it.
async fn fetch(
    env: &Arc<Env>,
    request: &BuildRequest,
    image: &Reference,
    sink: &LogSink,
) -> Result<(), BuildError> {
    let name = image.to_string();
    if let Ok(Some(_)) = env.ports.images.image(&name).await {
        return Ok(());
    }
    let platform = request.platform.as_deref();
    images::pull(&env.ports, &env.job, &name, platform, sink).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::{StreamExt, stream};

    use super::*;

    #[test]
    fn bases_come_first_then_caches_and_other_kinds_of_cache_ask_nobody() {
        let nothing = Arc::new(|| stream::empty().boxed());
        let mut request = BuildRequest::new(nothing, "Dockerfile");
        request.cache_from = [
            "r.io/cache",
            "type=registry,ref=r.io/more:1",
            "type=local,src=x",
        ]
        .map(str::to_owned)
        .to_vec();
        request.cache_to = vec![
            "type=inline".to_owned(),
            "type=registry,ref=r.io/left".to_owned(),
        ];
        let digest = format!("sha256:{}", "a".repeat(64));
        let base = KnownBase {
            image: "r.io/base:1".to_owned(),
            digest: Some(digest.clone()),
            unknown: None,
            is_runtime: true,
        };
        let found = named(&request, &[base]);
        let found: Vec<_> = found
            .iter()
            .map(|(it, right)| (it.name(), *right))
            .collect();
        let expected = [
            ("r.io/base", Right::Pull),
            ("r.io/cache", Right::Pull),
            ("r.io/more", Right::Pull),
            ("r.io/left", Right::Push),
        ];
        assert_eq!(
            found,
            expected.map(|(name, right)| (name.to_owned(), right))
        );
    }
}
