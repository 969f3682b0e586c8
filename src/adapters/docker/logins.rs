//! Logins to registries, in the client's words.

use std::collections::HashMap;

use bollard::auth::DockerCredentials;
use secrecy::ExposeSecret;

use crate::ports::RegistryLogin;

/// Where Docker Hub's credentials are looked for by engines.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The name under which BuildKit asks for Docker Hub's credentials.
const DOCKER_HUB_OF_BUILDKIT: &str = "registry-1.docker.io";

/// A login in the client's words.
pub(super) fn credentials(login: &RegistryLogin) -> DockerCredentials {
    let server = match login.server.as_str() {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
        server => server,
    };
    DockerCredentials {
        username: Some(login.username.clone()),
        password: Some(login.password.expose_secret().to_string()),
        serveraddress: Some(server.to_string()),
        ..Default::default()
    }
}

/// The credentials for bases, by host.
pub(super) fn by_host(of: &[RegistryLogin]) -> HashMap<String, DockerCredentials> {
    let mut logins = HashMap::new();
    for login in of {
        let credentials = credentials(login);
        let server = credentials.serveraddress.clone().unwrap_or_default();
        if server == DOCKER_HUB {
            logins.insert(DOCKER_HUB_OF_BUILDKIT.to_string(), credentials.clone());
        }
        logins.insert(server, credentials);
    }
    logins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_hubs_login_is_found_by_both_builders() {
        let login = |server: &str| RegistryLogin {
            server: server.to_string(),
            username: "me".to_string(),
            password: "secret".to_string().into(),
        };
        let logins = by_host(&[login("docker.io"), login("h:5000")]);
        let mut servers: Vec<_> = logins.keys().map(String::as_str).collect();
        servers.sort_unstable();
        assert_eq!(servers, ["h:5000", DOCKER_HUB, DOCKER_HUB_OF_BUILDKIT]);
    }
}
