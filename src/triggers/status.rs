//! How each code host is told the state of a commit.

use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::{Provider, repository::host_and_path};

/// What is to be told of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStatus<'s> {
    /// The repository's address.
    pub address: &'s str,
    /// The commit.
    pub commit: &'s str,
    /// The task; statuses of one task replace each other.
    pub task: &'s str,
    /// How it stands.
    pub state: CommitState,
    /// What people read beside it.
    pub description: &'s str,
    /// Where to look, if that is known.
    pub link: Option<&'s str>,
}

/// How a commit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitState {
    /// Its run has not ended.
    Pending,
    /// Its run succeeded.
    Success,
    /// Its run failed.
    Failure,
    /// Its run could not be done.
    Error,
}

/// A request to a code host's interface: address, header that bears the token, JSON body.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusRequest {
    /// Where to.
    pub url: String,
    /// The header that bears the token, and what stands before the token in it.
    pub login: (&'static str, &'static str),
    /// The body.
    pub body: Value,
}

impl CommitState {
    /// The word used in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            CommitState::Pending => "pending",
            CommitState::Success => "success",
            CommitState::Failure => "failure",
            CommitState::Error => "error",
        }
    }
}

/// Makes the request that tells it; `None` where the code host takes no statuses from us.
pub fn status_request(
    provider: Provider,
    api: Option<&str>,
    status: &CommitStatus<'_>,
) -> Option<StatusRequest> {
    let (host, path) = host_and_path(status.address)?;
    let usual = usual_api(provider, &host, status.address)?;
    let api = api.unwrap_or(&usual).trim_end_matches('/');
    let commit = status.commit;
    let (url, login) = match provider {
        Provider::Github => (
            format!("{api}/repos/{path}/statuses/{commit}"),
            ("authorization", "Bearer "),
        ),
        Provider::Gitea => (
            format!("{api}/repos/{path}/statuses/{commit}"),
            ("authorization", "token "),
        ),
        Provider::Gitlab => {
            let project: String = byte_serialize(path.as_bytes()).collect();
            (
                format!("{api}/projects/{project}/statuses/{commit}"),
                ("private-token", ""),
            )
        }
        Provider::Bitbucket => (
            format!("{api}/repositories/{path}/commit/{commit}/statuses/build"),
            ("authorization", "Bearer "),
        ),
        Provider::AzureDevops | Provider::Generic => return None,
    };
    let body = body(provider, status);
    Some(StatusRequest { url, login, body })
}

fn usual_api(provider: Provider, host: &str, address: &str) -> Option<String> {
    let scheme = match address.starts_with("http://") {
        true => "http",
        false => "https",
    };
    match provider {
        Provider::Github if host == "github.com" => Some("https://api.github.com".to_owned()),
        Provider::Github => Some(format!("{scheme}://{host}/api/v3")),
        Provider::Gitlab => Some(format!("{scheme}://{host}/api/v4")),
        Provider::Gitea => Some(format!("{scheme}://{host}/api/v1")),
        Provider::Bitbucket => Some("https://api.bitbucket.org/2.0".to_owned()),
        Provider::AzureDevops | Provider::Generic => None,
    }
}

fn body(provider: Provider, status: &CommitStatus<'_>) -> Value {
    let name = format!("careen/{}", status.task);
    match provider {
        Provider::Gitlab => json!({
            "state": match status.state {
                CommitState::Pending => "pending",
                CommitState::Success => "success",
                CommitState::Failure | CommitState::Error => "failed",
            },
            "name": name,
            "description": status.description,
            "target_url": status.link,
        }),
        // Bitbucket insists on a link.
        Provider::Bitbucket => json!({
            "state": match status.state {
                CommitState::Pending => "INPROGRESS",
                CommitState::Success => "SUCCESSFUL",
                CommitState::Failure | CommitState::Error => "FAILED",
            },
            "key": name,
            "name": name,
            "description": status.description,
            "url": status.link.unwrap_or(status.address),
        }),
        _ => json!({
            "state": status.state.as_str(),
            "context": name,
            "description": status.description,
            "target_url": status.link,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{CommitState, CommitStatus, status_request};
    use crate::triggers::Provider;

    #[test]
    fn each_code_host_is_told_in_its_own_words() {
        let told = |provider, address, api| {
            let status = CommitStatus {
                address,
                commit: "c0ffee",
                task: "web",
                state: CommitState::Failure,
                description: "exit status 1",
                link: None,
            };
            let made = status_request(provider, api, &status)?;
            Some(format!(
                "{} {} {}",
                made.url, made.login.0, made.body["state"]
            ))
        };
        for (provider, address, api, expected) in [
            (
                Provider::Github,
                "git@github.com:Acme/web.git",
                None,
                "https://api.github.com/repos/Acme/web/statuses/c0ffee authorization \"failure\"",
            ),
            (
                Provider::Github,
                "https://git.acme.com/a/web.git",
                None,
                "https://git.acme.com/api/v3/repos/a/web/statuses/c0ffee authorization \"failure\"",
            ),
            (
                Provider::Gitlab,
                "https://gitlab.com/a/b/web.git",
                None,
                "https://gitlab.com/api/v4/projects/a%2Fb%2Fweb/statuses/c0ffee private-token \"failed\"",
            ),
            (
                Provider::Gitea,
                "http://localhost:3000/a/web",
                None,
                "http://localhost:3000/api/v1/repos/a/web/statuses/c0ffee authorization \"failure\"",
            ),
            (
                Provider::Bitbucket,
                "https://bitbucket.org/a/web",
                Some("http://127.0.0.1:9/2.0/"),
                "http://127.0.0.1:9/2.0/repositories/a/web/commit/c0ffee/statuses/build authorization \"FAILED\"",
            ),
        ] {
            assert_eq!(told(provider, address, api).as_deref(), Some(expected));
        }
        assert_eq!(told(Provider::Generic, "https://a.b/c/d", None), None);
    }
}
