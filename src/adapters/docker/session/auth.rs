//! Gives BuildKit the logins of the registries that it asks for.

use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse,
    GetTokenAuthorityRequest, GetTokenAuthorityResponse, VerifyTokenAuthorityRequest,
    VerifyTokenAuthorityResponse, auth_server::Auth,
};
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status, async_trait};

use crate::ports::RegistryLogin;

/// The names of Docker Hub.
const DOCKER_HUB: [&str; 4] = [
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "https://index.docker.io/v1/",
];

/// The logins of one build.
pub(super) struct Logins(Vec<RegistryLogin>);

impl Logins {
    /// Takes the logins that the build may use.
    pub(super) fn new(logins: Vec<RegistryLogin>) -> Logins {
        Logins(logins)
    }

    fn find(&self, host: &str) -> Option<&RegistryLogin> {
        let is_hub = |server: &str| DOCKER_HUB.contains(&server);
        let mut logins = self.0.iter();
        logins.find(|login| login.server == host || is_hub(&login.server) && is_hub(host))
    }
}

#[async_trait]
impl Auth for Logins {
    /// Answers with nothing for a registry that we have no login of: BuildKit then asks it as anybody may.
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let login = self.find(&request.get_ref().host);
        Ok(Response::new(CredentialsResponse {
            username: login.map_or_else(String::new, |login| login.username.clone()),
            secret: login.map_or_else(String::new, |login| {
                login.password.expose_secret().to_owned()
            }),
        }))
    }

    async fn fetch_token(
        &self,
        _: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("tokens are fetched by the engine"))
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unavailable("tokens are fetched by the engine"))
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unavailable("tokens are fetched by the engine"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_login_is_given_to_its_own_host_alone() {
        let login = |server: &str| RegistryLogin {
            server: server.to_string(),
            username: server.to_string(),
            password: "hush".to_string().into(),
        };
        let logins = Logins::new(vec![login("r.io:5000"), login("docker.io")]);
        for (host, username) in [
            ("r.io:5000", "r.io:5000"),
            ("r.io", ""),
            ("registry-1.docker.io", "docker.io"),
            ("evil-docker.io", ""),
        ] {
            let request = CredentialsRequest {
                host: host.to_string(),
            };
            let answer = logins.credentials(Request::new(request)).await;
            let answer = answer.expect("an answer").into_inner();
            assert_eq!(answer.username, username, "{host}");
            assert_eq!(answer.secret.is_empty(), username.is_empty(), "{host}");
        }
    }
}
