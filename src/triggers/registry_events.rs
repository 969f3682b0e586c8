//! What registries tell of pushes: Distribution events, Docker Hub, Harbor, ACR and GitHub packages.

use serde_json::Value;

/// The host that Docker Hub's own images are named with.
const DOCKER_HUB: &str = "docker.io";
/// The host of GitHub's packages.
const GITHUB: &str = "ghcr.io";

/// An image that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Host and path.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// The digest, where the registry says it.
    pub digest: Option<String>,
}

/// Reads which tags were pushed; empty for anything else that a registry tells.
pub fn registry_events(body: &Value) -> Vec<Pushed> {
    if let Some(events) = body["events"].as_array() {
        return events.iter().filter_map(distribution).collect();
    }
    if body["push_data"].is_object() {
        return docker_hub(body).into_iter().collect();
    }
    if body["event_data"].is_object() {
        return harbor(body);
    }
    for name in ["package", "registry_package"] {
        if body[name].is_object() {
            return github(body, name).into_iter().collect();
        }
    }
    distribution(body).into_iter().collect()
}

/// One event of the reference registry; ACR sends the same, alone.
fn distribution(event: &Value) -> Option<Pushed> {
    let target = &event["target"];
    if event["action"] != "push" {
        return None;
    }
    let host = event["request"]["host"].as_str()?;
    Some(Pushed {
        repository: format!("{host}/{}", target["repository"].as_str()?),
        tag: target["tag"].as_str()?.to_owned(),
        digest: text(&target["digest"]),
    })
}

fn docker_hub(body: &Value) -> Option<Pushed> {
    let name = body["repository"]["repo_name"].as_str()?;
    let path = match name.contains('/') {
        true => name.to_owned(),
        false => format!("library/{name}"),
    };
    Some(Pushed {
        repository: format!("{DOCKER_HUB}/{path}"),
        tag: text(&body["push_data"]["tag"])?,
        digest: None,
    })
}

fn harbor(body: &Value) -> Vec<Pushed> {
    let is_push = matches!(body["type"].as_str(), Some("PUSH_ARTIFACT" | "pushImage"));
    let resources = body["event_data"]["resources"].as_array();
    let pushed = |resource: &Value| {
        let tag = text(&resource["tag"])?;
        let url = resource["resource_url"].as_str()?;
        Some(Pushed {
            repository: url.strip_suffix(&format!(":{tag}"))?.to_owned(),
            digest: text(&resource["digest"]),
            tag,
        })
    };
    let resources = resources.into_iter().flatten().filter(|_| is_push);
    resources.filter_map(pushed).collect()
}

fn github(body: &Value, name: &str) -> Option<Pushed> {
    let package = &body[name];
    let kind = package["package_type"].as_str()?;
    if !kind.eq_ignore_ascii_case("container") || body["action"] == "deleted" {
        return None;
    }
    let tag = &package["package_version"]["container_metadata"]["tag"];
    let namespace = package["namespace"].as_str()?.to_lowercase();
    let name = package["name"].as_str()?.to_lowercase();
    Some(Pushed {
        repository: format!("{GITHUB}/{namespace}/{name}"),
        tag: text(&tag["name"]).filter(|it| !it.is_empty())?,
        digest: text(&tag["digest"]),
    })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{Pushed, registry_events};
    use serde_json::json;

    fn pushed(repository: &str, tag: &str, digest: Option<&str>) -> Pushed {
        Pushed {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            digest: digest.map(str::to_owned),
        }
    }

    #[test]
    fn each_registry_says_in_its_own_way_what_was_pushed() {
        let event = json!({
            "id": "asdf", "action": "push", "timestamp": "2006-01-02T15:04:05Z",
            "target": {
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "length": 1,
                "digest": "sha256:fea8", "repository": "library/test", "tag": "latest",
                "url": "https://example.com/v2/library/test/manifests/latest"
            },
            "request": {"host": "example.com:5000", "method": "PUT"}
        });
        let told = pushed(
            "example.com:5000/library/test",
            "latest",
            Some("sha256:fea8"),
        );
        let blob = json!({"action": "push", "target": {"digest": "sha256:1", "repository": "a"}, "request": {"host": "h"}});
        let pull = json!({"action": "pull", "target": {"repository": "a", "tag": "b"}, "request": {"host": "h"}});
        let hub = json!({
            "push_data": {"pushed_at": 1417566161, "pusher": "trustedbuilder", "tag": "latest"},
            "repository": {"name": "testhook", "namespace": "svendowideit", "repo_name": "svendowideit/testhook"}
        });
        let harbor = json!({
            "type": "PUSH_ARTIFACT", "occur_at": 1586922308, "operator": "admin",
            "event_data": {
                "resources": [{"digest": "sha256:8a9e", "tag": "latest",
                    "resource_url": "hub.example.com/test-webhook/debian:latest"}],
                "repository": {"name": "debian", "namespace": "test-webhook"}
            }
        });
        let github = json!({
            "action": "published",
            "package": {
                "name": "Hello", "namespace": "Octo", "package_type": "CONTAINER",
                "package_version": {"container_metadata": {"tag": {"name": "v1", "digest": "sha256:c"}}}
            }
        });
        for (body, expected) in [
            (json!({"events": [event, blob, pull]}), vec![told.clone()]),
            (event, vec![told]),
            (
                hub,
                vec![pushed("docker.io/svendowideit/testhook", "latest", None)],
            ),
            (
                harbor,
                vec![pushed(
                    "hub.example.com/test-webhook/debian",
                    "latest",
                    Some("sha256:8a9e"),
                )],
            ),
            (
                github,
                vec![pushed("ghcr.io/octo/hello", "v1", Some("sha256:c"))],
            ),
            (json!({"action": "quarantine", "target": 3}), vec![]),
            (json!({"events": "many"}), vec![]),
            (json!([1, null]), vec![]),
        ] {
            assert_eq!(registry_events(&body), expected, "{body}");
        }
    }
}
