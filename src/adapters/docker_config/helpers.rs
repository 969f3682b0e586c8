//! Programs that keep logins for the docker client: `docker-credential-NAME`, asked through their standard input.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::{io::AsyncWriteExt, process::Command};

use super::{HUB, HUB_KEY, host, logins};
use crate::ports::{LoginHelpers, RegistryLogin};

/// How long a program may take; some ask a person first.
const TIMEOUT: Duration = Duration::from_secs(60);
/// What programs say when they keep nothing for a host.
const NOT_FOUND: &str = "credentials not found";

/// The docker client's settings, and the programs that they name.
pub struct DockerConfig {
    file: PathBuf,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Named {
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

impl DockerConfig {
    /// Uses this `config.json`, read anew each time; one that is not there names no programs.
    pub fn new(file: &Path) -> DockerConfig {
        DockerConfig {
            file: file.to_owned(),
        }
    }

    fn named(&self) -> Named {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }
}

#[async_trait]
impl LoginHelpers for DockerConfig {
    async fn login(&self, name: &str) -> Result<Option<RegistryLogin>, String> {
        let named = self.named();
        let own = named.cred_helpers.iter().find(|(key, _)| host(key) == name);
        let Some(program) = own
            .map(|(_, program)| program)
            .or(named.creds_store.as_ref())
        else {
            let written = logins(&self.file)?;
            return Ok(written.into_iter().find(|it| it.server == name));
        };
        let key = if name == HUB { HUB_KEY } else { name };
        let answer = ask(program, "get", key).await?;
        let found = answer.map(|it| serde_json::from_slice::<Answer>(&it));
        // The parser's own message could quote a password.
        let found = found.transpose().map_err(|_| {
            format!("the credential helper docker-credential-{program} answers what is no login")
        })?;
        Ok(found.map(|it| RegistryLogin {
            server: name.to_owned(),
            username: it.username,
            password: SecretString::from(it.secret),
        }))
    }

    async fn hosts(&self) -> Vec<String> {
        let named = self.named();
        let mut hosts: Vec<String> = named.cred_helpers.keys().map(|key| host(key)).collect();
        if let Some(program) = &named.creds_store
            && let Ok(Some(answer)) = ask(program, "list", "").await
        {
            let listed: BTreeMap<String, String> =
                serde_json::from_slice(&answer).unwrap_or_default();
            hosts.extend(listed.keys().map(|key| host(key)));
        }
        hosts
    }
}

/// Asks a program; `None` when it keeps nothing for the host.
async fn ask(program: &str, verb: &str, question: &str) -> Result<Option<Vec<u8>>, String> {
    let name = format!("docker-credential-{program}");
    let failed = |reason: String| format!("the credential helper {name} failed: {reason}");
    if !program
        .chars()
        .all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it))
    {
        return Err(failed("its name is none".to_owned()));
    }
    let mut process = Command::new(&name)
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut input = process.stdin.take();
    let done = async {
        if let Some(mut input) = input.take() {
            // A program that does not read its input says why on its output.
            let _ = input.write_all(question.as_bytes()).await;
        }
        process.wait_with_output().await
    };
    let output = tokio::time::timeout(TIMEOUT, done)
        .await
        .map_err(|_| failed("it does not answer in time".to_owned()))?
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(Some(output.stdout));
    }
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    match said.to_lowercase().contains(NOT_FOUND) {
        true => Ok(None),
        false => Err(failed(said.trim().replace(char::is_control, " "))),
    }
}
