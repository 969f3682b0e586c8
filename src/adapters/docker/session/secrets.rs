//! Gives BuildKit the secrets that a command asks for, from memory.

use bollard_buildkit_proto::moby::buildkit::secrets::v1::{
    GetSecretRequest, GetSecretResponse, secrets_server::Secrets,
};
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status, async_trait};

use crate::ports::BuildSecret;

/// The secrets of one build.
pub(super) struct BuildSecrets(Vec<BuildSecret>);

impl BuildSecrets {
    /// Takes the secrets that the build may read.
    pub(super) fn new(secrets: Vec<BuildSecret>) -> BuildSecrets {
        BuildSecrets(secrets)
    }
}

#[async_trait]
impl Secrets for BuildSecrets {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = request.into_inner().id;
        let found = self.0.iter().find(|secret| secret.id == id);
        let secret = found.ok_or_else(|| Status::not_found(format!("no secret {id} was given")))?;
        Ok(Response::new(GetSecretResponse {
            data: secret.value.expose_secret().to_vec(),
        }))
    }
}
