//! How each code host is told the state of a commit.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::{
    Provider,
    repository::{azure_name, host_and_path},
};

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

/// How a request bears its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusLogin {
    /// In a header of this name, behind these words.
    Header(&'static str, &'static str),
    /// As the password of nobody.
    Password,
}

/// A request to a code host's interface: address, how it bears the token, JSON body.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusRequest {
    /// Where to.
    pub url: String,
    /// How it bears the token.
    pub login: StatusLogin,
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

impl StatusLogin {
    /// The header that bears this token.
    pub fn header(self, token: &str) -> (String, String) {
        match self {
            StatusLogin::Header(name, before) => (name.to_owned(), format!("{before}{token}")),
            StatusLogin::Password => {
                let login = BASE64_STANDARD.encode(format!(":{token}"));
                ("authorization".to_owned(), format!("Basic {login}"))
            }
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
    let bearer = StatusLogin::Header("authorization", "Bearer ");
    let (url, login) = match provider {
        Provider::Github => (format!("{api}/repos/{path}/statuses/{commit}"), bearer),
        Provider::Gitea => (
            format!("{api}/repos/{path}/statuses/{commit}"),
            StatusLogin::Header("authorization", "token "),
        ),
        Provider::Gitlab => {
            let project: String = byte_serialize(path.as_bytes()).collect();
            (
                format!("{api}/projects/{project}/statuses/{commit}"),
                StatusLogin::Header("private-token", ""),
            )
        }
        Provider::Bitbucket => (
            format!("{api}/repositories/{path}/commit/{commit}/statuses/build"),
            bearer,
        ),
        Provider::AzureDevops => {
            let (organization, project, name) = azure_name(&host, &path)?;
            let repository =
                format!("{api}/{organization}/{project}/_apis/git/repositories/{name}");
            (
                format!("{repository}/commits/{commit}/statuses?api-version=7.1"),
                StatusLogin::Password,
            )
        }
        Provider::Generic => return None,
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
        Provider::AzureDevops => Some("https://dev.azure.com".to_owned()),
        Provider::Generic => None,
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
        Provider::AzureDevops => json!({
            "state": match status.state {
                CommitState::Pending => "pending",
                CommitState::Success => "succeeded",
                CommitState::Failure => "failed",
                CommitState::Error => "error",
            },
            "context": { "genre": "careen", "name": status.task },
            "description": status.description,
            "targetUrl": status.link,
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
            let (name, value) = made.login.header("t");
            Some(format!(
                "{} {name}: {value} {}",
                made.url, made.body["state"]
            ))
        };
        for (provider, address, api, expected) in [
            (
                Provider::Github,
                "git@github.com:Acme/web.git",
                None,
                "https://api.github.com/repos/Acme/web/statuses/c0ffee authorization: Bearer t \"failure\"",
            ),
            (
                Provider::Github,
                "https://git.acme.com/a/web.git",
                None,
                "https://git.acme.com/api/v3/repos/a/web/statuses/c0ffee authorization: Bearer t \"failure\"",
            ),
            (
                Provider::Gitlab,
                "https://gitlab.com/a/b/web.git",
                None,
                "https://gitlab.com/api/v4/projects/a%2Fb%2Fweb/statuses/c0ffee private-token: t \"failed\"",
            ),
            (
                Provider::Gitea,
                "http://localhost:3000/a/web",
                None,
                "http://localhost:3000/api/v1/repos/a/web/statuses/c0ffee authorization: token t \"failure\"",
            ),
            (
                Provider::Bitbucket,
                "https://bitbucket.org/a/web",
                Some("http://127.0.0.1:9/2.0/"),
                "http://127.0.0.1:9/2.0/repositories/a/web/commit/c0ffee/statuses/build authorization: Bearer t \"FAILED\"",
            ),
            (
                Provider::AzureDevops,
                "https://org.visualstudio.com/my%20app/_git/web",
                None,
                "https://dev.azure.com/org/my%20app/_apis/git/repositories/web/commits/c0ffee/statuses?api-version=7.1 authorization: Basic OnQ= \"failed\"",
            ),
            (
                Provider::AzureDevops,
                "git@ssh.dev.azure.com:v3/org/app/web",
                Some("http://127.0.0.1:9"),
                "http://127.0.0.1:9/org/app/_apis/git/repositories/web/commits/c0ffee/statuses?api-version=7.1 authorization: Basic OnQ= \"failed\"",
            ),
        ] {
            assert_eq!(told(provider, address, api).as_deref(), Some(expected));
        }
        assert_eq!(told(Provider::Generic, "https://a.b/c/d", None), None);
        assert_eq!(told(Provider::AzureDevops, "https://a.b/c/d", None), None);
    }
}
