//! What a Dockerfile stands on, with the digests of today.

use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::{App, AppError};
use crate::{
    dockerfile::{Dockerfile, Options},
    ports::RegistryLogin,
    runner::{Digest, Lookup},
    spec::dependencies::{BaseImage, Dependencies, KnownBase, base_images, record},
    text::Diagnostics,
};

/// How long a registry may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many images are looked up at once.
const AT_ONCE: usize = 8;

/// A Dockerfile to look through.
#[derive(Debug, Clone)]
pub struct ScanRequest {
    /// What the file is called.
    pub file: String,
    /// Its text.
    pub text: String,
    /// What its build would be told.
    pub options: Options,
    /// The names that the build would give.
    pub tags: Vec<String>,
    /// The commit of its context; empty where there is none.
    pub head_revision: String,
}

/// What a Dockerfile stands on.
#[derive(Debug)]
pub struct Scanned {
    /// Each image with its digest, in the order of the file.
    pub images: Vec<(BaseImage, Digest)>,
    /// The same in the words of ACR.
    pub record: Vec<Dependencies>,
    /// What is odd in the file, but no error.
    pub warnings: Diagnostics,
}

impl App {
    /// Reads a Dockerfile and looks for the digest of each image that its build needs: in the registry, else on
    /// the engine. What neither knows stays unknown.
    pub async fn scan(
        &self,
        request: &ScanRequest,
        logins: &[RegistryLogin],
    ) -> Result<Scanned, AppError> {
        let (images, warnings) = read(request)?;
        let keyring = self.keyring(logins).await?;
        let lookup = Lookup {
            ports: &self.ports,
            keyring: &keyring,
            patience: PATIENCE,
        };
        let looked: Vec<Digest> = stream::iter(&images)
            .map(|image| lookup.today(&image.reference))
            .buffered(AT_ONCE)
            .collect()
            .await;
        let known: Vec<KnownBase> = images
            .iter()
            .zip(&looked)
            .map(|(image, digest)| image.with_digest(digest.known()))
            .collect();
        Ok(Scanned {
            record: record(&request.tags, &known, &request.head_revision),
            images: images.into_iter().zip(looked).collect(),
            warnings,
        })
    }
}

/// Reads which images a Dockerfile needs.
pub(super) fn read(request: &ScanRequest) -> Result<(Vec<BaseImage>, Diagnostics), AppError> {
    let wrong = |findings| AppError::TaskFile {
        file: request.file.clone(),
        text: request.text.clone(),
        findings,
    };
    let (file, mut findings) = Dockerfile::read(&request.text);
    let Some(file) = file else {
        return Err(wrong(findings));
    };
    let (bases, more) = file.bases(&request.options);
    findings.extend(more);
    let Some(bases) = bases else {
        return Err(wrong(findings));
    };
    let (images, more) = base_images(&bases);
    findings.extend(more);
    if findings.has_errors() {
        return Err(wrong(findings));
    }
    Ok((images, findings))
}
