//! A build request, in the engine's words.

use bollard::query_parameters::{BuildImageOptions, BuilderVersion};
use url::form_urlencoded::Serializer;

use crate::ports::BuildRequest;

/// What bollard's options can say.
pub(super) fn options(request: &BuildRequest, is_classic: bool) -> BuildImageOptions {
    let session = uuid::Uuid::new_v4().simple().to_string();
    BuildImageOptions {
        dockerfile: request.dockerfile.clone(),
        nocache: request.no_cache,
        cachefrom: Some(request.cache_from.clone()).filter(|list| !list.is_empty()),
        pull: request.pull.then(|| "true".to_string()),
        rm: true,
        forcerm: true,
        buildargs: Some(request.build_args.iter().cloned().collect()),
        squash: request.squash.then_some(true),
        labels: Some(request.labels.clone().into_iter().collect()),
        networkmode: request.network.clone(),
        platform: request.platform.clone().unwrap_or_default(),
        target: request.target.clone().unwrap_or_default(),
        version: if is_classic {
            BuilderVersion::BuilderV1
        } else {
            BuilderVersion::BuilderBuildKit
        },
        session: (!is_classic).then_some(session),
        ..Default::default()
    }
}

/// What they cannot: several tags and hosts, and sizes above 2 GiB.
pub(super) fn query(request: &BuildRequest) -> String {
    let mut query = Serializer::new(String::new());
    for tag in &request.tags {
        query.append_pair("t", tag);
    }
    for host in &request.extra_hosts {
        query.append_pair("extrahosts", host);
    }
    if let Some(bytes) = request.shm_size_bytes {
        query.append_pair("shmsize", &bytes.to_string());
    }
    if let Some(bytes) = request.memory_bytes {
        query.append_pair("memory", &bytes.to_string());
        // As much swap as memory again, as docker does.
        query.append_pair("memswap", &bytes.saturating_mul(2).to_string());
    }
    let query = query.finish();
    if query.is_empty() {
        query
    } else {
        format!("&{query}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::{StreamExt, stream};

    use super::*;

    fn request() -> BuildRequest {
        BuildRequest::new(Arc::new(|| stream::empty().boxed()), "Dockerfile")
    }

    #[test]
    fn tags_hosts_and_big_sizes_go_into_the_query() {
        let mut request = request();
        assert_eq!(query(&request), "");
        request.tags = vec!["h:5000/a:1".to_string(), "b".to_string()];
        request.extra_hosts = vec!["db:10.0.0.1".to_string()];
        request.memory_bytes = Some(4 << 30);
        let expected =
            "&t=h%3A5000%2Fa%3A1&t=b&extrahosts=db%3A10.0.0.1&memory=4294967296&memswap=8589934592";
        assert_eq!(query(&request), expected);
    }
}
