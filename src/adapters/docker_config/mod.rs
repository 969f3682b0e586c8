//! The logins of the docker client: in its own configuration file, or kept by the programs that it names.

mod helpers;

use std::path::Path;

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::BTreeMap;

pub use helpers::DockerConfig;

use crate::ports::RegistryLogin;

/// Where Docker Hub's login stands in the file, for historical reasons.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// The host that references to Docker Hub name.
const HUB: &str = "docker.io";

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
}

#[derive(Deserialize)]
struct Auth {
    auth: Option<String>,
}

/// Reads the logins that stand in a `config.json`; a file that is not there has none. Logins kept by a credential
/// helper are asked for through [`DockerConfig`].
pub fn logins(file: &Path) -> Result<Vec<RegistryLogin>, String> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("cannot read {}: {error}", file.display())),
    };
    // The parser's own message could quote a password.
    let config: ConfigFile = serde_json::from_str(&text)
        .map_err(|error| format!("{} is not valid: line {}", file.display(), error.line()))?;
    Ok(config
        .auths
        .into_iter()
        .filter_map(|(server, auth)| login(&server, &auth.auth?))
        .collect())
}

fn login(server: &str, auth: &str) -> Option<RegistryLogin> {
    let decoded = String::from_utf8(BASE64_STANDARD.decode(auth).ok()?).ok()?;
    let (username, password) = decoded.split_once(':')?;
    Some(RegistryLogin {
        server: host(server),
        username: username.to_owned(),
        password: SecretString::from(password),
    })
}

fn host(server: &str) -> String {
    if server == HUB_KEY {
        return HUB.to_owned();
    }
    let bare = server
        .trim_start_matches("https://")
        .trim_start_matches("http://");
    bare.split('/').next().unwrap_or(bare).to_owned()
}

#[cfg(test)]
mod tests {
    use super::logins;
    use secrecy::ExposeSecret;

    #[test]
    fn logins_are_found_by_host_and_helpers_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        assert!(logins(&file).unwrap().is_empty());
        let text = r#"{"auths": {"https://index.docker.io/v1/": {"auth": "YTpi"}, "r.io:5000": {"auth": "YTpiOmM="},
            "helped.io": {}}, "credsStore": "x"}"#;
        std::fs::write(&file, text).unwrap();
        let found: Vec<_> = logins(&file)
            .unwrap()
            .into_iter()
            .map(|it| {
                (
                    it.server,
                    it.username,
                    it.password.expose_secret().to_owned(),
                )
            })
            .collect();
        let want =
            |server: &str, password: &str| (server.to_owned(), "a".to_owned(), password.to_owned());
        assert_eq!(found, [want("docker.io", "b"), want("r.io:5000", "b:c")]);
    }

    #[test]
    fn a_broken_file_is_named_without_being_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        std::fs::write(&file, "{\"auths\": \"hunter2").unwrap();
        let error = logins(&file).unwrap_err();
        assert!(
            error.contains("config.json") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
